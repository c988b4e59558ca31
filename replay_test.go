package silentrefresh

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
)

func TestF10_OneReplayThenTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{api: func(req *http.Request) (*http.Response, error) { return answerTo(req, 401), nil }}
		c := as.client(t)
		if status, err := get(c); status != 401 || err != nil {
			t.Errorf("status %d, error %v; want the second 401 as it is", status, err)
		}
		if as.count(&as.sent) != 2 {
			t.Errorf("sent %d times, want 2", as.count(&as.sent))
		}
	})
}

func TestF10_AdoptingDoesNotUseTheReplayUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		store := &MemoryStore{}
		shared := func(cfg *Config) { cfg.Store = store }
		ours := as.client(t, shared)
		other := as.stranger(t, shared)
		if err := other.Renew(context.Background()); err != nil {
			t.Fatal(err)
		}
		as.revoke() // what the other has saved is dead, too
		mustGet(t, ours)
		if s := ours.Status().Stats; s.Adopted != 1 || s.Refreshes != 1 {
			t.Errorf("adopted %d, refreshed %d; want 1 and 1", s.Adopted, s.Refreshes)
		}
	})
}

func TestF11_AnEndpointThatAlwaysRefusesIsHeldApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{
			before: func(context.Context, auth.Grant) error { time.Sleep(100 * time.Millisecond); return nil },
			api: func(req *http.Request) (*http.Response, error) {
				if req.URL.Path == "/bad" {
					return answerTo(req, 401), nil
				}
				return answerTo(req, 200), nil
			},
		}
		c := as.client(t)
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
		if _, refreshes, _ := as.counts(); refreshes > 8 {
			t.Errorf("%d refreshes in a minute", refreshes)
		}
		if slowest > 0 {
			t.Errorf("a request elsewhere waited %v", slowest)
		}
		// A replay that succeeds says that rejections mean what they say.
		time.Sleep(2 * time.Minute)
		as.revoke()
		mustGet(t, c)
		if c.book.level != 0 {
			t.Error("the suspicion was not dropped")
		}
	})
}

// While the rejections of one endpoint are not believed, a caller's Reject still is.
func TestF11_RejectIsBelievedWhateverAnEndpointDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{api: func(req *http.Request) (*http.Response, error) { return answerTo(req, 401), nil }}
		c := as.client(t)
		get(c) // refused again after a refresh
		time.Sleep(5 * time.Minute)
		rejected, _ := c.Token(t.Context())
		c.Reject(rejected)
		if next, err := c.Token(t.Context()); err != nil || next.Generation == rejected.Generation {
			t.Errorf("%v, generation %d again", err, next.Generation)
		}
	})
}
