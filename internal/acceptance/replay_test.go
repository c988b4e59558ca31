package acceptance

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

func TestF10_OneReplayThenTheResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{API: func(req *http.Request) (*http.Response, error) { return fakes.ResponseTo(req, 401), nil }}
		c := clientOf(t, as)
		if status, err := get(c); status != 401 || err != nil {
			t.Errorf("status %d, error %v; want the second 401 as it is", status, err)
		}
		if as.Count(&as.Sent) != 2 {
			t.Errorf("sent %d times, want 2", as.Count(&as.Sent))
		}
	})
}

// A base that changes the URL which it shares with the request changes nothing about the replay.
func TestF10_ABaseThatRewritesTheURL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as, func(cfg *silentrefresh.Config) {
			cfg.Base = fakes.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
				req.URL.Host = "10.0.0.1"
				return as.RoundTrip(req)
			})
		})
		as.Revoke()
		mustGet(t, c)
	})
}

func TestF10_AdoptingDoesNotUseTheReplayUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		store := &silentrefresh.MemoryStore{}
		shared := func(cfg *silentrefresh.Config) { cfg.Store = store }
		ours := clientOf(t, as, shared)
		other := strangerOf(t, as, shared)
		if err := other.Renew(context.Background()); err != nil {
			t.Fatal(err)
		}
		as.Revoke() // what the other has saved is dead, too
		mustGet(t, ours)
		if s := ours.Status().Stats; s.Adopted != 1 || s.Refreshes != 1 {
			t.Errorf("adopted %d, refreshed %d; want 1 and 1", s.Adopted, s.Refreshes)
		}
	})
}

func TestF11_AnEndpointThatAlwaysRefusesIsHeldApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{
			Before: func(context.Context, auth.Grant) error { time.Sleep(100 * time.Millisecond); return nil },
			API: func(req *http.Request) (*http.Response, error) {
				if req.URL.Path == "/bad" {
					return fakes.ResponseTo(req, 401), nil
				}
				return fakes.ResponseTo(req, 200), nil
			},
		}
		c := clientOf(t, as)
		var slowest time.Duration
		for i := range 1000 {
			resp, err := c.HTTPClient().Get("https://api.example.com/bad")
			if err != nil || resp.StatusCode != 401 {
				t.Fatalf("call %d: %v, %v", i, resp, err)
			}
			began := time.Now()
			mustGet(t, c)
			slowest = max(slowest, time.Since(began))
			time.Sleep(60 * time.Millisecond)
		}
		if _, refreshes, _ := as.Counts(); refreshes > 8 {
			t.Errorf("%d refreshes in a minute", refreshes)
		}
		if slowest > 0 {
			t.Errorf("a request elsewhere waited %v", slowest)
		}
		// What one endpoint does says nothing about the others: a revocation is noticed at once.
		time.Sleep(2 * time.Minute)
		as.Revoke()
		mustGet(t, c)
	})
}

// While the rejections of one endpoint are not believed, a caller's Reject still is.
func TestF11_RejectIsBelievedWhateverAnEndpointDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{API: func(req *http.Request) (*http.Response, error) { return fakes.ResponseTo(req, 401), nil }}
		c := clientOf(t, as)
		get(c) // refused again after a refresh
		time.Sleep(5 * time.Minute)
		rejected, _ := c.Token(t.Context())
		c.Reject(rejected)
		if next, err := c.Token(t.Context()); err != nil || next.Generation == rejected.Generation {
			t.Errorf("%v, generation %d again", err, next.Generation)
		}
	})
}
