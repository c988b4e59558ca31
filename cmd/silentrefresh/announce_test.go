package main

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/authtest"
)

// TestProxyTellsOfTheEnd, and of the login after it, once each.
func TestProxyTellsOfTheEnd(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	r, address := proxied(t, b)
	s.EndSessions()
	for range 2 {
		if resp, _ := get(t, address+"/me"); resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("over: %s", resp.Status)
		}
	}
	b.ok("login", "-d", credentials)
	servesSoon(t, address)
	servesSoon(t, address)
	r.stop()
	want := "silentrefresh: the session is over: /auth/refresh returned 401 invalid_grant at #; to go on: silentrefresh login\n" +
		"silentrefresh: somebody has logged in, and requests are passed on\n"
	if _, got, _ := strings.Cut(r.err.String(), "\n"); !like(got, want) {
		t.Errorf("said\n%s\nwant\n%s", got, want)
	}
}

// TestAsGiven: people see the address that they typed.
func TestAsGiven(t *testing.T) {
	any6, loopback := &net.TCPAddr{IP: net.IPv6unspecified, Port: 81}, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 81}
	for _, c := range []struct {
		listen string
		addr   net.Addr
		want   string
	}{
		{"0.0.0.0:81", any6, "0.0.0.0:81"}, {"localhost:0", loopback, "localhost:81"}, {"127.0.0.1:0", loopback, "127.0.0.1:81"},
		{"[::]:81", any6, "[::]:81"}, {":81", any6, "[::]:81"},
	} {
		if got := asGiven(c.listen, c.addr); got != c.want {
			t.Errorf("%s is shown as %s, want %s", c.listen, got, c.want)
		}
	}
}

// TestStanding: a token that has merely expired is not a server that is away.
func TestStanding(t *testing.T) {
	now := time.Now()
	for want, st := range map[string]silentrefresh.Status{
		"not logged in":            {State: silentrefresh.StateNone},
		"logged in":                {State: silentrefresh.StateLoggedIn, Expires: now},
		"logged in, token expired": {State: silentrefresh.StateOffline, Expires: now},
		"logged in, no token yet":  {State: silentrefresh.StateOffline, Err: fmt.Errorf("the store: %w", errLooking)},
		"offline":                  {State: silentrefresh.StateOffline, Expires: now, Err: net.ErrClosed},
		"over":                     {State: silentrefresh.StateOver},
	} {
		if got := standing(st); got != want {
			t.Errorf("%+v is %q, want %q", st, got, want)
		}
	}
}

// TestProxySaysTheRealState: one of a session that is over does not claim to be logged in.
func TestProxySaysTheRealState(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	s.EndSessions()
	b.run("request", "/me")
	r := b.start("proxy", "--listen", "127.0.0.1:0")
	if got := r.line("http://127.0.0.1:"); !strings.HasSuffix(got, " passes on to "+s.URL()+", over") {
		t.Errorf("said %s", got)
	}
	r.stop()
}
