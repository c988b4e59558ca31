package silentrefresh

import (
	"context"
	"errors"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/wall"
)

func TestF18_SleepingLaptopSendsNoExpiredToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		c := as.client(t)
		asleep := 8 * time.Hour
		wall.Sleep(asleep) // timers stand still
		defer wall.Sleep(-asleep)
		as.revoke()
		mustGet(t, c)
		if as.count(&as.refused) != 0 {
			t.Error("an expired token was sent")
		}
	})
}

func TestF18_ClockSetBackDoesNotMakeATokenLiveLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		c := as.client(t)
		wall.Sleep(-24 * time.Hour)
		defer wall.Sleep(24 * time.Hour)
		c.mu.Lock()
		c.disarm() // as if the timer came late
		c.mu.Unlock()
		time.Sleep(16 * time.Minute)
		as.revoke()
		mustGet(t, c)
		if as.count(&as.refused) != 0 {
			t.Error("an expired token was sent: the monotonic clock was not looked at")
		}
	})
}

func TestF19_AbsurdLifetimes(t *testing.T) {
	for _, life := range []time.Duration{math.MinInt64, -time.Hour, 0, 1, time.Millisecond, 30 * 24 * time.Hour, math.MaxInt64} {
		synctest.Test(t, func(t *testing.T) {
			as := &fakeAS{}
			as.set(func() {
				as.after = func(_ Grant, s Session) (Session, error) {
					s.Expires = s.Issued.Add(life)
					return s, nil
				}
			})
			c := as.client(t)
			time.Sleep(time.Minute)
			mustGet(t, c)
			c.Close()
			if _, refreshes, _ := as.counts(); refreshes > 130 {
				t.Errorf("lifetime %v: %d refreshes in a minute", life, refreshes)
			}
		})
	}
}

func TestF20_TheMarginScalesWithTheLifetime(t *testing.T) {
	for _, life := range []time.Duration{time.Second, 5 * time.Second, time.Minute, time.Hour, 24 * time.Hour, 365 * 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			as := &fakeAS{ttl: life}
			c := as.client(t)
			for range 20 {
				mustGet(t, c) // no request refreshes on its way
			}
			if _, refreshes, _ := as.counts(); refreshes != 0 {
				t.Errorf("lifetime %v: %d refreshes at once", life, refreshes)
			}
			for range 40 {
				time.Sleep(life / 4)
				mustGet(t, c)
			}
			if _, refreshes, _ := as.counts(); refreshes < 10 || refreshes > 20 {
				t.Errorf("lifetime %v: %d refreshes in 10 lifetimes", life, refreshes)
			}
			if w := c.Status().Stats.Waited; w != 0 {
				t.Errorf("lifetime %v: %d requests waited", life, w)
			}
		})
	}
}

func TestF21_AFleetThatStartedTogetherSpreads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n, life = 500, 15 * time.Minute
		began := time.Now()
		as := make([]*fakeAS, n)
		seconds := make([]atomic.Int64, 4*3600)
		for i := range as {
			as[i] = &fakeAS{ttl: life, before: func(_ context.Context, g Grant) error {
				if g.Kind == Refresh {
					seconds[int(time.Since(began).Seconds())].Add(1)
				}
				return nil
			}}
			c := as[i].stranger(t, func(cfg *Config) {
				cfg.Credentials = func(context.Context) (any, error) { return nil, nil }
			})
			mustGet(t, c)
		}
		time.Sleep(2 * time.Hour)
		// By the minute, after two lifetimes.
		peak, sum, minutes := int64(0), int64(0), int64(0)
		for at := int(2 * life.Seconds()); at+60 <= 7200; at += 60 {
			var m int64
			for s := at; s < at+60; s++ {
				m += seconds[s].Load()
			}
			peak, sum, minutes = max(peak, m), sum+m, minutes+1
		}
		if mean := float64(sum) / float64(minutes); float64(peak) > 2.2*mean {
			t.Errorf("peak %d a minute, mean %.1f", peak, mean)
		}
	})
}

func TestF22_UnknownExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		forget := func(_ Grant, s Session) (Session, error) { s.Expires = time.Time{}; return s, nil }
		as := &fakeAS{after: forget}
		c := as.client(t)
		time.Sleep(30 * 24 * time.Hour)
		mustGet(t, c)
		if _, refreshes, _ := as.counts(); refreshes != 0 {
			t.Errorf("%d refreshes without a reason", refreshes)
		}
		as.revoke()
		mustGet(t, c)
		if _, refreshes, _ := as.counts(); refreshes != 1 {
			t.Errorf("%d refreshes after a 401, want 1", refreshes)
		}
		aged := &fakeAS{after: forget}
		aged.client(t, func(cfg *Config) { cfg.MaxAge = time.Hour })
		time.Sleep(24 * time.Hour)
		if _, refreshes, _ := aged.counts(); refreshes < 23 || refreshes > 27 {
			t.Errorf("%d refreshes in 24 hours with MaxAge 1 h", refreshes)
		}
	})
}

