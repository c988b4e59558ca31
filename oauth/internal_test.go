package oauth

import (
	"slices"
	"testing"
)

func TestBrowserCommand(t *testing.T) {
	for _, test := range []struct {
		system string
		env    map[string]string
		want   string
		opens  bool
	}{
		{"linux", nil, "", false},
		{"linux", map[string]string{"DISPLAY": ":0"}, "xdg-open", true},
		{"freebsd", map[string]string{"WAYLAND_DISPLAY": "wayland-0"}, "xdg-open", true},
		{"darwin", nil, "open", true},
		{"windows", nil, "rundll32", true},
	} {
		name, args, err := browserCommand(test.system, func(k string) string { return test.env[k] })
		if name != test.want || (err == nil) != test.opens {
			t.Errorf("%s %v: %s %v, %v", test.system, test.env, name, args, err)
		}
		if test.system == "windows" && !slices.Equal(args, []string{"url.dll,FileProtocolHandler"}) {
			t.Errorf("windows: %v", args) // never through cmd, which would read the & of a URL
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
