package silentrefresh

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
)

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
		var records []cookieRecord
		if json.Unmarshal(b, &records) != nil {
			return
		}
		synctest.Test(t, func(t *testing.T) { // where no cookie expires between two looks
			first := NewJar(decodeCookies(records)...)
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
