package silentrefresh

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/chance"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

func TestF01_ManyRejectionsOneRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{Before: func(_ context.Context, g auth.Grant) error { time.Sleep(100 * time.Millisecond); return nil }}
		c := clientOf(t, as)
		as.Revoke()
		var failed atomic.Int64
		fakes.Times(2000, func(int) {
			if status, err := get(c); err != nil || status != 200 {
				failed.Add(1)
			}
		})
		if _, refreshes, _ := as.Counts(); refreshes != 1 || failed.Load() != 0 {
			t.Errorf("%d refreshes, %d requests failed; want 1 and 0", refreshes, failed.Load())
		}
		if as.Count(&as.Sent) > 4000 {
			t.Errorf("%d requests reached the API for 2000 of the application", as.Count(&as.Sent))
		}
	})
}

// Timer, rejection, expiry on entry and a caller's wish at the same instant are one refresh.
func TestF01_OneRefreshWhateverTheTrigger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{Before: func(_ context.Context, g auth.Grant) error { time.Sleep(time.Second); return nil }}
		c := clientOf(t, as)
		seen := c.state.Load().generation
		triggers := []Trigger{TriggerTimer, TriggerRejected, TriggerExpired, TriggerAsked}
		fakes.Times(400, func(i int) {
			if err := c.renew(context.Background(), seen, triggers[i%4]); err != nil {
				t.Error(err)
			}
		})
		if _, refreshes, _ := as.Counts(); refreshes != 1 {
			t.Errorf("%d refreshes, want 1", refreshes)
		}
	})
}

func TestF02_LateRejectionOfAnOlderTokenReplaysOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		slow := make(chan struct{})
		c := clientOf(t, as, func(cfg *Config) {
			cfg.Base = fakes.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
				resp, err := as.RoundTrip(req)
				if resp.StatusCode == 401 && req.URL.Path == "/slow" {
					<-slow // decided with the old token, told after the refresh
				}
				return resp, err
			})
		})
		as.Revoke()
		done := make(chan int)
		go func() {
			resp, err := c.HTTPClient().Get("https://api.example.com/slow")
			if err != nil {
				t.Error(err)
				done <- 0
				return
			}
			resp.Body.Close()
			done <- resp.StatusCode
		}()
		synctest.Wait()
		mustGet(t, c)
		close(slow)
		if status := <-done; status != 200 {
			t.Errorf("the late one got %d", status)
		}
		if _, refreshes, _ := as.Counts(); refreshes != 1 {
			t.Errorf("%d refreshes, want 1", refreshes)
		}
	})
}

func TestF03_NobodyGetsTheTokenThatFailed(t *testing.T) {
	as := &fakes.Server{}
	c := clientOf(t, as)
	for round := range 32 {
		if err := c.Login(t.Context(), nil); err != nil { // a session of its own, for which the budget is full
			t.Fatal(err)
		}
		seen := c.state.Load().generation
		before, _, _ := refreshCount(as)
		start := make(chan struct{})
		var stale atomic.Int64
		var wg sync.WaitGroup
		for range 500 {
			wg.Go(func() {
				<-start
				if err := c.renew(context.Background(), seen, TriggerRejected); err != nil {
					t.Error(err)
				}
				if c.state.Load().generation <= seen {
					stale.Add(1)
				}
			})
		}
		close(start)
		wg.Wait()
		if after, _, _ := refreshCount(as); after != before+1 || stale.Load() != 0 {
			t.Fatalf("round %d: %d refreshes, %d stale results; want 1 and 0", round, after-before, stale.Load())
		}
	}
}

func refreshCount(as *fakes.Server) (refreshes, logins, reuses int) {
	l, r, u := as.Counts()
	return r, l, u
}

func TestF04_LeaderGivesUpOthersDoNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{Before: fakes.Slowly(auth.KindRefresh, time.Second)}
		c := clientOf(t, as)
		as.Revoke()
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		leader := make(chan struct{})
		go func() {
			defer close(leader)
			began := time.Now()
			if status, err := getCtx(ctx, c); err != nil || status != 401 {
				t.Errorf("the leader got %d, %v; want the response to what it had sent", status, err)
			}
			if d := time.Since(began); d > 105*time.Millisecond {
				t.Errorf("the leader was held for %v", d)
			}
		}()
		synctest.Wait() // the leader's flight is in the air
		fakes.Times(50, func(int) { mustGet(t, c) })
		<-leader
		if _, refreshes, _ := as.Counts(); refreshes != 1 {
			t.Errorf("%d refreshes, want 1", refreshes)
		}
		if got, want := c.state.Load().session().RefreshToken.Reveal(), as.Good(); got != want {
			t.Error("the rotated refresh token was not kept")
		}
	})
}

