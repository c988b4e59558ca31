package acceptance

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// A ledger notes when refreshes begin.
type ledger struct {
	mu sync.Mutex
	at []time.Time
}

// keep makes as note its refreshes.
func (l *ledger) keep(as *fakes.Server) {
	as.Set(func() {
		before := as.Before
		as.Before = func(ctx context.Context, g auth.Grant) error {
			if g.Kind == auth.KindRefresh {
				l.mu.Lock()
				l.at = append(l.at, time.Now())
				l.mu.Unlock()
			}
			if before != nil {
				return before(ctx, g)
			}
			return nil
		}
	})
}

// most is how many refreshes there were in the fullest window of that length.
func (l *ledger) most(window time.Duration) (most int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := 0
	for i, at := range l.at {
		for at.Sub(l.at[first]) >= window {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// check fails where a window has more than the governor allows. The first of them may have been free: its token had lived
// half its life.
func (l *ledger) check(t *testing.T) {
	t.Helper()
	for window, limit := range map[time.Duration]int{500 * time.Millisecond: 1, time.Minute: 20 + 1, time.Hour: 120 + 1} {
		if n := l.most(window); n > limit {
			t.Errorf("%d refreshes in %v, want at most %d", n, window, limit)
		}
	}
}

// busily makes n callers do something for a while, one every 100 ms.
func busily(n int, d time.Duration, do func()) {
	began := time.Now()
	fakes.Times(n, func(int) {
		for time.Since(began) < d {
			do()
			time.Sleep(100 * time.Millisecond)
		}
	})
}

// edits makes as change the sessions that its refreshes give.
func edits(as *fakes.Server, edit func(*auth.Session)) {
	as.After = func(g auth.Grant, s auth.Session) (auth.Session, error) {
		if g.Kind == auth.KindRefresh {
			edit(&s)
		}
		return s, nil
	}
}

// Whatever the settings, the responses and the bugs are, a session has no more exchanges than its governor allows,
// for timers and callers together.
func TestF63_NothingPassesTheGovernor(t *testing.T) {
	for name, test := range map[string]struct {
		bend func(*fakes.Server, *silentrefresh.Config)
		do   func(*silentrefresh.Client) // what callers do all the time
	}{
		"renewals that are asked for": {
			func(_ *fakes.Server, cfg *silentrefresh.Config) { cfg.MaxWait = -1 },
			func(c *silentrefresh.Client) { c.Renew(context.Background()) },
		},
		"renewals that are waited for": {
			func(*fakes.Server, *silentrefresh.Config) {},
			func(c *silentrefresh.Client) { c.Renew(context.Background()) },
		},
		"a Rejected that always says yes": {
			func(_ *fakes.Server, cfg *silentrefresh.Config) {
				cfg.Rejected = func(*http.Response) bool { return true }
			},
			func(c *silentrefresh.Client) { get(c) },
		},
		"Reject of every token": {
			func(_ *fakes.Server, cfg *silentrefresh.Config) { cfg.MaxWait = -1 },
			func(c *silentrefresh.Client) {
				if token, err := c.Token(context.Background()); err == nil {
					c.Reject(token)
				}
			},
		},
		"tokens that are refused young": {
			func(as *fakes.Server, cfg *silentrefresh.Config) {
				cfg.MaxWait = -1
				cfg.Base = fakes.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
					resp, err := as.RoundTrip(req)
					time.AfterFunc(300*time.Millisecond, as.Revoke)
					return resp, err
				})
			},
			func(c *silentrefresh.Client) { get(c) },
		},
		"tokens that have ended when they come": {
			func(as *fakes.Server, cfg *silentrefresh.Config) {
				cfg.MaxWait = -1
				edits(as, func(s *auth.Session) { s.Expires = s.Issued.Add(-time.Second) })
			},
			func(c *silentrefresh.Client) { get(c) },
		},
		"tokens that live for a millisecond": {
			func(as *fakes.Server, cfg *silentrefresh.Config) { cfg.MaxWait, as.TTL = -1, time.Millisecond },
			func(c *silentrefresh.Client) { get(c) },
		},
		"tokens that were issued long ago": {
			func(as *fakes.Server, cfg *silentrefresh.Config) {
				cfg.MaxWait = -1
				edits(as, func(s *auth.Session) { s.Issued = s.Issued.Add(-24 * time.Hour) })
			},
			func(c *silentrefresh.Client) { c.Renew(context.Background()) },
		},
		"refreshes that fail": {
			func(as *fakes.Server, cfg *silentrefresh.Config) {
				cfg.MaxWait = time.Second
				as.Before = func(_ context.Context, g auth.Grant) error {
					if g.Kind == auth.KindRefresh {
						return fakes.Down()
					}
					return nil
				}
			},
			func(c *silentrefresh.Client) { get(c); c.Renew(context.Background()) },
		},
		"a dead session that is resumed again and again": {
			func(_ *fakes.Server, cfg *silentrefresh.Config) { cfg.MaxWait = -1 },
			func(c *silentrefresh.Client) {
				c.Resume(context.Background(), auth.Session{RefreshToken: auth.NewSecret("dead")})
				time.Sleep(time.Second) // as often as that is often enough, and sooner over
			},
		},
		"a session that is resumed after each logout": {
			func(_ *fakes.Server, cfg *silentrefresh.Config) { cfg.MaxWait = -1 },
			func(c *silentrefresh.Client) {
				c.Logout(context.Background())
				c.Resume(context.Background(), auth.Session{RefreshToken: auth.NewSecret("dead")})
				time.Sleep(time.Second) // as often as that is often enough, and sooner over
			},
		},
		"a Store that takes long now and then": {
			func(as *fakes.Server, cfg *silentrefresh.Config) {
				cfg.MaxWait = -1
				edits(as, func(s *auth.Session) { s.Expires = time.Time{} }) // none is free
				saves := 0                                                   // one at a time
				cfg.Store = &fakes.HookStore{Save: func([]byte) error {
					if saves++; saves%7 < 2 {
						time.Sleep(6 * time.Second)
					}
					return nil
				}}
			},
			func(c *silentrefresh.Client) { c.Renew(context.Background()) },
		},
		"an unknown lifetime, a silly MaxAge and no new token": {
			func(as *fakes.Server, cfg *silentrefresh.Config) {
				cfg.MaxAge, cfg.MaxWait = time.Millisecond, -1
				edits(as, func(s *auth.Session) { s.Expires = time.Time{} })
			},
			func(c *silentrefresh.Client) { get(c); c.Renew(context.Background()) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				as, l := &fakes.Server{}, &ledger{}
				c := clientOf(t, as, func(cfg *silentrefresh.Config) { test.bend(as, cfg) })
				l.keep(as)
				busily(3, 90*time.Minute, func() { test.do(c) })
				if l.check(t); len(l.at) < 20 {
					t.Errorf("%d refreshes: nobody insisted", len(l.at))
				}
			})
		})
	}
}

