package auth

import (
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

// jarURL is url.Parse for literals.
func jarURL(tb testing.TB, raw string) *url.URL {
	tb.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		tb.Fatal(err)
	}
	return u
}

// setCookies gives j the Set-Cookie lines as net/http reads them off a response to a request for raw.
func setCookies(tb testing.TB, j *Jar, raw string, lines ...string) {
	tb.Helper()
	r := &http.Response{Header: http.Header{"Set-Cookie": lines}}
	j.SetCookies(jarURL(tb, raw), r.Cookies())
}

// cookieHeader is the Cookie header of a request for raw.
func cookieHeader(tb testing.TB, j http.CookieJar, raw string) string {
	tb.Helper()
	r := &http.Request{Header: http.Header{}}
	for _, c := range j.Cookies(jarURL(tb, raw)) {
		r.AddCookie(c)
	}
	return r.Header.Get("Cookie")
}

func TestJarResponses(t *testing.T) {
	const site = "https://www.example.com/auth/login"
	long := strings.Repeat("x", maxAttribute)
	for _, tt := range []struct {
		name string
		from string
		set  []string
		to   string
		want string
	}{
		{"host-only to its host", site, []string{"a=1"}, "https://www.example.com/auth/x", "a=1"},
		{"host-only not to a subdomain", site, []string{"a=1"}, "https://x.www.example.com/auth/x", ""},
		{"host-only not to the parent", site, []string{"a=1"}, "https://example.com/auth/x", ""},
		{"domain to a sibling", site, []string{"a=1; Domain=example.com; Path=/"}, "https://b.example.com/", "a=1"},
		{"domain to itself", site, []string{"a=1; Domain=example.com; Path=/"}, "https://example.com/", "a=1"},
		{"leading dot ignored", site, []string{"a=1; Domain=.example.com; Path=/"}, "https://b.example.com/", "a=1"},
		{"domain in upper case", site, []string{"a=1; Domain=EXAMPLE.com; Path=/"}, "https://b.example.com/", "a=1"},
		{"domain with spaces around", site, []string{"a=1; Domain= example.com ; Path= / "}, "https://b.example.com/", "a=1"},
		{"empty domain is none", site, []string{"a=1; Domain=; Path=/"}, "https://x.www.example.com/", ""},
		{"domain of somebody else", site, []string{"a=1; Domain=example.org; Path=/"}, "https://example.org/", ""},
		{"domain that only ends alike", site, []string{"a=1; Domain=ample.com; Path=/"}, site, ""},
		{"domain below the host", site, []string{"a=1; Domain=x.www.example.com"}, "https://x.www.example.com/auth/x", ""},
		{"domain with a trailing dot", site, []string{"a=1; Domain=example.com.; Path=/"}, site, ""},
		{"domain too long is ignored", site, []string{"a=1; Domain=" + long + "x"}, site, "a=1"},

		{"public suffix refused", site, []string{"a=1; Domain=com; Path=/"}, site, ""},
		{"public suffix of two labels refused", "https://a.co.uk/", []string{"a=1; Domain=co.uk"}, "https://b.co.uk/", ""},
		{"private suffix refused", "https://a.github.io/", []string{"a=1; Domain=github.io"}, "https://a.github.io/", ""},
		{"suffix that is the host", "https://github.io/", []string{"a=1; Domain=github.io"}, "https://github.io/", "a=1"},
		{"suffix that is the host: host-only", "https://github.io/", []string{"a=1; Domain=github.io"}, "https://a.github.io/", ""},
		{"localhost is a suffix too", "http://localhost/", []string{"a=1; Domain=localhost"}, "http://a.localhost/", ""},

		{"IPv4", "http://10.0.0.1/", []string{"a=1"}, "http://10.0.0.1/", "a=1"},
		{"IPv4 as domain", "http://10.0.0.1/", []string{"a=1; Domain=10.0.0.1"}, "http://10.0.0.1/", "a=1"},
		{"IPv4 has no parent", "http://10.0.0.1/", []string{"a=1; Domain=0.0.1"}, "http://10.0.0.1/", ""},
		{"IPv4 has no subdomains", "http://10.0.0.1/", []string{"a=1; Domain=10.0.0.1"}, "http://x.10.0.0.1/", ""},
		{"IPv6 with and without port", "http://[2001:db8::1]:80/", []string{"a=1"}, "http://[2001:db8::1]/", "a=1"},
		{"IPv6 spelled otherwise", "http://[2001:DB8:0::1]/", []string{"a=1"}, "http://[2001:db8::1]/", "a=1"},

		{"ports do not matter", "https://example.com:8443/", []string{"a=1"}, "https://example.com/", "a=1"},
		{"case of the host", "https://EXAMPLE.com/", []string{"a=1"}, "https://example.COM/", "a=1"},
		{"trailing dot of the host", "https://example.com./", []string{"a=1"}, "https://example.com/", "a=1"},
		{"international host", "https://Bücher.example/", []string{"a=1"}, "https://xn--bcher-kva.example/", "a=1"},
		{"international domain in ASCII", "https://www.bücher.example/", []string{"a=1; Domain=xn--bcher-kva.example"}, "https://bücher.example/", "a=1"},
		{"underscore in the host", "http://auth_server:8080/", []string{"a=1"}, "http://auth_server/", "a=1"},
		{"other schemes set nothing", "ftp://example.com/", []string{"a=1"}, "https://example.com/", ""},
		{"other schemes get nothing", "https://example.com/", []string{"a=1"}, "ftp://example.com/", ""},
		{"no host", "https:///x", []string{"a=1"}, "https:///x", ""},

		{"default path is the folder", site, []string{"a=1"}, "https://www.example.com/auth", "a=1"},
		{"default path not above", site, []string{"a=1"}, "https://www.example.com/", ""},
		{"default path of the root", "https://example.com", []string{"a=1"}, "https://example.com/x/y", "a=1"},
		{"default path ends in a slash", "https://example.com/a/b/", []string{"a=1"}, "https://example.com/a/b", "a=1"},
		{"path without slash is none", site, []string{"a=1; Path=x"}, "https://www.example.com/auth/x", "a=1"},
		{"path too long is ignored", site, []string{"a=1; Path=/" + long}, "https://www.example.com/auth/x", "a=1"},
		{"default path too long", "https://example.com/" + long + "/x", []string{"a=1"}, "https://example.com/" + long + "/x", ""},
		{"path covers below", site, []string{"a=1; Path=/p"}, "https://www.example.com/p/q", "a=1"},
		{"path not beside", site, []string{"a=1; Path=/p"}, "https://www.example.com/pq", ""},
		{"path with slash", site, []string{"a=1; Path=/p/"}, "https://www.example.com/p/q", "a=1"},
		{"path with slash not itself", site, []string{"a=1; Path=/p/"}, "https://www.example.com/p", ""},
		{"path in upper case differs", site, []string{"a=1; Path=/P"}, "https://www.example.com/p", ""},
		{"path escaped as sent", site, []string{"a=1; Path=/caf%C3%A9"}, "https://www.example.com/café", "a=1"},
		{"escaped slash is no folder", site, []string{"a=1; Path=/p"}, "https://www.example.com/p%2Fq", ""},
		{"last path wins", site, []string{"a=1; Path=/p; Path=/q"}, "https://www.example.com/q", "a=1"},

		{"Secure over https", site, []string{"a=1; Secure; Path=/"}, "https://www.example.com/", "a=1"},
		{"Secure not over http", site, []string{"a=1; Secure; Path=/"}, "http://www.example.com/", ""},
		{"Secure not from http", "http://www.example.com/", []string{"a=1; Secure"}, "https://www.example.com/", ""},
		{"Secure on localhost", "http://localhost:3001/", []string{"a=1; Secure"}, "http://localhost:3001/", "a=1"},
		{"Secure below localhost, which is asked of the network", "http://api.localhost/", []string{"a=1; Secure"}, "http://api.localhost/", ""},
		{"Secure on 127.0.0.2", "http://127.0.0.2/", []string{"a=1; Secure"}, "http://127.0.0.2/", "a=1"},
		{"Secure on ::1", "http://[::1]:3001/", []string{"a=1; Secure"}, "http://[::1]/", "a=1"},
		{"Secure not on a name like localhost", "http://notlocalhost/", []string{"a=1; Secure"}, "http://notlocalhost/", ""},
		{"SameSite=None needs Secure", site, []string{"a=1; SameSite=None"}, site, ""},
		{"SameSite=None with Secure", site, []string{"a=1; SameSite=None; Secure"}, site, "a=1"},
		{"SameSite=Strict is its own site", site, []string{"a=1; SameSite=Strict"}, site, "a=1"},

		{"__Secure- with Secure", site, []string{"__Secure-a=1; Secure"}, site, "__Secure-a=1"},
		{"__Secure- without", site, []string{"__Secure-a=1"}, site, ""},
		{"__secure- in lower case", site, []string{"__secure-a=1"}, site, ""},
		{"__Host- as it must be", site, []string{"__Host-a=1; Secure; Path=/"}, site, "__Host-a=1"},
		{"__Host- without Secure", site, []string{"__Host-a=1; Path=/"}, site, ""},
		{"__Host- with Domain", site, []string{"__Host-a=1; Secure; Path=/; Domain=www.example.com"}, site, ""},
		{"__Host- elsewhere", site, []string{"__Host-a=1; Secure; Path=/auth"}, site, ""},
		{"__Host- with a default path", "https://example.com/", []string{"__Host-a=1; Secure"}, "https://example.com/", ""},
		{"__HOST- in upper case", site, []string{"__HOST-a=1; Path=/"}, site, ""},

		{"value in quotation marks", site, []string{`a="1 2"`}, site, `a="1 2"`},
		{"empty value", site, []string{"a="}, site, "a="},
		{"same cookie again", site, []string{"a=1", "b=2", "a=3"}, site, "a=3; b=2"},
		{"host-only and domain are two", site, []string{"a=1; Path=/", "a=2; Path=/; Domain=www.example.com"}, site, "a=1; a=2"},
		{"longer paths first", site, []string{"a=1; Path=/", "b=2; Path=/auth/login", "c=3; Path=/auth"}, site, "b=2; c=3; a=1"},

		{"Max-Age=0 deletes", site, []string{"a=1", "a=2; Max-Age=0"}, site, ""},
		{"negative Max-Age deletes", site, []string{"a=1", "a=; Max-Age=-1"}, site, ""},
		{"Max-Age wins over Expires", site, []string{"a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT"}, site, "a=1"},
		{"Expires deletes", site, []string{"a=1", "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"}, site, ""},
		{"Expires as some write it", site, []string{"a=1", "a=; Expires=Thursday, 1-Jan-70 00:00:00 GMT"}, site, ""},
		{"Expires that is no date", site, []string{"a=1; Expires=soon"}, site, "a=1"},
		{"deleting another path", site, []string{"a=1; Path=/", "a=; Path=/auth; Max-Age=0"}, site, "a=1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var j Jar
			setCookies(t, &j, tt.from, tt.set...)
			if got := cookieHeader(t, &j, tt.to); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestJarLeavesSecureCookiesAlone(t *testing.T) {
	for _, tt := range []struct {
		name, secure, from, plain string
		refused                   bool
	}{
		{"overwriting", "a=s; Secure; Path=/", "http://www.example.com/", "a=p", true},
		{"deleting", "a=s; Secure; Path=/", "http://www.example.com/", "a=; Max-Age=0", true},
		{"hiding by a longer path", "a=s; Secure; Path=/", "http://www.example.com/x", "a=p; Path=/x", true},
		{"hiding from a parent", "a=s; Secure; Path=/", "http://www.example.com/", "a=p; Domain=example.com", true},
		{"hiding from below", "a=s; Secure; Path=/; Domain=example.com", "http://b.example.com/", "a=p", true},
		{"another name", "a=s; Secure; Path=/", "http://www.example.com/", "b=p", false},
		{"a path above", "a=s; Secure; Path=/x", "http://www.example.com/", "a=p; Path=/", false},
		{"another host", "a=s; Secure; Path=/", "http://b.example.com/", "a=p", false},
		{"over https", "a=s; Secure; Path=/", "https://www.example.com/", "a=p", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var j Jar
			setCookies(t, &j, "https://www.example.com/", tt.secure)
			before := j.All()
			setCookies(t, &j, tt.from, tt.plain)
			if refused := reflect.DeepEqual(j.All(), before); refused != tt.refused {
				t.Errorf("refused: %v, want %v", refused, tt.refused)
			}
		})
	}
}

func TestJarRefusesWhatCannotBeSent(t *testing.T) {
	half := strings.Repeat("x", maxNameAndValue/2)
	for _, tt := range []struct {
		name   string
		cookie *http.Cookie
		want   int
	}{
		{"nil", nil, 0},
		{"no name", &http.Cookie{Value: "1"}, 0},
		{"control character in the name", &http.Cookie{Name: "a\r\nb", Value: "1"}, 0},
		{"equals sign in the name", &http.Cookie{Name: "a=b", Value: "1"}, 0},
		{"control character in the value", &http.Cookie{Name: "a", Value: "1\x00"}, 0},
		{"line end in the value", &http.Cookie{Name: "a", Value: "1\nSet-Cookie: b=2"}, 0},
		{"semicolon in the value", &http.Cookie{Name: "a", Value: "1; b=2"}, 0},
		{"no UTF-8 in the name", &http.Cookie{Name: "a\xff", Value: "1"}, 0},
		{"control character in the path", &http.Cookie{Name: "a", Value: "1", Path: "/\x7f"}, 0},
		{"international domain in Unicode", &http.Cookie{Name: "a", Value: "1", Domain: "bücher.example"}, 0},
		{"as large as may be", &http.Cookie{Name: half, Value: half}, 1},
		{"too large", &http.Cookie{Name: half, Value: half + "x"}, 0},
		{"too large with its quotation marks", &http.Cookie{Name: half, Value: half, Quoted: true}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var j Jar
			j.SetCookies(jarURL(t, "https://www.bücher.example/"), []*http.Cookie{tt.cookie})
			if got := len(j.All()); got != tt.want {
				t.Errorf("%d cookies, want %d", got, tt.want)
			}
		})
	}
}
