package dashboard

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
)

// A fake is a session that is logged out at most once.
type fake struct {
	logouts int
	fails   error
}

func (f *fake) dashboard() *Dashboard {
	return New(Session{
		State: func() State {
			return State{Status: silentrefresh.Status{State: silentrefresh.StateLoggedIn, Name: "default"}, BaseURL: "https://api.example.com"}
		},
		Logout: func(context.Context) error {
			f.logouts++
			return f.fails
		},
	})
}

// request is one of a program on this machine, with headers as "Name: value".
func request(method, path string, headers ...string) *http.Request {
	req := httptest.NewRequest(method, "http://127.0.0.1:8090"+path, nil)
	req.RemoteAddr = "127.0.0.1:40000"
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Set(name, value)
	}
	return req
}

func (d *Dashboard) do(req *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	d.ServeHTTP(w, req)
	return w
}

// tokenOf is the token in a page.
func tokenOf(t *testing.T, d *Dashboard) string {
	t.Helper()
	w := d.do(request("GET", Path, "Sec-Fetch-Dest: document", "Sec-Fetch-Site: none"))
	found := regexp.MustCompile(`name="token" content="(\w{20,})"`).FindStringSubmatch(w.Body.String())
	if w.Code != http.StatusOK || found == nil {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	return found[1]
}

func TestPage(t *testing.T) {
	f := &fake{}
	d := f.dashboard()
	known := TokenHeader + ": " + tokenOf(t, d)
	w := d.do(request("GET", Path+"state", known))
	var got State
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.State != silentrefresh.StateLoggedIn || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d %s: %v", w.Code, w.Body, err)
	}
	if w := d.do(request("POST", Path+"logout", known, "Origin: http://127.0.0.1:8090", "Sec-Fetch-Site: same-origin")); w.Code != http.StatusNoContent || f.logouts != 1 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	f.fails = errors.New("the server is away")
	if w := d.do(request("POST", Path+"logout", known)); w.Code != http.StatusBadGateway || !strings.Contains(w.Body.String(), "the server is away") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestNobodyElse: neither pages of other origins, nor scripts that came through the proxy, nor other machines see the
// page or log out.
func TestNobodyElse(t *testing.T) {
	f := &fake{}
	d := f.dashboard()
	known := TokenHeader + ": " + tokenOf(t, d)
	remote := request("GET", Path)
	remote.RemoteAddr = "192.0.2.7:40000"
	odd := request("GET", Path)
	odd.RemoteAddr = "@"
	for name, req := range map[string]*http.Request{
		"no token":                   request("POST", Path+"logout"),
		"a wrong token":              request("POST", Path+"logout", TokenHeader+": x"),
		"a logout by GET":            request("GET", Path+"logout", known),
		"another origin":             request("POST", Path+"logout", known, "Origin: https://evil.example"),
		"another port":               request("POST", Path+"logout", known, "Origin: http://127.0.0.1:8091"),
		"no origin":                  request("POST", Path+"logout", known, "Origin: null"),
		"another site":               request("POST", Path+"logout", known, "Sec-Fetch-Site: cross-site"),
		"another site's neighbour":   request("POST", Path+"logout", known, "Sec-Fetch-Site: same-site"),
		"the state without a token":  request("GET", Path+"state"),
		"a script that reads a page": request("GET", Path, "Sec-Fetch-Dest: empty", "Sec-Fetch-Site: same-origin"),
		"a frame":                    request("GET", Path, "Sec-Fetch-Dest: iframe", "Sec-Fetch-Site: same-origin"),
		"another machine":            remote,
		"no address":                 odd,
		"a proxy of this machine":    request("GET", Path, "X-Forwarded-For: 192.0.2.7"),
		"one with a standard header": request("GET", Path, "Forwarded: for=192.0.2.7"),
		"what there is not":          request("GET", Path+"other", known),
	} {
		if w := d.do(req); w.Code < 400 || strings.Contains(w.Body.String(), d.token) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if f.logouts != 0 {
		t.Errorf("%d logouts", f.logouts)
	}
}

// TestMine: what is the page's, and what is the server's.
func TestMine(t *testing.T) {
	for path, want := range map[string]bool{
		"/_silentrefresh": true, "/_silentrefresh/": true, "/_silentrefresh/state": true, "/": false, "/_silentrefreshed": false, "/api/_silentrefresh/": false,
	} {
		if got := Mine(request("GET", path)); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
}

// TestCounter counts the last minute second by second, whatever the clock does.
func TestCounter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Counter
		sees := func(total uint64, last ...int) {
			t.Helper()
			got := c.Counts(time.Now())
			for i, want := range last {
				if n := got.Seconds[window-len(last)+i]; n != want || got.Total != total {
					t.Errorf("%d in all, the seconds are %v; want %d, and %v in the end", got.Total, got.Seconds, total, last)
					return
				}
			}
		}
		sees(0, 0, 0)
		for range 3 {
			c.Arrived(time.Now())
		}
		time.Sleep(2 * time.Second)
		c.Arrived(time.Now())
		sees(4, 0, 3, 0, 1)
		c.Arrived(time.Now().Add(-time.Hour)) // the clock was set back
		sees(5, 0, 3, 0, 2)
		time.Sleep(58 * time.Second)
		sees(5, append([]int{2}, make([]int, 58)...)...)
		time.Sleep(time.Hour)
		sees(5, make([]int, window)...)
		for _, status := range []int{200, 204, 404, 503, 0} {
			c.Ended(status)
		}
		if got := c.Counts(time.Now()).Results; got["2xx"] != 2 || got["4xx"] != 1 || got["5xx"] != 1 || got["failed"] != 1 {
			t.Errorf("%v", got)
		}
	})
}
