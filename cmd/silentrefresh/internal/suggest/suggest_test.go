package suggest

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	commands := []string{"login", "logout", "learn", "request", "refresh", "status", "token", "base", "base_url", "cookie-file"}
	for word, want := range map[string]string{
		"lgoin": "login", "LOGIN": "login", "logn": "login", "refesh": "refresh", "refreshh": "refresh", "stauts": "status",
		"stat": "status", "bsae": "base", "bas": "base", "baseUrl": "base_url", "cookiefile": "cookie-file", "req": "request",
		"dance": "", "x": "", "": "", "lo": "", "watch": "", strings.Repeat("login", 10000): "",
	} {
		if got := Nearest(word, commands...); got != want {
			t.Errorf("%.20q: %q, want %q", word, got, want)
		}
	}
}
