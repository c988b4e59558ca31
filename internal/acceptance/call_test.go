package acceptance

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// rpc makes a call of method as a caller of Client.Call does. It reports whether the API took the token in the end, and
// how often the call was made.
func rpc(ctx context.Context, c *silentrefresh.Client, method string, accepts func(token string) bool) (served bool, made int, err error) {
	call := c.Call(method)
	for {
		token, err := call.Token(ctx)
		if err != nil {
			return false, made, err
		}
		made++
		if accepts(token.Value.Reveal()) {
			call.Served()
			return true, made, nil
		}
		if !call.Retry(ctx) {
			return false, made, nil
		}
	}
}

// takes is an API that takes the tokens that as has issued and not revoked.
func takes(as *fakes.Server) func(string) bool {
	return func(token string) bool {
		as.Mu.Lock()
		defer as.Mu.Unlock()
		return as.Access[token]
	}
}

func takesNone(string) bool { return false }

func TestCallsThatAreRejectedAreRepeatedAfterOneRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as)
		const calls = 100
		var arrived, good, made atomic.Int64
		revoked := make(chan struct{})
		fakes.Times(calls, func(int) {
			first := true
			ok, n, err := rpc(t.Context(), c, "/pkg.Service/Get", func(token string) bool {
				if first {
					first = false
					if arrived.Add(1) == calls {
						as.Revoke()
						close(revoked)
					}
					<-revoked
				}
				return takes(as)(token)
			})
			if ok && err == nil {
				good.Add(1)
			}
			made.Add(int64(n))
		})
		_, refreshes, reuses := as.Counts()
		if good.Load() != calls || made.Load() != 2*calls || refreshes != 1 || reuses != 0 {
			t.Errorf("%d of %d calls served in %d tries, with %d refreshes", good.Load(), calls, made.Load(), refreshes)
		}
		if n := c.Status().Stats; n.Replays != calls || n.Waited != calls {
			t.Errorf("%+v", n)
		}
	})
}

// A method that rejects every token costs a handful of refreshes, is made twice at most, and is no trouble for others.
func TestCallsOfAPeculiarEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as)
		for range 600 {
			if ok, made, err := rpc(t.Context(), c, "/pkg.Service/Bad", takesNone); ok || made > 2 || err != nil {
				t.Fatalf("served: %v, made %d times, %v", ok, made, err)
			}
			if ok, made, err := rpc(t.Context(), c, "/pkg.Service/Good", takes(as)); !ok || made != 1 || err != nil {
				t.Fatalf("another method: served: %v, made %d times, %v", ok, made, err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if _, refreshes, _ := as.Counts(); refreshes > 8 {
			t.Errorf("%d refreshes in a minute", refreshes)
		}
		as.Revoke()
		if ok, made, err := rpc(t.Context(), c, "/pkg.Service/Good", takes(as)); !ok || made != 2 || err != nil {
			t.Errorf("a revocation beside it: served: %v, made %d times, %v", ok, made, err)
		}
	})
}

func TestACallThatCannotBeRepeatedRenewsForTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{Before: fakes.Slowly(auth.KindRefresh, time.Second)}
		c := clientOf(t, as)
		call := c.Call("/pkg.Service/Upload")
		if call.Reject(); c.Status().State != silentrefresh.StateLoggedIn || call.Retry(t.Context()) {
			t.Error("a rejection of no token counted")
		}
		if _, err := call.Token(t.Context()); err != nil {
			t.Fatal(err)
		}
		as.Revoke()
		began := time.Now()
		if call.Reject(); time.Since(began) != 0 {
			t.Error("Reject waited")
		}
		if call.Retry(t.Context()) {
			t.Error("one rejection counted twice")
		}
		time.Sleep(2 * time.Second)
		if _, refreshes, _ := as.Counts(); refreshes != 1 || c.Status().Generation != 2 {
			t.Errorf("%d refreshes, generation %d", refreshes, c.Status().Generation)
		}
	})
}

// A stream that was repeated and served may be rejected later: that is no peculiarity of its endpoint.
func TestACallThatWasServedCanBeRejectedLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as)
		call := c.Call("/pkg.Service/Watch")
		for generation := range 3 {
			token, err := call.Token(t.Context())
			if err != nil || token.Generation != uint64(generation+1) {
				t.Fatalf("generation %d, %v", token.Generation, err)
			}
			if call.Served(); generation == 2 {
				break
			}
			time.Sleep(10 * time.Second)
			as.Revoke()
			if !call.Retry(t.Context()) {
				t.Fatal("not to be repeated")
			}
		}
		if mustGet(t, c); c.Status().Stats.Refreshes != 2 {
			t.Errorf("%+v", c.Status().Stats)
		}
	})
}

// What one account began is not gone on with as another.
func TestACallIsNotRepeatedAsAnotherAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as)
		call := c.Call("/pkg.Service/Get")
		if _, err := call.Token(t.Context()); err != nil {
			t.Fatal(err)
		}
		as.Set(func() { as.After = fakes.AsBob })
		if err := c.Login(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if call.Retry(t.Context()) {
			t.Error("it is to be repeated")
		}
		if _, err := call.Token(t.Context()); !errors.Is(err, silentrefresh.ErrSessionOver) {
			t.Errorf("its next token: %v", err)
		}
	})
}

func TestACallThatGivesUpTakesNobodyAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{Before: fakes.Slowly(auth.KindRefresh, 10*time.Second)}
		c := clientOf(t, as)
		as.Revoke()
		go func() {
			if ok, _, err := rpc(t.Context(), c, "/pkg.Service/Get", takes(as)); !ok || err != nil {
				t.Errorf("the patient one: served: %v, %v", ok, err)
			}
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, _, err := rpc(ctx, c, "/pkg.Service/Get", takes(as))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("the other: %v after %s", err, time.Since(began))
		}
		time.Sleep(time.Minute)
	})
}

func TestWhichURLsGetTheToken(t *testing.T) {
	c := clientOf(t, &fakes.Server{}, func(cfg *silentrefresh.Config) { cfg.Origins = []string{"http://127.0.0.1:5000"} })
	for _, s := range []string{"https://api.example.com", "HTTPS://API.example.com:443/x", "http://127.0.0.1:5000/x"} {
		if u, err := url.Parse(s); err != nil || !c.GetsToken(u) {
			t.Errorf("%s does not get it", s)
		}
	}
	for _, s := range []string{"http://api.example.com", "https://api.example.com:8443", "https://127.0.0.1:5000", "//api.example.com",
		"api.example.com", "unix:/run/x", "", "https://api.example.com@other.example", strings.Repeat("x", 1000)} {
		if u, err := url.Parse(s); err == nil && c.GetsToken(u) {
			t.Errorf("%s gets it", s)
		}
	}
	if c.GetsToken(nil) {
		t.Error("no URL gets it")
	}
}
