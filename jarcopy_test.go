package silentrefresh

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/wall"
)

func TestJarClone(t *testing.T) {
	const site = "https://example.com/"
	var j Jar
	answered(t, &j, site, "a=1", "b=2")
	c := j.clone()
	answered(t, c, site, "a=; Max-Age=0", "c=3")
	answered(t, &j, site, "b=4")
	if got := cookieHeader(t, &j, site); got != "a=1; b=4" {
		t.Errorf("the first has %q", got)
	}
	if got := cookieHeader(t, c, site); got != "b=2; c=3" {
		t.Errorf("the clone has %q", got)
	}
}

func TestJarGet(t *testing.T) {
	var j Jar
	answered(t, &j, "https://example.com/auth/x", "a=root; Path=/", "a=auth; HttpOnly")
	for _, tt := range []struct{ url, name, want string }{
		{"https://example.com/auth/refresh", "a", "auth"},
		{"https://example.com/", "a", "root"},
		{"https://example.com/", "A", ""},
		{"https://example.org/", "a", ""},
		{"mailto:a@example.com", "a", ""},
	} {
		c, ok := j.get(jarURL(t, tt.url), tt.name)
		if got := c.Value.Reveal(); got != tt.want || ok != (tt.want != "") {
			t.Errorf("%s of %s: %q %v, want %q", tt.name, tt.url, got, ok, tt.want)
		}
	}
}

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
			before := &Jar{}
			answered(t, before, site, "r=1; HttpOnly; Secure", "csrf=2", "empty=", "short=4; Max-Age=0")
			after := before.clone()
			answered(t, after, site, tt.set...)
			restoreDeleted(before, after)
			if got := cookieHeader(t, after, site); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if c, ok := after.get(jarURL(t, site), "r"); !ok || c.Value.Reveal() == "1" && !c.HttpOnly {
				t.Error("the cookie came back without its attributes")
			}
		})
	}
}

func TestRestoreDeletedForgetsWhatExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := &Jar{}
		answered(t, before, "https://example.com/", "r=1; Max-Age=60")
		after := before.clone()
		answered(t, after, "https://example.com/", "r=; Max-Age=0")
		time.Sleep(time.Minute)
		restoreDeleted(before, after)
		if got := cookieNames(after.All()); got != "" {
			t.Errorf("%s came back from the dead", got)
		}
	})
}

func TestRestoreDeletedAfterAFlood(t *testing.T) {
	before := &Jar{}
	answered(t, before, "https://example.com/", "r=1")
	after := before.clone()
	for i := range 100 {
		answered(t, after, "https://example.com/", fmt.Sprintf("c%d=1", i))
	}
	restoreDeleted(before, after)
	if _, ok := after.get(jarURL(t, "https://example.com/"), "r"); !ok || len(after.All()) != 50 {
		t.Errorf("r was driven out: %s", cookieNames(after.All()))
	}
}

func TestNewJar(t *testing.T) {
	now := wall.Now()
	bad := []Cookie{
		{Name: "", Value: NewSecret("1"), Domain: "example.com"},
		{Name: "a\n", Value: NewSecret("1"), Domain: "example.com"},
		{Name: "a", Value: NewSecret("\x01"), Domain: "example.com"},
		{Name: "a", Value: NewSecret(strings.Repeat("x", maxNameAndValue)), Domain: "example.com"},
		{Name: "a", Value: NewSecret("1"), Domain: "exa mple.com"},
		{Name: "a", Value: NewSecret("1"), Domain: "example.com.."},
		{Name: "a", Value: NewSecret("1"), Domain: "..example.com"},
		{Name: "a", Value: NewSecret("1"), Domain: "."},
		{Name: "a", Value: NewSecret("1"), Domain: strings.Repeat("a.", maxAttribute/2) + "com"},
		{Name: "a", Value: NewSecret("1"), Domain: "\xff.example"},
		{Name: "a", Value: NewSecret("1"), Path: "/\r"},
		{Name: "a", Value: NewSecret("1"), SameSite: http.SameSiteNoneMode},
		{Name: "__Secure-a", Value: NewSecret("1")},
		{Name: "__Host-a", Value: NewSecret("1"), Secure: true, Domain: "example.com"},
		{Name: "a", Value: NewSecret("1"), Expires: now},
		{Name: "a", Value: NewSecret("1"), Expires: now.AddDate(-3000, 0, 0)},
	}
	good := []Cookie{
		{Name: "a", Value: NewSecret("old")},
		{Name: "a", Value: NewSecret("1")},
		{Name: "__host-b", Value: NewSecret("2"), Secure: true},
		{Name: "c", Domain: ".Example.COM.", Path: "x"},
		{Name: "d", Domain: "localhost"},
		{Name: "e", Domain: "0:0::1"},
		{Name: "f", Domain: "Bücher.example", HostOnly: true, Path: "/f"},
	}
	want := []Cookie{
		{Name: "a", Value: NewSecret("1"), Path: "/"},
		{Name: "__host-b", Value: NewSecret("2"), Secure: true, Path: "/"},
		{Name: "c", Domain: "example.com", Path: "/"},
		{Name: "d", Domain: "localhost", HostOnly: true, Path: "/"},
		{Name: "e", Domain: "::1", HostOnly: true, Path: "/"},
		{Name: "f", Domain: "xn--bcher-kva.example", HostOnly: true, Path: "/f"},
	}
	for _, c := range bad {
		if got := NewJar(c).All(); len(got) != 0 {
			t.Errorf("NewJar kept %+v", got)
		}
	}
	got := NewJar(slices.Concat(bad, good)...).All()
	if d := cookieDifference(got, want); d != "" {
		t.Error(d)
	}
}

func TestNewJarSendsNothingWithoutDomain(t *testing.T) {
	j := NewJar(Cookie{Name: "a", Value: NewSecret("1")})
	for _, to := range []string{"https://example.com/", "http://localhost/", "https://./", "https:///"} {
		if got := cookieHeader(t, j, to); got != "" {
			t.Errorf("%s gets %q", to, got)
		}
	}
}