// A refresh that gives no new token is not repeated over and over.
func TestF63_NoNewTokenForADay(t *testing.T) {
	var issued auth.Session
	for name, test := range map[string]struct {
		after func(auth.Grant, auth.Session) (auth.Session, error)
		most  int
	}{
		"none, and MaxAge of a lifetime that nobody knows": {func(g auth.Grant, s auth.Session) (auth.Session, error) {
			if s.Expires = (time.Time{}); g.Kind == auth.KindRefresh {
				s.AccessToken = auth.Secret{}
			}
			return s, nil
		}, 24 * 60 / 9},
		"none before the present one ends": {func(g auth.Grant, s auth.Session) (auth.Session, error) {
			if g.Kind == auth.KindRefresh && s.Issued.Before(issued.Expires) {
				s.AccessToken = auth.Secret{}
				return s, nil
			}
			issued = s
			return s, nil
		}, 24 * 4},
		"the same before it ends": {func(g auth.Grant, s auth.Session) (auth.Session, error) {
			if g.Kind == auth.KindRefresh && s.Issued.Before(issued.Expires) {
				s.AccessToken, s.Expires = issued.AccessToken, issued.Expires
				return s, nil
			}
			issued = s
			return s, nil
		}, 24 * 4},
		"the same, for longer": {func(g auth.Grant, s auth.Session) (auth.Session, error) {
			if g.Kind == auth.KindRefresh {
				s.AccessToken = issued.AccessToken
			}
			issued = s
			return s, nil
		}, 24 * 4 / 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				as, l := &fakes.Server{TTL: time.Hour, After: test.after}, &ledger{}
				c := clientOf(t, as, func(cfg *silentrefresh.Config) { cfg.MaxAge = 10 * time.Minute })
				l.keep(as)
				for range 24 * 60 {
					time.Sleep(time.Minute)
					mustGet(t, c)
				}
				l.check(t)
				if most := l.most(time.Minute); len(l.at) > test.most || most > 2 {
					t.Errorf("%d refreshes in a day, want at most %d; %d of them within a minute", len(l.at), test.most, most)
				}
			})
		})
	}
}

