package acceptance

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// peculiar makes as reject whatever goes below /bad, with any token, after d.
func peculiar(as *fakes.Server, d time.Duration) {
	as.API = func(req *http.Request) (*http.Response, error) {
		if strings.HasPrefix(req.URL.Path, "/bad") {
			time.Sleep(d)
			return fakes.ResponseTo(req, 401), nil
		}
		return fakes.ResponseTo(req, 200), nil
	}
}

// status is what a GET of path returns, 0 with an error.
func statusOf(c *silentrefresh.Client, path string) int {
	resp, err := c.HTTPClient().Get("https://api.example.com" + path)
	if err != nil {
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}

// While one endpoint rejects every token, a revocation is noticed at once everywhere else.
func TestF70_ARevocationIsNoticedBesideAPeculiarEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		peculiar(as, 0)
		c := clientOf(t, as)
		for range 100 {
			time.Sleep(time.Second)
			if status := statusOf(c, "/bad"); status != 401 {
				t.Fatalf("/bad: %d", status)
			}
		}
		for range 5 {
			as.Revoke()
			_, before, _ := as.Counts()
			for _, path := range []string{"/good", "/good", "/better"} {
				if status := statusOf(c, path); status != 200 {
					t.Errorf("%s after a revocation: %d", path, status)
				}
			}
			if _, n, _ := as.Counts(); n != before+1 {
				t.Errorf("%d refreshes for a revocation", n-before)
			}
			time.Sleep(time.Minute)
			statusOf(c, "/bad")
		}
	})
}

// A handful of refreshes a minute, whatever a peculiar endpoint does: when it is slow to reject, when many ask at once,
// when each item has a path of its own; and others do not wait.
func TestF70_APeculiarEndpointCostsAHandfulOfRefreshes(t *testing.T) {
	for name, test := range map[string]struct {
		slow time.Duration
		path func(n int64) string
	}{
		"at once":        {0, func(int64) string { return "/bad" }},
		"slow to reject": {1500 * time.Millisecond, func(int64) string { return "/bad" }},
		"numbers":        {0, func(n int64) string { return fmt.Sprintf("/bad/%d/parts", n) }},
		"uuids": {0, func(n int64) string {
			return fmt.Sprintf("/bad/%08x-aaaa-bbbb-cccc-dddddddddddd", n)
		}},
		"addresses": {0, func(n int64) string { return "/bad/" + strings.Repeat("x", int(n%20)) + "@example.com" }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				as, l := &fakes.Server{}, &ledger{}
				peculiar(as, test.slow)
				c := clientOf(t, as)
				l.keep(as)
				var n atomic.Int64
				go busily(4, 10*time.Minute, func() {
					if status := statusOf(c, test.path(n.Add(1))); status != 401 {
						t.Errorf("the bad endpoint: %d", status)
					}
				})
				busily(4, 10*time.Minute, func() {
					began := time.Now()
					if status := statusOf(c, "/good"); status != 200 || time.Since(began) > 2*time.Second {
						t.Errorf("/good: %d after %v", status, time.Since(began))
					}
				})
				time.Sleep(time.Minute)
				if first := l.most(time.Minute); first > 12 {
					t.Errorf("%d refreshes in a minute", first)
				}
				if len(l.at) > 25 {
					t.Errorf("%d refreshes in 10 minutes", len(l.at))
				}
			})
		})
	}
}

// An endpoint that comes to its senses is believed again.
func TestF70_AnEndpointIsForgivenByTheReplayThatItTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		peculiar(as, 0)
		c := clientOf(t, as)
		for range 10 {
			statusOf(c, "/bad")
			time.Sleep(time.Minute)
		}
		as.Set(func() { as.API = nil })
		time.Sleep(2 * time.Minute)
		for range 3 {
			as.Revoke()
			if status := statusOf(c, "/bad"); status != 200 {
				t.Errorf("%d", status)
			}
			time.Sleep(time.Second)
		}
		if err := c.Renew(context.Background()); err != nil {
			t.Error(err)
		}
	})
}
