package silentrefresh

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

func TestRestoreDeleted(t *testing.T) {
	const site = "https://example.com/"
	for _, tt := range []struct {
		name string
		set  []string
		want string
	}{
		{"nothing set", nil, "r=1; csrf=2; empty="},
		{"deleted", []string{"r=; Max-Age=0"}, "r=1; csrf=2; empty="},
		{"deleted by date", []string{"r=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT"}, "r=1; csrf=2; empty="},
		{"emptied", []string{"r="}, "r=1; csrf=2; empty="},
		{"replaced", []string{"r=new"}, "r=new; csrf=2; empty="},
		{"replaced, then deleted", []string{"r=new", "r=; Max-Age=0"}, "r=1; csrf=2; empty="},
		{"added", []string{"n=3", "r=; Max-Age=0"}, "r=1; csrf=2; empty=; n=3"},
		{"an empty one deleted", []string{"empty=; Max-Age=0"}, "r=1; csrf=2"},
		{"an empty one filled", []string{"empty=full"}, "r=1; csrf=2; empty=full"},
		{"deleted elsewhere", []string{"r=; Max-Age=0; Path=/x"}, "r=1; csrf=2; empty="},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := &auth.Jar{}
			setCookies(t, before, site, "r=1; HttpOnly; Secure", "csrf=2", "empty=", "short=4; Max-Age=0")
			after := auth.NewJar(before.All()...)
			setCookies(t, after, site, tt.set...)
			after = auth.NewJar(restored(before.All(), after.All())...)
			if got := sentCookies(t, after, site); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if c, ok := after.Find(fakes.URL(t, site), "r"); !ok || c.Value.Reveal() == "1" && !c.HttpOnly {
				t.Error("the cookie came back without its attributes")
			}
		})
	}
}

func TestRestoreDeletedForgetsWhatExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := &auth.Jar{}
		setCookies(t, before, "https://example.com/", "r=1; Max-Age=60")
		after := auth.NewJar(before.All()...)
		setCookies(t, after, "https://example.com/", "r=; Max-Age=0")
		time.Sleep(time.Minute)
		after = auth.NewJar(restored(before.All(), after.All())...)
		if got := fmt.Sprint(after.Cookies(fakes.URL(t, "https://example.com/"))); got != "[]" {
			t.Errorf("%s came back from the dead", got)
		}
	})
}

func TestRestoreDeletedAfterAFlood(t *testing.T) {
	before := &auth.Jar{}
	setCookies(t, before, "https://example.com/", "r=1")
	after := auth.NewJar(before.All()...)
	for i := range 100 {
		setCookies(t, after, "https://example.com/", fmt.Sprintf("c%d=1", i))
	}
	after = auth.NewJar(restored(before.All(), after.All())...)
	if _, ok := after.Find(fakes.URL(t, "https://example.com/"), "r"); !ok || len(after.All()) != 50 {
		t.Errorf("r was driven out: %s", fmt.Sprint(after.All()))
	}
}

// setCookies gives j the Set-Cookie lines of a response to a request for raw.
func setCookies(tb testing.TB, j *auth.Jar, raw string, lines ...string) {
	tb.Helper()
	r := &http.Response{Header: http.Header{"Set-Cookie": lines}}
	j.SetCookies(fakes.URL(tb, raw), r.Cookies())
}

// sentCookies is the Cookie header of a request for raw.
func sentCookies(tb testing.TB, j *auth.Jar, raw string) string {
	tb.Helper()
	r := &http.Request{Header: http.Header{}}
	for _, c := range j.Cookies(fakes.URL(tb, raw)) {
		r.AddCookie(c)
	}
	return r.Header.Get("Cookie")
}
