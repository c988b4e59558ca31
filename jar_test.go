package silentrefresh

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
	"weak"

	"github.com/silentrefresh/silentrefresh/internal/wall"
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

// answered gives j the Set-Cookie lines as net/http reads them off an answer to a request for raw.
func answered(tb testing.TB, j *Jar, raw string, lines ...string) {
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

func TestJarAnswers(t *testing.T) {
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
		{"Secure below localhost", "http://api.localhost/", []string{"a=1; Secure"}, "http://api.localhost/", "a=1"},
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
			answered(t, &j, tt.from, tt.set...)
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
			answered(t, &j, "https://www.example.com/", tt.secure)
			before := j.All()
			answered(t, &j, tt.from, tt.plain)
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
		{"no UTF-8 in the value", &http.Cookie{Name: "a", Value: "\xff"}, 0},
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

func TestJarForgetsWhatExpires(t *testing.T) {
	const site = "https://example.com/"
	synctest.Test(t, func(t *testing.T) {
		var j Jar
		in90 := wall.Now().Add(90 * time.Second).UTC().Format(http.TimeFormat)
		answered(t, &j, site, "session=1", "age=2; Max-Age=60", "date=3; Expires="+in90, "both=4; Max-Age=120; Expires="+in90)
		for _, step := range []struct {
			sleep time.Duration
			want  string
		}{
			{59 * time.Second, "session=1; age=2; date=3; both=4"},
			{time.Second, "session=1; date=3; both=4"},
			{30 * time.Second, "session=1; both=4"},
			{30 * time.Second, "session=1"},
			{10 * 365 * 24 * time.Hour, "session=1"},
		} {
			time.Sleep(step.sleep)
			if got := cookieHeader(t, &j, site); got != step.want {
				t.Errorf("after another %v: %q, want %q", step.sleep, got, step.want)
			}
			if got := len(j.All()); got != strings.Count(step.want, "=") {
				t.Errorf("after another %v: All has %d cookies, want %q", step.sleep, got, step.want)
			}
		}
		answered(t, &j, site, "new=1")
		if got := len(j.cookies); got != 2 {
			t.Errorf("%d cookies in memory: what has expired should be gone", got)
		}
	})
}

func TestJarForgetsWhileTheMachineSleeps(t *testing.T) {
	var j Jar
	answered(t, &j, "https://example.com/", "a=1; Max-Age=60")
	wall.Sleep(time.Hour)
	defer wall.Sleep(-time.Hour)
	if got := cookieHeader(t, &j, "https://example.com/"); got != "" {
		t.Errorf("%q is sent an hour later", got)
	}
}

func TestJarKeepsNothingLongerThan400Days(t *testing.T) {
	const day = 24 * time.Hour
	synctest.Test(t, func(t *testing.T) {
		limit := wall.Now().Add(400 * day)
		far := time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC)
		jars := map[string]*Jar{
			"Max-Age": {}, "Expires": {}, "brought": NewJar(Cookie{Name: "a", Domain: "example.com", Expires: far}),
		}
		answered(t, jars["Max-Age"], "https://example.com/", fmt.Sprintf("a=1; Max-Age=%d", math.MaxInt))
		answered(t, jars["Expires"], "https://example.com/", "a=1; Expires="+far.Format(http.TimeFormat))
		for name, j := range jars {
			if got := j.All()[0].Expires; !got.Equal(limit) {
				t.Errorf("%s: expires %v, want %v", name, got, limit)
			}
		}
		limit = wall.Now().Add(399 * day)
		j := &Jar{}
		answered(t, j, "https://example.com/", "a=1; Max-Age="+fmt.Sprint(399*24*3600))
		if got := j.All()[0].Expires; !got.Equal(limit) {
			t.Errorf("below the limit: expires %v, want %v", got, limit)
		}
	})
}

func TestJarKeepsTheOrderOfCreation(t *testing.T) {
	const site = "https://example.com/"
	synctest.Test(t, func(t *testing.T) {
		var j Jar
		answered(t, &j, site, "a=1", "b=2")
		answered(t, &j, site, "c=3")
		created := j.All()[0].Created
		time.Sleep(time.Minute)
		answered(t, &j, site, "a=4", "d=5")
		if got, want := cookieHeader(t, &j, site), "a=4; b=2; c=3; d=5"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		c, ok := j.get(jarURL(t, site), "a")
		if !ok || c.Value.Reveal() != "4" || !c.Created.Equal(created) {
			t.Errorf("a=%q created %v, want the time of its first setting, %v", c.Value.Reveal(), c.Created, created)
		}
		if last := j.All()[3].Name; last != "d" {
			t.Errorf("All ends with %s, not with what was set last", last)
		}
	})
}

func cookieNames(cookies []Cookie) string {
	var s []string
	for _, c := range cookies {
		s = append(s, c.Name)
	}
	return strings.Join(s, " ")
}

func TestJarMakesRoom(t *testing.T) {
	t.Run("of one domain", func(t *testing.T) {
		var j Jar
		for i := range 50 {
			answered(t, &j, "https://example.com/", fmt.Sprintf("c%d=1", i))
		}
		answered(t, &j, "https://example.org/", "other=1")
		answered(t, &j, "https://example.com/", "c0=again", "new=1")
		got := cookieNames(j.All())
		if len(j.All()) != 51 || strings.Contains(got, "c1 ") || !strings.Contains(got, "c0 new") {
			t.Errorf("c1 was set least recently and should have made room: %s", got)
		}
	})
	t.Run("Secure ones last", func(t *testing.T) {
		var j Jar
		answered(t, &j, "https://example.com/", "refresh=1; Secure")
		for i := range 200 {
			answered(t, &j, "http://example.com/", fmt.Sprintf("c%d=1", i))
		}
		if _, ok := j.get(jarURL(t, "https://example.com/"), "refresh"); !ok || len(j.All()) != 50 {
			t.Errorf("a flood over http drove the Secure cookie out: %s", cookieNames(j.All()))
		}
	})
	t.Run("of all", func(t *testing.T) {
		var j Jar
		for i := range 200 {
			answered(t, &j, fmt.Sprintf("https://h%d.example.com/", i), "a=1")
		}
		if all := j.All(); len(all) != 180 || all[0].Domain != "h20.example.com" {
			t.Errorf("%d cookies, the first of %s", len(all), all[0].Domain)
		}
	})
}

func TestJarWithstandsFloods(t *testing.T) {
	var cookies []*http.Cookie
	for i := range 10_000 {
		cookies = append(cookies, &http.Cookie{Name: fmt.Sprintf("c%d", i), Value: strings.Repeat("x", 2000)})
	}
	cookies = append(cookies, &http.Cookie{Name: "huge", Value: strings.Repeat("x", 16<<20)},
		&http.Cookie{Name: "domain", Domain: strings.Repeat("x.", 8<<20)},
		&http.Cookie{Name: "date", RawExpires: strings.Repeat("1:", 8<<20)})
	var j Jar
	j.SetCookies(jarURL(t, "https://example.com/"), cookies)
	size := 0
	for _, c := range j.cookies {
		size += len(c.Name) + len(c.Value.Reveal()) + len(c.Domain) + len(c.Path)
	}
	if len(j.cookies) != 50 || size > 50*maxNameAndValue || cap(j.cookies) > 2*maxCookies {
		t.Errorf("%d cookies of %d bytes, room for %d", len(j.cookies), size, cap(j.cookies))
	}
	if _, ok := j.get(jarURL(t, "https://example.com/"), "huge"); ok {
		t.Error("a cookie of 16 MB was kept")
	}
}

// A cookie is a few bytes of an answer that may have megabytes: holding it must not hold the answer.
func TestJarDoesNotHoldTheAnswer(t *testing.T) {
	var j Jar
	line := "a=1; Path=/; junk=" + strings.Repeat("x", 1<<20)
	whole := weak.Make(unsafe.StringData(line))
	answered(t, &j, "https://example.com/", line)
	line = ""
	runtime.GC()
	runtime.GC()
	if whole.Value() != nil {
		t.Error("the line of 1 MB is still in memory")
	}
	if got := cookieHeader(t, &j, "https://example.com/"); got != "a=1" {
		t.Errorf("got %q", got)
	}
}

func TestJarIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(Jar{}); size > 32 {
		t.Errorf("an empty jar has %d bytes: 100,000 idle sessions have one each", size)
	}
	if size := unsafe.Sizeof(Cookie{}); size > 144 {
		t.Errorf("a cookie has %d bytes", size)
	}
}

func TestJarIsSafeForConcurrentUse(t *testing.T) {
	var j Jar
	u := jarURL(t, "https://example.com/")
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			<-start
			for n := range 50 {
				j.SetCookies(u, []*http.Cookie{{Name: fmt.Sprint("c", i), Value: fmt.Sprint(n)}})
				before := j.clone()
				restoreDeleted(before, &j)
				if c, ok := j.get(u, fmt.Sprint("c", i)); !ok || c.Value.IsZero() {
					t.Errorf("c%d is gone", i)
				}
				j.Cookies(u)
			}
		})
	}
	close(start)
	wg.Wait()
	if got := len(j.All()); got != 8 {
		t.Errorf("%d cookies, want 8", got)
	}
}

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
