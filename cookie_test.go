package silentrefresh

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/cookiedate"
	"github.com/silentrefresh/silentrefresh/internal/wall"
	"golang.org/x/net/publicsuffix"
)

func TestCookieAt(t *testing.T) {
	u := jarURL(t, "https://API.example.com:8443/v1/x")
	created := time.Date(2020, 1, 2, 3, 4, 5, 6, time.UTC)
	synctest.Test(t, func(t *testing.T) {
		now := wall.Now().UTC()
		for _, tt := range []struct{ in, want Cookie }{
			{Cookie{Name: "a"}, Cookie{Name: "a", Domain: "api.example.com", HostOnly: true, Path: "/", Created: now}},
			{Cookie{Domain: "example.com", Path: "/p", Created: created}, Cookie{Domain: "example.com", Path: "/p", Created: created}},
			{Cookie{Path: "/p"}, Cookie{Domain: "api.example.com", HostOnly: true, Path: "/p", Created: now}},
		} {
			if got := tt.in.at(u); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		}
		if got := cookieHeader(t, NewJar(Cookie{Name: "a", Value: NewSecret("1")}.at(u)), "https://api.example.com/"); got != "a=1" {
			t.Errorf("got %q", got)
		}
	})
}

func TestCookieDate(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z"},
		{"Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37Z"},
		{"Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37Z"},
		{"6 Nov 2026 8:9:7", "2026-11-06T08:09:07Z"},
		{"Thu Jan 01 1970 00:00:00 GMT+0100 (CET)", "1970-01-01T00:00:00Z"},
		{"1 JANUARY 69 23:59:59", "2069-01-01T23:59:59Z"},
		{"1 jan 70 0:0:0", "1970-01-01T00:00:00Z"},
		{"10:20:30x 29th feb,2024", "2024-02-29T10:20:30Z"},
		{"29 Feb 2023 10:20:30", ""},
		{"31 Apr 2024 10:20:30", ""},
		{"0 Jan 2024 10:20:30", ""},
		{"32 Jan 2024 10:20:30", ""},
		{"1 Jan 1600 10:20:30", ""},
		{"1 Jan 2024 24:00:00", ""},
		{"1 Jan 2024 10:60:00", ""},
		{"1 Jan 2024 10:00:60", ""},
		{"1 Jan 2024 10:00", ""},
		{"1 Jan 2024 10x:00:00", ""},
		{"1 Jan 2024 :10:00", ""},
		{"1 Jan 2024", ""},
		{"1 anf 2024 10:00:00", ""},
		{"Jan 2024 10:00:00", ""},
		{"1 Jan 12345 10:00:00", ""},
		{"2024-01-01T10:00:00Z", ""},
		{"soon", ""},
		{"", ""},
		{strings.Repeat(" ", maxAttribute) + "1 Jan 2024 10:00:00", ""},
	} {
		got := ""
		if d := cookiedate.Parse(tt.in); !d.IsZero() {
			got = d.Format(time.RFC3339)
		}
		if got != tt.want {
			t.Errorf("%q is %q, want %q", tt.in, got, tt.want)
		}
	}
}

// Both read the date of RFC 9110 and its two obsolete forms alike.
func TestCookieDateAgreesWithNetHTTP(t *testing.T) {
	for i := range 1000 {
		day := time.Unix(int64(i)*2_345_678, 0).UTC()
		for _, layout := range []string{http.TimeFormat, time.ANSIC, "Mon, 02-Jan-2006 15:04:05 GMT"} {
			if got := cookiedate.Parse(day.Format(layout)); !got.Equal(day) {
				t.Fatalf("%q is %v", day.Format(layout), got)
			}
		}
	}
}

// reread writes the cookies of j down as the store's record does, and reads them back.
func reread(tb testing.TB, j *Jar) *Jar {
	tb.Helper()
	b, err := json.Marshal(encodeCookies(j.All()))
	if err != nil {
		tb.Fatal(err)
	}
	var records []cookieRecord
	if err := json.Unmarshal(b, &records); err != nil {
		tb.Fatal(err)
	}
	return NewJar(decodeCookies(records)...)
}