func TestF04_WhoeverGivesUpGetsTheErrorOfTheirContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{Before: fakes.Slowly(auth.KindRefresh, time.Second)}
		c := clientOf(t, as)
		rejected, _ := c.Token(t.Context())
		c.Reject(rejected)
		why := errors.New("the user has left")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, why)
		defer cancel()
		for name, call := range map[string]func() error{
			"Token":     func() error { _, err := c.Token(ctx); return err },
			"Renew":     func() error { return c.Renew(ctx) },
			"a request": func() error { _, err := getCtx(ctx, c); return err },
		} {
			if err := call(); !errors.Is(err, why) {
				t.Errorf("%s: %v", name, err)
			}
		}
		mustGet(t, c)
		if _, refreshes, _ := as.Counts(); refreshes != 1 {
			t.Errorf("%d refreshes, want 1", refreshes)
		}
	})
}

func TestF05_PanicAndGoexitAreErrors(t *testing.T) {
	for name, bad := range map[string]func(){
		"panic":           func() { panic("access-secret-in-a-panic") },
		"a runtime error": func() { var p *int; *p++ },
		"Goexit":          runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var broken atomic.Bool
				broken.Store(true)
				as := &fakes.Server{}
				as.Set(func() {
					as.Before = func(_ context.Context, g auth.Grant) error {
						if g.Kind == auth.KindRefresh && broken.Load() {
							time.Sleep(time.Millisecond)
							bad()
						}
						return nil
					}
				})
				c := clientOf(t, as, func(cfg *Config) { cfg.MaxWait = -1 })
				seen := c.state.Load().generation
				fakes.Times(20, func(int) {
					if err := c.renew(context.Background(), seen, TriggerAsked); err == nil {
						t.Error("no error")
					}
				})
				broken.Store(false)
				time.Sleep(2 * time.Second) // the backoff
				if err := c.Renew(context.Background()); err != nil {
					t.Errorf("the next call: %v", err)
				}
			})
		})
	}
}

func TestF06_NothingOfACallersContextOutlivesTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		as := &fakes.Server{}
		as.Set(func() {
			as.Before = func(ctx context.Context, g auth.Grant) error {
				if g.Kind == auth.KindRefresh && ctx.Value(key{}) != nil {
					t.Error("the refresh sees a value of the caller's context")
				}
				return ctx.Err()
			}
		})
		c := strangerOf(t, as)
		ctx, cancel := context.WithCancel(context.WithValue(context.Background(), key{}, 1))
		if err := c.Login(ctx, nil); err != nil {
			t.Fatal(err)
		}
		cancel()
		time.Sleep(time.Hour) // several renewals by the timer
		as.Revoke()
		mustGet(t, c)
		if err := c.Login(ctx, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("Login with a cancelled context: %v", err)
		}
		mustGet(t, c)
	})
}

func TestF06_ALookAtTheStoreThatWasCancelledIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := strangerOf(t, as, in(&MemoryStore{}))
		time.Sleep(2 * time.Second) // the next request looks at the store again
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		getCtx(ctx, c)
		if _, err := get(c); !errors.Is(err, ErrNoSession) || errors.Is(err, context.Canceled) {
			t.Errorf("somebody else's context: %v", err)
		}
	})
}

func TestF07_RequestsWaitOnceATokenIsKnownToBeRejected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{Before: fakes.Slowly(auth.KindRefresh, time.Second)}
		c := clientOf(t, as)
		as.Revoke()
		go get(c)
		synctest.Wait() // its 401 has come, its refresh is under way
		fakes.Times(200, func(int) { mustGet(t, c) })
		if as.Count(&as.Refused) != 1 {
			t.Errorf("%d requests were sent to be refused, want 1", as.Count(&as.Refused))
		}
	})
}

func TestF27_TheEndOfASessionLatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		var kinds []EventKind
		c := clientOf(t, as, func(cfg *Config) { cfg.Observe = func(ev Event) { kinds = append(kinds, ev.Kind) } })
		as.Set(func() { as.Before = func(context.Context, auth.Grant) error { return fakes.InvalidGrant() } })
		c.Renew(context.Background())
		calls := as.Count(&as.Calls)
		time.Sleep(15 * time.Minute) // the token serves until it ends
		for range 100 {
			if _, err := get(c); !errors.Is(err, ErrSessionOver) {
				t.Fatalf("error %v", err)
			}
			time.Sleep(time.Minute)
		}
		if as.Count(&as.Calls) != calls {
			t.Errorf("%d auth calls after the end", as.Count(&as.Calls)-calls)
		}
		as.Set(func() { as.Before = nil })
		if err := c.Login(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		mustGet(t, c)
		synctest.Wait()
		if n := len(slices.DeleteFunc(slices.Clone(kinds), func(k EventKind) bool { return k != EventOver })); n != 1 {
			t.Errorf("%d events that the session is over, want 1: %v", n, kinds)
		}
	})
}

