package writeout

import (
	"strings"
	"testing"
	"time"
)

func TestTemplate(t *testing.T) {
	of := &Transfer{Status: 201, Method: "POST", URL: "https://a.example/b?c", Proto: "HTTP/2.0", ContentType: "text/plain", Downloaded: 7,
		Total: 1500 * time.Millisecond, Redirects: 2, Location: "/x", File: "f", Uploaded: 3, ExitCode: 22, Error: "no"}
	for text, want := range map[string]string{
		"":                                "",
		"%{http_code}":                    "201",
		`%{response_code}\n`:              "201\n",
		"a%%b":                            "a%b",
		"100%":                            "100%",
		"%x":                              "%x",
		`\q\`:                             `\q\`,
		`\\n\t\r`:                         "\\n\t\r",
		"%{method} %{url_effective}":      "POST https://a.example/b?c",
		"%{scheme}/%{http_version}":       "https/2",
		"%{time_total}":                   "1.500000",
		"%{size_download}%{size_upload}":  "73",
		"%{num_redirects}%{redirect_url}": "2/x",
		"%{exitcode}%{errormsg}":          "22no",
		"%{filename_effective}{}":         "f{}",
		"%{content_type}":                 "text/plain",
	} {
		template, err := Parse(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		var b strings.Builder
		if err := template.Write(&b, of); err != nil || b.String() != want {
			t.Errorf("%q: %q, want %q; %v", text, b.String(), want, err)
		}
	}
	template, _ := Parse("%{http_code}")
	var b strings.Builder
	if template.Write(&b, &Transfer{}); b.String() != "000" {
		t.Errorf("without a response: %q", b.String())
	}
}

func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"%{http_cod}": "did you mean %{http_code}?", "%{": "lacks its }", "%{http_code": "lacks its }", "%{xyz}": "there are content_type, ",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`%{http_code}\n%%\`)
	f.Fuzz(func(t *testing.T, text string) {
		template, err := Parse(text)
		if err == nil {
			err = template.Write(new(strings.Builder), &Transfer{})
		} else if !strings.Contains(text, "%{") {
			t.Errorf("%q: %v", text, err)
			return
		}
		if err != nil && !strings.Contains(text, "%{") {
			t.Error(err)
		}
	})
}
