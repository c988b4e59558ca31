package acceptance

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/endpoint"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
	"github.com/silentrefresh/silentrefresh/internal/pace"
	"github.com/silentrefresh/silentrefresh/internal/retryafter"
)

func TestF25_AFailedProactiveRefreshKeepsTheToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		away := as.Breakable()
		c := clientOf(t, as)
		away.Store(true)
		for range 14 {
			time.Sleep(time.Minute)
			mustGet(t, c)
		}
		if s := c.Status(); s.State != silentrefresh.StateLoggedIn || s.Err == nil {
			t.Errorf("status %+v", s)
		}
		away.Store(false)
		time.Sleep(time.Hour)
		mustGet(t, c)
		if w := c.Status().Stats.Waited; w > 1 {
			t.Errorf("%d requests waited", w)
		}
	})
}

func TestF26_AnOutageIsNotHammered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		away := as.Breakable()
		c := clientOf(t, as)
		away.Store(true)
		time.Sleep(15 * time.Minute) // the token is over
		calls := as.Count(&as.Calls)
		began := time.Now()
		fakes.Times(20, func(int) {
			for time.Since(began) < 10*time.Minute {
				_, err := get(c)
				if re, ok := errors.AsType[*auth.Error](err); !ok || re.Until.IsZero() || !strings.Contains(err.Error(), "postponed until") {
					t.Errorf("error %v, want one that says until when", err)
				}
			}
		})
		if n := as.Count(&as.Calls) - calls; n > 300 {
			t.Errorf("%d calls in an outage of 10 minutes with 20 impatient callers", n)
		}
		away.Store(false)
		time.Sleep(time.Minute) // after so many attempts in vain, the budget allows one a minute
		mustGet(t, c)
	})
}

// The longer an outage in which the server says nothing, the less often it is asked, and yet a caller is never far from
// the next attempt: a fleet comes back spread, and whoever waits has a token soon.
func TestF26_ASilentOutageIsAskedThroughEverLessOften(t *testing.T) {
	for _, test := range []struct {
		name     string
		lasts    time.Duration
		callers  bool
		most     int           // calls
		recovers time.Duration // within
	}{
		{"a moment", 4 * time.Second, false, 6, 6 * time.Second},
		{"five minutes", 5 * time.Minute, false, 18, 90 * time.Second},
		{"an hour", time.Hour, false, 90, 90 * time.Second},
		{"a moment, with callers", 4 * time.Second, true, 8, 5 * time.Second},
		{"a minute, with callers", time.Minute, true, 30, 5 * time.Second},
		{"five minutes, with callers", 5 * time.Minute, true, 60, 20 * time.Second},
		{"an hour, with callers", time.Hour, true, 170, time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			as := &fakes.Server{}
			away := as.Breakable()
			store := &silentrefresh.MemoryStore{}
			memoryOnly := func(cfg *silentrefresh.Config) { cfg.MemoryOnly = true }
			clientOf(t, as, in(store), memoryOnly).Close()
			away.Store(true)
			calls := as.Count(&as.Calls)
			c := strangerOf(t, as, in(store), memoryOnly) // a restart, which finds no token
			began := time.Now()
			for time.Since(began) < test.lasts {
				if time.Sleep(time.Second); test.callers {
					get(c)
				}
			}
			if n := as.Count(&as.Calls) - calls; n > test.most {
				t.Errorf("%s: %d calls, want at most %d", test.name, n, test.most)
			}
			away.Store(false)
			back := time.Now()
			for c.Status().State != silentrefresh.StateLoggedIn && time.Since(back) < time.Hour {
				if time.Sleep(100 * time.Millisecond); test.callers {
					get(c)
				}
			}
			if took := time.Since(back); took > test.recovers+100*time.Millisecond {
				t.Errorf("%s: back after %v, want at most %v", test.name, took, test.recovers)
			}
		})
	}
}

