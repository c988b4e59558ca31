package oauth

import (
	"slices"
	"strings"
	"testing"
)

func TestBrowserCommands(t *testing.T) {
	const windows = "rundll32.exe url.dll,FileProtocolHandler" // never through cmd, which would read the & of a URL
	for _, test := range []struct {
		system string
		env    map[string]string
		want   []string
	}{
		{"linux", nil, nil},
		{"linux", map[string]string{"DISPLAY": ":0"}, []string{"xdg-open"}},
		{"freebsd", map[string]string{"WAYLAND_DISPLAY": "wayland-0"}, []string{"xdg-open"}},
		{"darwin", nil, []string{"open"}},
		{"windows", nil, []string{windows}},
		{"linux", map[string]string{"WSL_DISTRO_NAME": "Debian"}, []string{"wslview", windows}},
		{"linux", map[string]string{"BROWSER": "firefox -P work:w3m %s: "}, []string{"firefox -P work", "w3m %s"}},
		{"linux", map[string]string{"BROWSER": "firefox", "DISPLAY": ":0"}, []string{"firefox", "xdg-open"}},
	} {
		var got []string
		for _, command := range browserCommands(test.system, func(k string) string { return test.env[k] }) {
			got = append(got, strings.Join(command, " "))
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s %v: %q, want %q", test.system, test.env, got, test.want)
		}
	}
}

func TestErrorCodeLetsNoTokenThrough(t *testing.T) {
	for in, want := range map[string]string{
		"invalid_grant":                 "invalid_grant",
		"":                              "",
		"eyJhbGciOiJSUzI1NiJ9.e30.c2ln": "",
		"a b":                           "",
		"UPPER":                         "",
		"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz": "",
	} {
		if got := errorCode(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func TestPromptOnATerminal(t *testing.T) {
	p := Prompt{URL: "https://op.example.com/device", CompleteURL: "https://op.example.com/device?user_code=ABCD-EFGH", Code: "AB\x1b[2JCD"}
	var plain, rich strings.Builder
	p.Print(&plain, false)
	p.Print(&rich, true)
	if strings.Contains(plain.String(), "█") || !strings.Contains(rich.String(), "█") {
		t.Errorf("the QR code is shown off a terminal, or not on one:\n%s", rich.String())
	}
	if strings.Contains(rich.String(), "\x1b") || !strings.Contains(plain.String(), "AB[2JCD") {
		t.Errorf("control characters reach the terminal: %q", plain.String())
	}
	if long := quickResponse("https://op.example.com/" + strings.Repeat("x", 3000)); long != "" {
		t.Error("a QR code that fits on no terminal")
	}
}

func TestPasted(t *testing.T) {
	for text, want := range map[string]string{
		"http://127.0.0.1:1234/callback?code=c&state=s":     "s",
		" http://127.0.0.1:1234/callback?state=s&code=c#_ ": "s",
		"code=c&state=s": "s",
		"?state=s":       "s",
		"hello":          "",
		"":               "",
		"%zz":            "",
	} {
		if got := pasted(text).Get("state"); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}

// TestGranted: what a session asks for silently, and what a login for more scopes adds to.
func TestGranted(t *testing.T) {
	for _, test := range []struct{ scopes, withheld, response, wantScopes, wantWithheld string }{
		{"read", "", "read", "read", ""},
		{"read write", "", "read", "read", "write"},
		{"read", "write", "read", "read", "write"},
		{"read", "write", "read write", "read write", ""},
		{"openid offline_access Mail.Read", "", "Mail.Read", "Mail.Read openid offline_access", ""},
		{"openid read", "", "openid read admin", "openid read admin", ""},
	} {
		e := extra{Scopes: strings.Fields(test.scopes), Withheld: strings.Fields(test.withheld)}.granted(strings.Fields(test.response))
		if !slices.Equal(e.Scopes, strings.Fields(test.wantScopes)) || !slices.Equal(e.Withheld, strings.Fields(test.wantWithheld)) {
			t.Errorf("%+v: %q, withheld %q", test, e.Scopes, e.Withheld)
		}
	}
}