func TestF29_ALostResponseIsNotALogout(t *testing.T) {
	for _, grace := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			as := &fakes.Server{}
			var lose atomic.Bool
			as.Set(func() {
				as.After = func(g auth.Grant, s auth.Session) (auth.Session, error) {
					if g.Kind == auth.KindRefresh && lose.Swap(false) {
						if grace { // the server takes the old one once more
							as.Mu.Lock()
							as.Refresh = g.Old.RefreshToken.Reveal()
							delete(as.Spent, as.Refresh)
							as.Mu.Unlock()
						}
						return auth.Session{}, &auth.Error{Op: auth.KindRefresh, Status: 502, MaybeSpent: true}
					}
					return s, nil
				}
			})
			c := clientOf(t, as)
			lose.Store(true)
			err := c.Renew(context.Background()) // waits through the backoff and presents the credential again
			switch {
			case grace && err != nil:
				t.Errorf("with a grace window: %v", err)
			case grace:
				mustGet(t, c)
			case !errors.Is(err, ErrSessionOver) || !strings.Contains(err.Error(), "interrupted"):
				t.Errorf("without: %v; want over, and that it was interrupted", err)
			default:
				time.Sleep(15 * time.Minute) // the token serves until it ends
				if state := c.Status().State; state != StateInterrupted {
					t.Errorf("state %q", state)
				}
			}
		})
	}
}

func TestF31_WhatIsOmittedIsCarriedForward(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		as.Set(func() {
			as.After = func(g auth.Grant, s auth.Session) (auth.Session, error) {
				if g.Kind == auth.KindRefresh { // the server does not rotate
					as.Mu.Lock()
					as.Refresh = g.Old.RefreshToken.Reveal()
					delete(as.Spent, as.Refresh)
					as.Mu.Unlock()
					s = auth.Session{AccessToken: s.AccessToken, Issued: s.Issued, Expires: s.Expires}
				}
				return s, nil
			}
		})
		c := clientOf(t, as, func(cfg *Config) { cfg.Exchanger = byRefreshToken{as} })
		for range 3 {
			if err := c.Renew(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		if s := c.Status(); s.Account != "ada@example.com" || !s.Renewable || c.state.Load().session().Subject != "1" {
			t.Errorf("status %+v", s)
		}
	})
}

// byRefreshToken renews sessions that have a refresh token.
type byRefreshToken struct{ *fakes.Server }

func (byRefreshToken) CheckRenewable(s auth.Session) error {
	if s.RefreshToken.IsZero() {
		return auth.ErrNotRenewable
	}
	return nil
}

func TestF55_NoNewTokenDoesNotSpin(t *testing.T) {
	for name, after := range map[string]func(g auth.Grant, s auth.Session) (auth.Session, error){
		"none": func(g auth.Grant, s auth.Session) (auth.Session, error) { s.AccessToken = auth.Secret{}; return s, nil },
		"the same string": func(g auth.Grant, s auth.Session) (auth.Session, error) {
			s.AccessToken = g.Old.AccessToken
			return s, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				as := &fakes.Server{}
				as.Set(func() {
					as.After = func(g auth.Grant, s auth.Session) (auth.Session, error) {
						if g.Kind != auth.KindRefresh {
							return s, nil
						}
						return after(g, s)
					}
				})
				c := clientOf(t, as)
				for range 100 {
					mustGet(t, c)
				}
				fakes.Times(100, func(int) {
					if err := c.renew(context.Background(), 1, TriggerAsked); err != nil {
						t.Error(err)
					}
				})
				if _, refreshes, _ := as.Counts(); refreshes != 1 {
					t.Errorf("%d refreshes for 100 callers at once, want 1", refreshes)
				}
				mustGet(t, c)
				calls := as.Count(&as.Calls)
				time.Sleep(10 * time.Minute)
				if n := as.Count(&as.Calls) - calls; n > 30 {
					t.Errorf("%d refreshes in 10 minutes", n)
				}
			})
		})
	}
}