// cookieDifference describes the first cookie that is not the same, "" if all are.
func cookieDifference(got, want []Cookie) string {
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

func TestCookieRecordHasEveryAttribute(t *testing.T) {
	c := Cookie{
		Name: "a", Value: NewSecret("1 2"), Quoted: true, Domain: "example.com", HostOnly: true, Path: "/<p>",
		Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Expires: wall.Now().Add(time.Hour).UTC(), Created: wall.Now().UTC(),
	}
	for f, v := 0, reflect.ValueOf(c); f < v.NumField(); f++ {
		if v.Field(f).IsZero() {
			t.Fatalf("the test leaves %s out", v.Type().Field(f).Name)
		}
	}
	if got := reread(t, NewJar(c)).All(); len(got) != 1 || !reflect.DeepEqual(got[0], c) {
		t.Errorf("got %+v, want %+v", got, c)
	}
}

// What JSON cannot have must not make a session unsaveable.
func TestCookieRecordOfOddTimes(t *testing.T) {
	for _, odd := range []time.Time{
		time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(2030, 1, 1, 0, 0, 0, 0, time.FixedZone("odd", 3661)), time.Unix(0, 0), time.Now(),
	} {
		b, err := json.Marshal(encodeCookies([]Cookie{{Name: "a", Expires: odd, Created: odd}}))
		if err != nil {
			t.Errorf("%v: %v", odd, err)
			continue
		}
		var records []cookieRecord
		if err := json.Unmarshal(b, &records); err != nil {
			t.Fatal(err)
		}
		now := time.Now().AddDate(0, 0, -1)
		if c := decodeCookies(records)[0]; c.live(now) != odd.After(now) || c.Expires.IsZero() {
			t.Errorf("%v came back as %v", odd, c.Expires)
		}
	}
}

// oneOf returns one of s.
func oneOf[T any](r *rand.Rand, s ...T) T { return s[r.IntN(len(s))] }

func randomURL(r *rand.Rand) *url.URL {
	return &url.URL{
		Scheme: oneOf(r, "http", "https"),
		Host: oneOf(r, "example.com", "www.example.com", "a.www.example.com", "WWW.example.com:8443", "example.com.",
			"example.org", "foo.co.uk", "bar.foo.co.uk", "co.uk", "github.io", "x.github.io", "bücher.example",
			"127.0.0.1", "10.0.0.1:80", "localhost", "a.localhost", "[2001:db8::1]:80"),
		Path: oneOf(r, "", "/", "/a", "/a/b", "/a/b/c", "/ab"),
	}
}

// randomCookie returns a cookie about which RFC 6265 (net/http/cookiejar) and RFC 6265bis agree: names tell host-only
// from domain cookies, and Secure ones from others, so that these never meet.
func randomCookie(r *rand.Rand, u *url.URL) *http.Cookie {
	c := &http.Cookie{
		Name: oneOf(r, "a", "b"), Value: fmt.Sprint(r.IntN(100)), Quoted: r.IntN(4) == 0,
		Path:   oneOf(r, "", "/", "/a", "/a/b", "x"),
		MaxAge: oneOf(r, 0, 0, 0, 60, 3600, -1),
		Secure: u.Scheme == "https" && r.IntN(2) == 0, HttpOnly: r.IntN(2) == 0,
		SameSite: oneOf(r, 0, http.SameSiteDefaultMode, http.SameSiteLaxMode, http.SameSiteStrictMode),
	}
	if r.IntN(2) == 0 {
		c.Name += "-domain"
		c.Domain = oneOf(r, "example.com", ".example.com", "WWW.example.com", "example.com.", "com", "co.uk", "foo.co.uk",
			"github.io", "x.github.io", "xn--bcher-kva.example", "127.0.0.1", "0.0.1", "localhost", "2001:db8::1")
	}
	if c.Secure {
		c.Name += "-secure"
	}
	switch r.IntN(6) {
	case 0:
		c.Expires = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)
	case 1:
		c.Expires = time.Date(2990, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return c
}

func randomCookies(r *rand.Rand, u *url.URL) []*http.Cookie {
	var cookies []*http.Cookie
	for range 1 + r.IntN(3) {
		cookies = append(cookies, randomCookie(r, u))
	}
	return cookies
}

func jarSends(j http.CookieJar, u *url.URL) string {
	var s []string
	for _, c := range j.Cookies(u) {
		s = append(s, c.String())
	}
	return strings.Join(s, "; ")
}

// Where the older RFC and the newer one agree, so do the two jars, in every answer.
func TestJarAgreesWithNetHTTP(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		synctest.Test(t, func(t *testing.T) {
			theirs, err := cookiejar.New(&cookiejar.Options{PublicSuffixList: publicsuffix.List})
			if err != nil {
				t.Fatal(err)
			}
			var ours Jar
			sent := 0
			for range 40 {
				u := randomURL(r)
				cookies := randomCookies(r, u)
				ours.SetCookies(u, cookies)
				theirs.SetCookies(u, cookies)
				time.Sleep(time.Duration(r.IntN(120)) * time.Second)
				for range 10 {
					u := randomURL(r)
					got, want := jarSends(&ours, u), jarSends(theirs, u)
					if got != want {
						t.Fatalf("seed %d: %v gets %q, net/http/cookiejar sends %q", seed, u, got, want)
					}
					sent += len(got)
				}
			}
			if sent == 0 {
				t.Fatalf("seed %d: not one cookie was sent", seed)
			}
		})
	}
}

// A jar that is written down and read back at any moment is the same jar: now, later, and for what is set next.
func TestJarComesBackAsItWas(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 2))
		synctest.Test(t, func(t *testing.T) {
			first := &Jar{}
			second := &Jar{}
			for range 60 {
				u := randomURL(r)
				cookies := append(randomCookies(r, u), &http.Cookie{
					Name:  oneOf(r, "__Host-", "__secure-", "c", "d", "e") + fmt.Sprint(r.IntN(30)),
					Value: oneOf(r, "", "1 2", "<&>", "%00"), Secure: r.IntN(2) == 0, Path: oneOf(r, "/", "/a b"),
					SameSite: oneOf(r, http.SameSiteNoneMode, http.SameSiteLaxMode), MaxAge: oneOf(r, 0, 1<<30),
				})
				first.SetCookies(u, cookies)
				second.SetCookies(u, cookies)
				second = reread(t, second)
				time.Sleep(time.Duration(r.IntN(100_000)) * time.Millisecond)
				if d := cookieDifference(second.All(), first.All()); d != "" {
					t.Fatalf("seed %d: %s", seed, d)
				}
				u = randomURL(r)
				if got, want := jarSends(second, u), jarSends(first, u); got != want {
					t.Fatalf("seed %d: %v gets %q, want %q", seed, u, got, want)
				}
			}
		})
	}
}