// A token that is good needs no haste: nobody notices an outage that ends before it.
func TestF26_AGoodTokenNeedsNoHaste(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		away := as.Breakable()
		c := clientOf(t, as)
		away.Store(true)
		calls := as.Count(&as.Calls)
		time.Sleep(14 * time.Minute) // it was due a minute ago at the latest
		if n := as.Count(&as.Calls) - calls; n < 2 || n > 8 {
			t.Errorf("%d calls while the token is good", n)
		}
		away.Store(false)
		time.Sleep(time.Minute)
		began := time.Now()
		for range 100 {
			mustGet(t, c)
		}
		if waited := time.Since(began); waited > 0 {
			t.Errorf("a request waited for %v after the end of the outage", waited)
		}
	})
}

// What failed long ago, before the session slept, says nothing about how long a failure of today will last.
func TestF26_TroubleIsForgottenWhileNobodyTries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		away := as.Breakable()
		c := clientOf(t, as, func(cfg *silentrefresh.Config) { cfg.IdleTimeout = 13 * time.Minute })
		away.Store(true)
		time.Sleep(5 * time.Hour)
		began := time.Now()
		time.AfterFunc(900*time.Millisecond, func() { away.Store(false) })
		mustGet(t, c)
		if waited := time.Since(began); waited > 3*time.Second {
			t.Errorf("a request waited for %v after an outage of 900 ms", waited)
		}
	})
}

func TestF26_RetryAfterIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as)
		asked := time.Now()
		as.Set(func() {
			as.Before = func(context.Context, auth.Grant) error {
				return &auth.Error{Op: auth.KindRefresh, Status: 429, Unsent: true, Until: asked.Add(5 * time.Minute)}
			}
		})
		as.Revoke()
		calls := as.Count(&as.Calls)
		if status, _ := get(c); status != 401 {
			t.Errorf("status %d", status)
		}
		for range 20 {
			if _, err := get(c); err == nil {
				t.Error("sent")
			}
		}
		if n := as.Count(&as.Calls) - calls; n != 1 {
			t.Errorf("%d calls within Retry-After, want 1", n)
		}
		if s := c.Status(); s.State == silentrefresh.StateOver {
			t.Error("a rate limit ended the session")
		}
		as.Set(func() { as.Before = nil })
		time.Sleep(11 * time.Minute)
		mustGet(t, c)
	})
}

func TestF26_ColdStartWithAFailureSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		store := &silentrefresh.MemoryStore{}
		first := clientOf(t, as, func(cfg *silentrefresh.Config) { cfg.Store = store })
		first.Close()
		time.Sleep(time.Hour)
		fails := 1
		as.Set(func() {
			as.Before = func(context.Context, auth.Grant) error {
				if fails--; fails >= 0 {
					return fakes.Down()
				}
				return nil
			}
		})
		calls := as.Count(&as.Calls)
		c := strangerOf(t, as, func(cfg *silentrefresh.Config) { cfg.Store = store })
		fakes.Times(100, func(int) { mustGet(t, c) })
		if n := as.Count(&as.Calls) - calls; n != 2 {
			t.Errorf("%d calls, want the one that failed and the one that did not", n)
		}
	})
}

func TestF28_ASilentServerHasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as, func(cfg *silentrefresh.Config) { cfg.Timeout = 5 * time.Second; cfg.MaxWait = -1 })
		as.Set(func() { as.Before = func(ctx context.Context, g auth.Grant) error { <-ctx.Done(); return ctx.Err() } })
		as.Revoke()
		began := time.Now()
		if status, err := get(c); status != 401 {
			t.Errorf("status %d, error %v", status, err)
		}
		if d := time.Since(began); d != 5*time.Second {
			t.Errorf("held for %v", d)
		}
		as.Set(func() { as.Before = nil })
		time.Sleep(5 * time.Second)
		mustGet(t, c)
	})
}

// With a token that is still good, not even a request that can be sent only once waits through a backoff.
func TestF25_AStreamDoesNotWaitWhileTheTokenIsGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as)
		as.Set(func() { as.Before = func(context.Context, auth.Grant) error { return fakes.Down() } })
		time.Sleep(13 * time.Minute) // inside the margin
		began := time.Now()
		for range 5 {
			if resp, err := c.HTTPClient().Do(stream()); err != nil || resp.StatusCode != 200 {
				t.Error(resp, err)
			}
		}
		if d := time.Since(began); d > 0 {
			t.Errorf("5 requests with a valid token waited %v", d)
		}
	})
}