// What a token's lifetime justifies is not counted, however short that is.
func TestF63_ShortLivesAreRenewedFreely(t *testing.T) {
	for _, ttl := range []time.Duration{time.Second, 2 * time.Second, 5 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			as, l := &fakes.Server{TTL: ttl}, &ledger{}
			c := clientOf(t, as)
			l.keep(as)
			busily(2, 2*time.Hour, func() { mustGet(t, c) })
			if n := l.most(time.Minute); n < int(time.Minute/ttl) || l.most(500*time.Millisecond) > 1 {
				t.Errorf("lifetime %v: %d refreshes in a minute", ttl, n)
			}
		})
	}
}

// However long an outage lasted, with callers or without, a minute later all is well.
func TestF63_AnOutageIsOverWithinAMinute(t *testing.T) {
	for _, callers := range []int{0, 1, 20} {
		synctest.Test(t, func(t *testing.T) {
			as, l := &fakes.Server{}, &ledger{}
			away := as.Breakable()
			c := clientOf(t, as, func(cfg *silentrefresh.Config) { cfg.MaxWait = time.Second })
			l.keep(as)
			away.Store(true)
			busily(callers, 3*time.Hour, func() { get(c) })
			if callers == 0 {
				time.Sleep(3 * time.Hour)
			}
			away.Store(false)
			time.Sleep(61 * time.Second)
			mustGet(t, c)
			l.check(t)
		})
	}
}

// A caller beyond the budget learns until when, and what failed last.
func TestF63_ACallerBeyondTheBudgetLearnsUntilWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clientOf(t, &fakes.Server{}, atOnce)
		var err error
		for i := 0; err == nil && i < 100; i++ {
			time.Sleep(500 * time.Millisecond)
			err = c.Renew(t.Context())
		}
		failure, ok := errors.AsType[*auth.Error](err)
		if !ok || !failure.Unsent || !failure.Until.After(time.Now()) || failure.Until.After(time.Now().Add(time.Minute)) {
			t.Fatalf("error %v", err)
		}
		if !strings.Contains(err.Error(), "postponed until") || errors.Is(err, silentrefresh.ErrSessionOver) {
			t.Errorf("error %v", err)
		}
		mustGet(t, c) // the token serves on
		time.Sleep(time.Until(failure.Until))
		if err := c.Renew(t.Context()); err != nil {
			t.Errorf("when it was postponed to: %v", err)
		}
	})
}

// The governor judges the session that is exchanged, which the Store may have from another process. What it says of that
// is not asked over and over.
func TestF63_WhatIsDeniedUnderTheLockIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{TTL: 30 * time.Second}
		store := &fakes.HookStore{Locked: func(context.Context) { time.Sleep(time.Millisecond) }}
		memoryOnly := func(cfg *silentrefresh.Config) { cfg.MemoryOnly = true }
		c := clientOf(t, as, in(store), memoryOnly)
		for range 20 {
			if err := c.Renew(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := strangerOf(t, as, in(store), memoryOnly).Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(16 * time.Second) // what is held here has lived half its life, and what the Store has is newer
		locks := store.Locks.Load()
		c.Renew(t.Context())
		if n := store.Locks.Load() - locks; n > 10 {
			t.Errorf("the lock was taken %d times", n)
		}
		time.Sleep(time.Minute)
		mustGet(t, c)
	})
}

func TestF63_SillyDurationsAreNamed(t *testing.T) {
	_, err := silentrefresh.New(silentrefresh.Config{
		BaseURL: "https://api.example.com", MaxAge: 300, Timeout: 30, RefreshBefore: 60, IdleTimeout: 900, MaxWait: 10,
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range []string{"MaxAge is 300ns", "300*time.Second", "Timeout is 30ns", "RefreshBefore is 60ns", "IdleTimeout is 900ns", "MaxWait is 10ns"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("nothing of %q in: %v", part, err)
		}
	}
}
