package acceptance

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/endpoint"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
	"github.com/silentrefresh/silentrefresh/internal/origin"
)

func TestF46_TheTokenStaysWithItsOrigins(t *testing.T) {
	var mu sync.Mutex
	var leaked []string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if strings.Contains(fmt.Sprint(r.Header), "secret") {
			leaked = append(leaked, r.URL.Path)
		}
		w.WriteHeader(401)
	}))
	defer other.Close()
	as := &fakes.Server{}
	ours := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer access-secret") {
			w.WriteHeader(401)
			return
		}
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, other.URL+"/landed", http.StatusTemporaryRedirect)
		case "/here":
			http.Redirect(w, r, "/me", http.StatusFound)
		}
	}))
	defer ours.Close()
	c := clientOf(t, as, func(cfg *silentrefresh.Config) { cfg.BaseURL, cfg.Base = ours.URL, nil })
	for path, want := range map[string]int{"/me": 200, "/here": 200, "/away": 401} {
		resp, err := c.HTTPClient().Get(ours.URL + path)
		if err != nil || resp.StatusCode != want {
			t.Errorf("%s: %v, %v; want %d", path, resp, err, want)
			continue
		}
		resp.Body.Close()
	}
	if len(leaked) > 0 {
		t.Errorf("the other server got the token at %v", leaked)
	}
	if _, refreshes, _ := as.Counts(); refreshes != 0 {
		t.Errorf("a foreign 401 refreshed %d times", refreshes)
	}
}

func TestF47_PlainHTTPNeedsConsent(t *testing.T) {
	for _, test := range []struct {
		base    string
		origins []string
		ok      bool
	}{
		{"https://api.example.com", nil, true},
		{"http://api.example.com", nil, false},
		{"http://api.example.com", []string{"http://api.example.com"}, true},
		{"http://API.example.com:80/", []string{"http://api.example.com"}, true},
		{"http://api.example.com", []string{"https://api.example.com"}, false},
		{"http://localhost:8080", nil, true},
		{"http://app.localhost", nil, false},
		{"http://127.0.0.1:1", nil, true},
		{"http://[::1]:1", nil, true},
		{"http://127.0.0.1.example.com", nil, false},
		{"http://localhost.example.com", nil, false},
		{"http://10.0.0.1", nil, false},
	} {
		_, err := silentrefresh.New(silentrefresh.Config{BaseURL: test.base, Origins: test.origins})
		if (err == nil) != test.ok {
			t.Errorf("BaseURL %s with Origins %q: %v", test.base, test.origins, err)
		}
		if err != nil && !strings.Contains(err.Error(), `plain http would expose it; use https, or list "http://`) {
			t.Errorf("the error does not say what to do: %v", err)
		}
	}
}

func TestF47_ConsentToPlainHTTPIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		var warnings []string
		c := clientOf(t, as, func(cfg *silentrefresh.Config) {
			cfg.Origins = []string{"http://billing.svc:8080", "https://files.example.com", "http://localhost:8080"}
			cfg.Observe = func(ev silentrefresh.Event) {
				if ev.Kind == silentrefresh.EventWarning {
					warnings = append(warnings, ev.Err.Error())
				}
			}
		})
		for range 3 {
			if resp, err := c.HTTPClient().Get("http://billing.svc:8080/b"); err != nil || resp.StatusCode != 200 {
				t.Errorf("the token does not get there: %v, %v", resp, err)
			}
		}
		synctest.Wait()
		if len(warnings) != 1 || !strings.Contains(warnings[0], "to http://billing.svc:8080 unencrypted") {
			t.Errorf("warnings %q, want one about billing.svc", warnings)
		}
	})
}

func TestF58_OriginsAreComparedInOneSpelling(t *testing.T) {
	listed := func(s string) origin.List {
		o, err := origin.Parse(s)
		if err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		return origin.List{o}
	}
	for _, test := range []struct {
		listed, url string
		same        bool
	}{
		{"https://api.example.com", "https://API.Example.COM/x", true},
		{"https://api.example.com", "https://api.example.com:443/x", true},
		{"https://api.example.com:443", "https://api.example.com/x", true},
		{"https://api.example.com", "https://api.example.com./x", true},
		{"https://api.example.com", "HTTPS://api.example.com/x", true},
		{"https://api.example.com", "https://api.example.com:8443/x", false},
		{"https://api.example.com", "http://api.example.com/x", false},
		{"https://api.example.com", "https://example.com/x", false},
		{"https://api.example.com", "https://api.example.com.evil.example/x", false},
		{"https://bücher.example", "https://xn--bcher-kva.example/", true},
		{"https://xn--bcher-kva.example", "https://BÜCHER.example/", true},
		{"http://[::1]:8080", "http://[0:0:0:0:0:0:0:1]:8080/", true},
		{"http://[::1]", "http://[::1]:80/", true},
		{"http://127.0.0.1:80", "http://127.0.0.1/", true},
		{"http://my_host:80", "http://my_host/", true},
	} {
		u, err := url.Parse(test.url)
		if err != nil {
			t.Fatal(err)
		}
		if got := listed(test.listed).Has(u); got != test.same {
			t.Errorf("%s listed, request to %s: %v", test.listed, test.url, got)
		}
	}
}

func TestF58_AnUnlistedOriginIsNamedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		var warnings []string
		c := clientOf(t, as, func(cfg *silentrefresh.Config) {
			cfg.Observe = func(ev silentrefresh.Event) {
				if ev.Kind == silentrefresh.EventWarning {
					warnings = append(warnings, ev.Err.Error())
				}
			}
		})
		for range 3 {
			for _, u := range []string{"https://files.example.com/a", "http://billing.svc:8080/b"} {
				if resp, err := c.HTTPClient().Get(u); err != nil || resp.StatusCode != 401 {
					t.Errorf("%v, %v", resp, err)
				}
			}
		}
		synctest.Wait()
		want := []string{
			`token not sent to https://files.example.com: it is not among the origins that get it; if it should be, list "https://files.example.com" in Origins`,
			`token not sent to http://billing.svc:8080: plain http would expose it; use https, or list "http://billing.svc:8080" in Origins`,
		}
		if strings.Join(warnings, "\n") != strings.Join(want, "\n") {
			t.Errorf("warnings:\n%s", strings.Join(warnings, "\n"))
		}
	})
}

func TestConfigNamesEveryMistake(t *testing.T) {
	_, err := silentrefresh.New(silentrefresh.Config{
		BaseURL: "ftp://files.example.com", Origins: []string{"https://a.example/path", "::", "https://user:hunter2@b.example"},
		Timeout: -1, MaxExchanges: -1, RejectedStatus: []int{200}, Name: "a|b", HandOutHeader: "no good",
		Attach: auth.Attach{Header: "a b"}, Endpoint: endpoint.Settings{Login: endpoint.Call{Method: "BREW"}},
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range []string{"BaseURL", "ftp", "a.example", `"::"`, "b.example", "Timeout", "MaxExchanges", "RejectedStatus", "Name", "HandOutHeader", "attach.header", "login.method"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("nothing about %s in: %v", part, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a password in: %v", err)
	}
	for base, part := range map[string]string{"": "missing", "https://": "host", "api.example.com": "neither https", "localhost:8080": "neither https", "127.0.0.1:8080": "neither https", "https://a.example?x=1": "query"} {
		if _, err := silentrefresh.New(silentrefresh.Config{BaseURL: base}); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("BaseURL %q: %v", base, err)
		}
	}
}