func TestF23_AnIdleSessionStopsRefreshing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		c := as.client(t, func(cfg *Config) { cfg.IdleStop = time.Hour })
		mustGet(t, c)
		time.Sleep(24 * time.Hour)
		_, refreshes, _ := as.counts()
		if refreshes < 3 || refreshes > 8 {
			t.Errorf("%d refreshes in a day of which an hour was not idle", refreshes)
		}
		as.revoke()
		mustGet(t, c) // refreshes first
		if as.count(&as.refused) != 0 {
			t.Error("the first request after the pause was sent with an expired token")
		}
		for range 8 {
			time.Sleep(10 * time.Minute)
			mustGet(t, c)
		}
		if w := c.Status().Stats.Waited; w != 1 {
			t.Errorf("%d requests waited, want only the first", w)
		}
	})
}

func TestF25_AFailedProactiveRefreshKeepsTheToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		var away atomic.Bool
		as.set(func() {
			as.before = func(context.Context, Grant) error {
				if away.Load() {
					return down()
				}
				return nil
			}
		})
		c := as.client(t)
		away.Store(true)
		for range 14 {
			time.Sleep(time.Minute)
			mustGet(t, c)
		}
		if s := c.Status(); s.State != StateLoggedIn || s.Err == nil {
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
		as := &fakeAS{}
		var away atomic.Bool
		as.set(func() {
			as.before = func(context.Context, Grant) error {
				if away.Load() {
					return down()
				}
				return nil
			}
		})
		c := as.client(t)
		away.Store(true)
		time.Sleep(15 * time.Minute) // the token is over
		calls := as.count(&as.calls)
		began := time.Now()
		times(20, func(int) {
			for time.Since(began) < 10*time.Minute {
				_, err := get(c)
				if re, ok := errors.AsType[*RefreshError](err); !ok || re.Until.IsZero() || !strings.Contains(err.Error(), "postponed until") {
					t.Errorf("error %v, want one that says until when", err)
				}
			}
		})
		if n := as.count(&as.calls) - calls; n > 300 {
			t.Errorf("%d calls in an outage of 10 minutes with 20 impatient callers", n)
		}
		away.Store(false)
		mustGet(t, c)
	})
}

func TestF26_RetryAfterIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		c := as.client(t)
		asked := time.Now()
		as.set(func() {
			as.before = func(context.Context, Grant) error {
				return &RefreshError{Op: Refresh, Status: 429, Unsent: true, Until: asked.Add(5 * time.Minute)}
			}
		})
		as.revoke()
		calls := as.count(&as.calls)
		if status, _ := get(c); status != 401 {
			t.Errorf("status %d", status)
		}
		for range 20 {
			if _, err := get(c); err == nil {
				t.Error("sent")
			}
		}
		if n := as.count(&as.calls) - calls; n != 1 {
			t.Errorf("%d calls within Retry-After, want 1", n)
		}
		if s := c.Status(); s.State == StateOver {
			t.Error("a rate limit ended the session")
		}
		as.set(func() { as.before = nil })
		time.Sleep(11 * time.Minute)
		mustGet(t, c)
	})
}

func TestF26_ColdStartWithAFailureSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		store := &MemoryStore{}
		first := as.client(t, func(cfg *Config) { cfg.Store = store })
		first.Close()
		time.Sleep(time.Hour)
		fails := 1
		as.set(func() {
			as.before = func(context.Context, Grant) error {
				if fails--; fails >= 0 {
					return down()
				}
				return nil
			}
		})
		calls := as.count(&as.calls)
		c := as.stranger(t, func(cfg *Config) { cfg.Store = store })
		times(100, func(int) { mustGet(t, c) })
		if n := as.count(&as.calls) - calls; n != 2 {
			t.Errorf("%d calls, want the one that failed and the one that did not", n)
		}
	})
}

func TestF27_TheEndOfASessionLatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		var kinds []EventKind
		c := as.client(t, func(cfg *Config) { cfg.Observe = func(ev Event) { kinds = append(kinds, ev.Kind) } })
		as.set(func() { as.before = func(context.Context, Grant) error { return invalidGrant() } })
		c.Renew(context.Background())
		calls := as.count(&as.calls)
		for range 100 {
			if _, err := get(c); !errors.Is(err, ErrSessionOver) {
				t.Fatalf("error %v", err)
			}
			time.Sleep(time.Minute)
		}
		if as.count(&as.calls) != calls {
			t.Errorf("%d auth calls after the end", as.count(&as.calls)-calls)
		}
		as.set(func() { as.before = nil })
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

func TestF28_ASilentServerHasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		c := as.client(t, func(cfg *Config) { cfg.Timeout = 5 * time.Second; cfg.MaxWait = -1 })
		as.set(func() { as.before = func(ctx context.Context, g Grant) error { <-ctx.Done(); return ctx.Err() } })
		as.revoke()
		began := time.Now()
		if status, err := get(c); status != 401 {
			t.Errorf("status %d, error %v", status, err)
		}
		if d := time.Since(began); d != 5*time.Second {
			t.Errorf("held for %v", d)
		}
		as.set(func() { as.before = nil })
		time.Sleep(5 * time.Second)
		mustGet(t, c)
	})
}