// What a server asks of all at once is kept by each at another time: while the token serves before it ends, and the
// longer the server refuses, the wider.
func TestF26_RetryAfterIsSpread(t *testing.T) {
	const asked = 20 * time.Second
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var retries []silentrefresh.Event
		as := &fakes.Server{}
		c := clientOf(t, as, func(cfg *silentrefresh.Config) {
			cfg.Observe = func(ev silentrefresh.Event) {
				mu.Lock()
				defer mu.Unlock()
				if ev.Kind == silentrefresh.EventRetrying {
					retries = append(retries, ev)
				}
			}
		})
		as.Set(func() {
			as.Before = func(context.Context, auth.Grant) error {
				return &auth.Error{Op: auth.KindRefresh, Status: 503, Unsent: true, Until: time.Now().Add(asked)}
			}
		})
		mustGet(t, c)
		time.Sleep(2 * time.Hour)
		mu.Lock()
		defer mu.Unlock()
		var widest time.Duration
		for i, ev := range retries {
			wait := ev.Next.Sub(ev.Time)
			if widest = max(widest, wait); wait < asked || wait > asked+pace.WidestSpread {
				t.Errorf("retry %d after %v", i, wait)
			}
		}
		if first := retries[0]; first.Next.After(first.Expires) {
			t.Errorf("the first retry comes %v after the token's end", first.Next.Sub(first.Expires))
		}
		if n := len(retries); widest < 3*asked || n < 15 {
			t.Errorf("%d retries in two hours, at most %v apart", n, widest)
		}
	})
}

// Whoever asks for a renewal waits about as long as the server says, however long the token is still good for.
func TestF26_RetryAfterOfARenewalThatWasAskedFor(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			as := &fakes.Server{}
			c := clientOf(t, as)
			as.Set(func() {
				as.Before = func(context.Context, auth.Grant) error {
					as.Set(func() { as.Before = nil })
					return &auth.Error{Op: auth.KindRefresh, Status: 429, Unsent: true, Until: time.Now().Add(2 * time.Second)}
				}
			})
			began := time.Now()
			if err := c.Renew(t.Context()); err != nil || time.Since(began) > 4*time.Second {
				t.Errorf("%v after %v", err, time.Since(began))
			}
		})
	}
}

// A caller who waits brings the next attempt forward, never to before what the server asked for.
func TestF26_RetryAfterIsSpreadLessForWhoWaits(t *testing.T) {
	const asked = 20 * time.Second
	var most time.Duration
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			as, store := &fakes.Server{}, &silentrefresh.MemoryStore{}
			clientOf(t, as, in(store)).Close()
			time.Sleep(time.Hour) // the token ends
			var tried atomic.Int64
			as.Set(func() {
				as.Before = func(context.Context, auth.Grant) error {
					now := time.Now()
					tried.Store(now.UnixNano())
					return &auth.Error{Op: auth.KindRefresh, Status: 503, Unsent: true, Until: now.Add(asked)}
				}
			})
			c := strangerOf(t, as, in(store), func(cfg *silentrefresh.Config) { cfg.MaxWait = time.Second })
			time.Sleep(time.Minute)
			for time.Since(time.Unix(0, tried.Load())) > 10*time.Second {
				time.Sleep(5 * time.Second)
			}
			last := time.Unix(0, tried.Load())
			alone := c.Status().NextRefresh
			if _, err := get(c); err == nil {
				t.Fatal("sent")
			}
			awaited := c.Status().NextRefresh
			if awaited.Before(last.Add(asked)) || awaited.After(alone) {
				t.Errorf("the next attempt is %v after the last, %v before", awaited.Sub(last), alone.Sub(last))
			}
			most = max(most, alone.Sub(awaited))
		})
	}
	if most < asked {
		t.Errorf("brought forward by %v at most", most)
	}
}

