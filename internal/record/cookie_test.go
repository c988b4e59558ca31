package record

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

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/wall"
	"golang.org/x/net/publicsuffix"
)

// reread writes the cookies of j down as the store's record does, and reads them back.
func reread(tb testing.TB, j *auth.Jar) *auth.Jar {
	tb.Helper()
	b, err := json.Marshal(EncodeCookies(j.All()))
	if err != nil {
		tb.Fatal(err)
	}
	var records []Cookie
	if err := json.Unmarshal(b, &records); err != nil {
		tb.Fatal(err)
	}
	return auth.NewJar(DecodeCookies(records)...)
}

// cookieDifference describes the first cookie that is not the same, "" if all are.
func cookieDifference(got, want []auth.Cookie) string {
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
	c := auth.Cookie{
		Name: "a", Value: auth.NewSecret("1 2"), Quoted: true, Domain: "example.com", HostOnly: true, Path: "/<p>",
		Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Expires: wall.Now().Add(time.Hour).UTC(), Created: wall.Now().UTC(),
	}
	for f, v := 0, reflect.ValueOf(c); f < v.NumField(); f++ {
		if v.Field(f).IsZero() {
			t.Fatalf("the test leaves %s out", v.Type().Field(f).Name)
		}
	}
	if got := reread(t, auth.NewJar(c)).All(); len(got) != 1 || !reflect.DeepEqual(got[0], c) {
		t.Errorf("got %+v, want %+v", got, c)
	}
}

// What JSON cannot have must not make a session unsaveable.
func TestCookieRecordOfOddTimes(t *testing.T) {
	for _, odd := range []time.Time{
		time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(2030, 1, 1, 0, 0, 0, 0, time.FixedZone("odd", 3661)), time.Unix(0, 0), time.Now(),
	} {
		b, err := json.Marshal(EncodeCookies([]auth.Cookie{{Name: "a", Expires: odd, Created: odd}}))
		if err != nil {
			t.Errorf("%v: %v", odd, err)
			continue
		}
		var records []Cookie
		if err := json.Unmarshal(b, &records); err != nil {
			t.Fatal(err)
		}
		now := time.Now().AddDate(0, 0, -1)
		if c := DecodeCookies(records)[0]; c.Expires.After(now) != odd.After(now) || c.Expires.IsZero() {
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
			"127.0.0.1", "10.0.0.1:80", "localhost", "localhost:8080", "[2001:db8::1]:80"),
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

// Where the older RFC and the newer one agree, so do the two jars, in every response.
func TestJarAgreesWithNetHTTP(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		synctest.Test(t, func(t *testing.T) {
			theirs, err := cookiejar.New(&cookiejar.Options{PublicSuffixList: publicsuffix.List})
			if err != nil {
				t.Fatal(err)
			}
			var ours auth.Jar
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
			first := &auth.Jar{}
			second := &auth.Jar{}
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

// The reader takes any bytes without a panic, and what it made of them it can write down and read again.
func FuzzCookieRecords(f *testing.F) {
	for _, seed := range []string{
		`[]`, `null`, `[{"n":"a","v":"1","d":"example.com","h":true,"p":"/"}]`,
		`[{"n":"a","v":"1","d":".Example.com.","p":"x","e":"2001-01-01T00:00:00Z","c":"1999-01-01T00:00:00.5+01:00"}]`,
		`[{"n":"__Host-a","v":"1","s":true,"ss":4},{"n":"a","q":true,"v":" ","d":"bücher.example","h":true}]`,
		`[{"n":"a","d":"co.uk"},{"n":"a","d":"10.0.0.1"},{"n":"a","d":"::1%x"},{"n":"a","d":".."},{"n":"a","d":"xn--a"}]`,
		`[{"n":"a","d":"example.com","c":"0001-01-01T00:00:00Z"},{"n":"a","d":"example.com","e":"9999-12-31T23:59:59.9Z"}]`,
		`[{"n":"a\n","v":"\u0000","d":"\ud800","p":"/;"}]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var records []Cookie
		if json.Unmarshal(b, &records) != nil {
			return
		}
		synctest.Test(t, func(t *testing.T) { // where no cookie expires between two looks
			first := auth.NewJar(DecodeCookies(records)...)
			second := reread(t, first)
			if d := cookieDifference(second.All(), first.All()); d != "" {
				t.Fatal(d)
			}
			for _, c := range first.All() {
				for _, scheme := range []string{"http", "https"} {
					for _, host := range []string{c.Domain, "x." + c.Domain, "[" + c.Domain + "]"} {
						u := &url.URL{Scheme: scheme, Host: host, Path: c.Path + "/x"}
						set := []*http.Cookie{{Name: c.Name, Value: "new"}}
						first.SetCookies(u, set)
						second.SetCookies(u, set)
						if got, want := jarSends(second, u), jarSends(first, u); got != want {
							t.Fatalf("%v gets %q, want %q", u, got, want)
						}
					}
				}
			}
		})
	})
}