func TestF29_ALostAnswerIsNotALogout(t *testing.T) {
	for _, grace := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			as := &fakeAS{}
			lose := false
			as.set(func() {
				as.after = func(g Grant, s Session) (Session, error) {
					if lose && g.Kind == Refresh {
						lose = false
						if grace { // the server takes the old one once more
							as.mu.Lock()
							as.refresh = g.Old.RefreshToken.Reveal()
							delete(as.spent, as.refresh)
							as.mu.Unlock()
						}
						return Session{}, &RefreshError{Op: Refresh, Status: 502, Unknown: true}
					}
					return s, nil
				}
			})
			c := as.client(t)
			lose = true
			err := c.Renew(context.Background()) // waits through the backoff and presents the credential again
			switch {
			case grace && err != nil:
				t.Errorf("with a grace window: %v", err)
			case grace:
				mustGet(t, c)
			case !errors.Is(err, ErrSessionOver) || !strings.Contains(err.Error(), "interrupted"):
				t.Errorf("without: %v; want over, and that it was interrupted", err)
			case c.Status().State != StateInterrupted:
				t.Errorf("state %q", c.Status().State)
			}
		})
	}
}

func TestF31_WhatIsOmittedIsCarriedForward(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		as.set(func() {
			as.after = func(g Grant, s Session) (Session, error) {
				if g.Kind == Refresh { // the server does not rotate
					as.mu.Lock()
					as.refresh = g.Old.RefreshToken.Reveal()
					delete(as.spent, as.refresh)
					as.mu.Unlock()
					s = Session{AccessToken: s.AccessToken, Issued: s.Issued, Expires: s.Expires}
				}
				return s, nil
			}
		})
		c := as.client(t)
		for range 3 {
			if err := c.Renew(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		if s := c.Status(); s.Account != "ada@example.com" || !s.Renewable {
			t.Errorf("status %+v", s)
		}
	})
}

func TestF55_NoNewTokenDoesNotSpin(t *testing.T) {
	for name, after := range map[string]func(g Grant, s Session) (Session, error){
		"none":            func(g Grant, s Session) (Session, error) { s.AccessToken = Secret{}; return s, nil },
		"the same string": func(g Grant, s Session) (Session, error) { s.AccessToken = g.Old.AccessToken; return s, nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				as := &fakeAS{}
				as.set(func() {
					as.after = func(g Grant, s Session) (Session, error) {
						if g.Kind != Refresh {
							return s, nil
						}
						return after(g, s)
					}
				})
				c := as.client(t)
				for range 100 {
					mustGet(t, c)
				}
				times(100, func(int) {
					if err := c.renew(context.Background(), 1, TriggerAsked); err != nil {
						t.Error(err)
					}
				})
				if _, refreshes, _ := as.counts(); refreshes != 1 {
					t.Errorf("%d refreshes for 100 callers at once, want 1", refreshes)
				}
				mustGet(t, c)
				calls := as.count(&as.calls)
				time.Sleep(10 * time.Minute)
				if n := as.count(&as.calls) - calls; n > 30 {
					t.Errorf("%d refreshes in 10 minutes", n)
				}
			})
		})
	}
}

func TestF55_RefusedAndNotReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		as.set(func() {
			as.after = func(g Grant, s Session) (Session, error) {
				if g.Kind == Refresh {
					s.AccessToken = Secret{}
				}
				return s, nil
			}
		})
		c := as.client(t)
		as.revoke()
		for range 100 {
			if status, err := get(c); status != 401 {
				t.Fatalf("status %d, error %v", status, err)
			}
		}
		if _, refreshes, _ := as.counts(); refreshes != 1 {
			t.Errorf("%d refreshes, want 1", refreshes)
		}
	})
}

func TestF56_HandedOutTokens(t *testing.T) {
	const header = "X-New-Token"
	for _, test := range []struct {
		name    string
		between func(c *Client)
		taken   bool
	}{
		{"in time", func(*Client) {}, true},
		{"after a refresh", func(c *Client) { c.Renew(context.Background()) }, false},
		{"after a logout", func(c *Client) { c.Logout(context.Background()) }, false},
		{"after another login", func(c *Client) { c.Login(context.Background(), nil) }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				as := &fakeAS{}
				late := make(chan struct{})
				as.set(func() {
					as.api = func(req *http.Request) (*http.Response, error) {
						<-late
						resp := answerTo(req, 200)
						resp.Header.Set(header, "handed-out")
						return resp, nil
					}
				})
				c := as.client(t, func(cfg *Config) { cfg.HandOutHeader = header })
				time.Sleep(time.Second)
				done := make(chan struct{})
				go func() { get(c); close(done) }()
				synctest.Wait()
				test.between(c)
				close(late)
				<-done
				if taken := c.state.Load().session().AccessToken.Reveal() == "handed-out"; taken != test.taken {
					t.Errorf("taken: %v", taken)
				}
			})
		})
	}
}