func TestF55_RefusedAndNotReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		as.Set(func() {
			as.After = func(g auth.Grant, s auth.Session) (auth.Session, error) {
				if g.Kind == auth.KindRefresh {
					s.AccessToken = auth.Secret{}
				}
				return s, nil
			}
		})
		c := clientOf(t, as)
		as.Revoke()
		for range 100 {
			if status, err := get(c); status != 401 {
				t.Fatalf("status %d, error %v", status, err)
			}
		}
		if _, refreshes, _ := as.Counts(); refreshes != 1 {
			t.Errorf("%d refreshes, want 1", refreshes)
		}
	})
}

// A credential whose response was lost may be spent: no failure after that makes its refusal a plain one.
func TestF29_ALostResponseIsNotForgottenOverAnotherFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as, atOnce)
		as.Set(func() {
			as.After = func(auth.Grant, auth.Session) (auth.Session, error) {
				return auth.Session{}, &auth.Error{Op: auth.KindRefresh, Status: 502, MaybeSpent: true}
			}
		})
		c.Renew(t.Context())
		as.Set(func() { as.Before, as.After = func(context.Context, auth.Grant) error { return fakes.Down() }, nil })
		time.Sleep(time.Second)
		c.Renew(t.Context())
		as.Set(func() { as.Before = nil })
		time.Sleep(time.Minute)
		if err := c.Renew(t.Context()); !errors.Is(err, ErrSessionOver) || !strings.Contains(err.Error(), "interrupted") {
			t.Errorf("%v; want over, and that it was interrupted", err)
		}
	})
}

// Where nobody waits through a backoff, nobody waits from one refresh that hangs to the next, either.
func TestF26_NobodyWaitsFromOneFlightToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{Before: func(ctx context.Context, _ auth.Grant) error { <-ctx.Done(); return context.Cause(ctx) }}
		c := strangerOf(t, as, atOnce)
		brought := func(token string) auth.Session {
			return auth.Session{RefreshToken: auth.NewSecret(token), Account: "ada@example.com"}
		}
		var resumed sync.WaitGroup
		defer resumed.Wait()
		resumed.Go(func() { c.Resume(context.Background(), brought("first")) })
		time.Sleep(time.Second)
		resumed.Go(func() {
			time.Sleep(time.Second)
			c.Resume(context.Background(), brought("second"))
		})
		began := time.Now()
		if _, err := c.Token(context.Background()); err == nil || time.Since(began) > c.cfg.Timeout+time.Second {
			t.Errorf("error %v after %s", err, time.Since(began))
		}
	})
}

// A token that has ended when it comes is waited for a few times, and not for as long as the next refresh begins before
// the last has landed.
func TestF67_WhatEndsAsItComesIsNotWaitedForAgainAndAgain(t *testing.T) {
	defer chance.Yield(runtime.Gosched)()
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			c := clientOf(t, &fakes.Server{
				Before: fakes.Slowly(auth.KindRefresh, 3*time.Second),
				After: func(_ auth.Grant, s auth.Session) (auth.Session, error) {
					s.Expires = s.Issued.Add(-time.Hour)
					return s, nil
				},
			})
			time.Sleep(10 * time.Second)
			began := time.Now()
			if _, err := c.Token(t.Context()); err == nil || time.Since(began) > 4*3500*time.Millisecond {
				t.Errorf("%v after %v", err, time.Since(began))
			}
		})
	}
}

// Whoever has waited for a token that has ended when it comes waits for the next one no longer than for one alone.
func TestF67_NobodyWaitsFromOneThatEndsAsItComesToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const life = 15 * time.Minute
		var heard atomic.Bool
		as := &fakes.Server{TTL: life, Before: func(_ context.Context, g auth.Grant) error {
			if g.Kind == auth.KindRefresh && !heard.Load() {
				time.Sleep(life) // no context ends it
			}
			return nil
		}, After: func(g auth.Grant, s auth.Session) (auth.Session, error) {
			switch {
			case g.Kind != auth.KindRefresh:
				s.Expires = s.Issued.Add(time.Minute)
			case !heard.Load():
				s.Issued, s.Expires = s.Issued.Add(-life), s.Issued // its life has passed meanwhile
			}
			return s, nil
		}}
		c := clientOf(t, as)
		began := time.Now()
		go c.Renew(context.Background())
		time.Sleep(life - 9*time.Second)
		asked := time.Now()
		most := c.cfg.MaxWait + c.cfg.Timeout
		if _, err := c.Token(t.Context()); err == nil || time.Since(asked) > most+time.Second || time.Since(began) < life {
			t.Errorf("%v after %v, want an error within %v", err, time.Since(asked), most)
		}
		heard.Store(true)
		time.Sleep(2 * life)
	})
}
