package auth

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestJarOfAllIsACopy(t *testing.T) {
	const site = "https://example.com/"
	var j Jar
	setCookies(t, &j, site, "a=1", "b=2")
	c := NewJar(j.All()...)
	setCookies(t, c, site, "a=; Max-Age=0", "c=3")
	setCookies(t, &j, site, "b=4")
	if got := cookieHeader(t, &j, site); got != "a=1; b=4" {
		t.Errorf("the first has %q", got)
	}
	if got := cookieHeader(t, c, site); got != "b=2; c=3" {
		t.Errorf("the copy has %q", got)
	}
}

func TestJarFind(t *testing.T) {
	var j Jar
	setCookies(t, &j, "https://example.com/auth/x", "a=root; Path=/", "a=auth; HttpOnly")
	for _, tt := range []struct{ url, name, want string }{
		{"https://example.com/auth/refresh", "a", "auth"},
		{"https://example.com/", "a", "root"},
		{"https://example.com/", "A", ""},
		{"https://example.org/", "a", ""},
		{"mailto:a@example.com", "a", ""},
	} {
		c, ok := j.Find(jarURL(t, tt.url), tt.name)
		if got := c.Value.Reveal(); got != tt.want || ok != (tt.want != "") {
			t.Errorf("%s of %s: %q %v, want %q", tt.name, tt.url, got, ok, tt.want)
		}
	}
}

func TestNewJar(t *testing.T) {
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
	if d := differenceOf(got, want); d != "" {
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

// differenceOf describes the first cookie that is not the same, "" if all are.
func differenceOf(got, want []Cookie) string {
	if len(got) != len(want) {
		return fmt.Sprintf("%d cookies, want %d", len(got), len(want))
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			return fmt.Sprintf("cookie %d is\n%+v, want\n%+v", i, got[i], want[i])
		}
	}
	return ""
}