func TestF26_AnAbsurdRetryAfterNeitherEndsTheSessionNorMakesALoop(t *testing.T) {
	for _, wish := range []time.Duration{365 * 24 * time.Hour, 280 * 365 * 24 * time.Hour, math.MaxInt64} {
		synctest.Test(t, func(t *testing.T) {
			as := &fakes.Server{}
			c := clientOf(t, as, atOnce)
			as.Set(func() {
				as.Before = func(context.Context, auth.Grant) error {
					return &auth.Error{Op: auth.KindRefresh, Status: 429, Unsent: true, Until: time.Now().Add(wish)}
				}
			})
			calls := as.Count(&as.Calls)
			var err error
			for range 100 {
				err = c.Renew(t.Context())
			}
			re, ok := errors.AsType[*auth.Error](err)
			if n := as.Count(&as.Calls) - calls; n != 1 || !ok || time.Until(re.Until) > 2*retryafter.Longest {
				t.Errorf("in %v: %d calls at once, then %v", wish, n, err)
			}
		})
	}
}

// A refresh that is refused takes no token away that is good: it serves until it ends, and the session is over then.
func TestF77_AGoodTokenServesOnAfterItsRefreshIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		var told atomic.Pointer[silentrefresh.Event]
		c := clientOf(t, as, func(cfg *silentrefresh.Config) {
			cfg.Observe = func(ev silentrefresh.Event) { told.Store(&ev) }
		})
		as.Set(func() { as.Before = func(context.Context, auth.Grant) error { return fakes.InvalidGrant() } })
		time.Sleep(14 * time.Minute) // the renewal was due, and refused
		calls := as.Count(&as.Calls)
		mustGet(t, c)
		synctest.Wait()
		s := c.Status()
		last := told.Load()
		if s.State != silentrefresh.StateLoggedIn || s.Renewable || last.Kind != silentrefresh.EventNotRenewable ||
			!errors.Is(last.Err, silentrefresh.ErrSessionOver) || !last.Expires.Equal(s.Expires) {
			t.Errorf("%+v after %v, %v", s, last.Kind, last.Err)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		last = told.Load()
		if s := c.Status(); s.State != silentrefresh.StateOver || last.Kind != silentrefresh.EventOver {
			t.Errorf("%+v after %v, %v", s, last.Kind, last.Err)
		}
		if _, err := get(c); !errors.Is(err, silentrefresh.ErrSessionOver) || as.Count(&as.Calls) != calls {
			t.Errorf("%v, after %d more calls", err, as.Count(&as.Calls)-calls)
		}
	})
}

// A session that ends before its token is renewed before that; where renewals do not move its end, that is no reason.
func TestF77_RenewedBeforeTheEarlierOfTheTwoEnds(t *testing.T) {
	for name, test := range map[string]struct {
		moves    bool
		min, max int
	}{"the end moves": {true, 20, 45}, "the end stays": {false, 1, 3}} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			as := &fakes.Server{TTL: 10 * time.Hour, After: func(_ auth.Grant, s auth.Session) (auth.Session, error) {
				s.Ends = began.Add(30 * time.Minute)
				if test.moves {
					s.Ends = time.Now().Add(30 * time.Minute)
				}
				return s, nil
			}}
			clientOf(t, as)
			time.Sleep(9 * time.Hour)
			if _, refreshes, _ := as.Counts(); refreshes < test.min || refreshes > test.max {
				t.Errorf("%s: %d refreshes in 9 hours", name, refreshes)
			}
		})
	}
}

// Where the token renews itself, a server that refuses to renew it has refused the token: nothing serves on.
func TestF77_ATokenThatRenewsItselfDoesNotOutliveItsRefusal(t *testing.T) {
	base := fakes.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		resp := fakes.ResponseTo(req, http.StatusOK)
		switch req.URL.Path {
		case "/auth/login":
			resp.Header.Set("Set-Cookie", "sid=s1; Path=/; Max-Age=3600; HttpOnly")
		case "/auth/refresh":
			resp.StatusCode = http.StatusUnauthorized
		}
		return resp, nil
	})
	c, err := silentrefresh.New(silentrefresh.Config{BaseURL: "https://api.example.com", Base: base, AuthBase: base,
		Endpoint: endpoint.Settings{AccessToken: endpoint.AccessTokenAt{Cookie: "sid"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := c.Renew(t.Context()); !errors.Is(err, silentrefresh.ErrSessionOver) {
		t.Errorf("Renew: %v", err)
	}
	if s := c.Status(); s.State != silentrefresh.StateOver {
		t.Errorf("state %q", s.State)
	}
}
