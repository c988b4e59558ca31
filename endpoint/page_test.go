package endpoint

import (
	"bytes"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/internal/response"
	tokenizer "golang.org/x/net/html"
)

const loginPage = `<!DOCTYPE html><html><head>
<META NAME=csrf-param content="authenticity_token"><meta name="csrf-token" content="m&amp;1=" />
<!-- <meta name="commented" content="no"> <input name="commented" value="no"> -->
<script>var s = '<input name="scripted" value="no">';</script></head>
<body><form action="/login" method="post"><input type="hidden" value='h&#43;"1' name="_csrf">
<input name="empty" value=""><INPUT TYPE=HIDDEN NAME=bare VALUE=b1><input name="twice" value="1"><input name="twice" value="2">
<input name="open" value="never closed>`

func TestF105_HiddenFieldsAndMetaElements(t *testing.T) {
	for name, want := range map[string]string{"_csrf": `h+"1`, "bare": "b1", "twice": "1", "empty": "", "scripted": "", "commented": "", "nosuch": "", "open": ""} {
		if got, _ := fieldIn([]byte(loginPage), name); got != want {
			t.Errorf("field %s is %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]string{"csrf-token": "m&1=", "csrf-param": "authenticity_token", "commented": "", "_csrf": ""} {
		if got, _ := metaIn([]byte(loginPage), name); got != want {
			t.Errorf("meta %s is %q, want %q", name, got, want)
		}
	}
	if got, ok := fieldIn([]byte(`<input name="x" value="`+strings.Repeat("v", response.MaxBody)+`">`), "x"); ok && len(got) > response.MaxBody {
		t.Errorf("%d bytes", len(got))
	}
}

// byTokenizer is what attributeIn finds, read by the tokenizer's own attributes.
func byTokenizer(page []byte, element, name, wanted string) (string, bool) {
	z := tokenizer.NewTokenizer(bytes.NewReader(page))
	z.SetMaxBuf(response.MaxBody)
	for {
		switch z.Next() {
		case tokenizer.ErrorToken:
			return "", false
		case tokenizer.StartTagToken, tokenizer.SelfClosingTagToken:
			attributes := map[string]string{}
			t := z.Token()
			for _, a := range t.Attr {
				attributes[a.Key] = a.Val
			}
			if got, ok := attributes["name"]; ok && t.Data == element && got == name {
				return attributes[wanted], true
			}
		}
	}
}

// Whatever a page holds, it is read to its end, and what is found is what the tokenizer would find.
func FuzzPage(f *testing.F) {
	f.Add([]byte(loginPage), "_csrf")
	f.Add([]byte("<input name=a value=\xff\x00><meta name=a content='"), "a")
	f.Add([]byte("<textarea><input name=a value=1></textarea><plaintext><input name=a value=2>"), "a")
	f.Add([]byte("<input/name=a/value=/x/ =y value==z><input disabled name = 'a' VALUE>"), "a")
	f.Add([]byte("<input name=a value='&lt;&amp;&#43;&#x2f;&copy=1&plus;&nosuch;\r\n'>"), "a")
	f.Fuzz(func(t *testing.T, page []byte, name string) {
		for element, wanted := range map[string]string{"input": "value", "meta": "content"} {
			got, ok := attributeIn(page, element, name, wanted)
			want, wantOK := byTokenizer(page, element, name, wanted)
			if bytes.Count(page, []byte("&")) > bytes.Count(page, []byte(";")) {
				continue // a reference without its end may be read either way
			}
			if got != want || ok != wantOK {
				t.Errorf("%s is %q, %t; the tokenizer has %q, %t", element, got, ok, want, wantOK)
			}
		}
	})
}
