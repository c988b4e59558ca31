package silentrefresh

import (
	"context"
	"math"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
	"github.com/silentrefresh/silentrefresh/internal/wall"
)

func TestF18_SleepingLaptopSendsNoExpiredToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as)
		asleep := 8 * time.Hour
		wall.Sleep(asleep) // timers stand still
		defer wall.Sleep(-asleep)
		as.Revoke()
		mustGet(t, c)
		if as.Count(&as.Refused) != 0 {
			t.Error("an expired token was sent")
		}
	})
}

// Nor is it taken from the Store, where another process has noted that it is about to renew it.
func TestF18_ATokenThatEndedInSleepIsNotAdopted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as, store := &fakes.Server{TTL: time.Minute}, &fakes.Memory{}
		c, other := clientOf(t, as, in(store)), strangerOf(t, as, in(store))
		if err := c.Renew(context.Background()); err != nil { // so that the other one has an older token
			t.Fatal(err)
		}
		wall.Sleep(2 * time.Minute)
		defer wall.Sleep(-2 * time.Minute)
		as.Set(func() { as.Before = fakes.Slowly(auth.KindRefresh, 5*time.Second) })
		go c.Renew(context.Background())
		time.Sleep(time.Second)
		if got, err := other.Token(context.Background()); err != nil || got.Value.Reveal() != "access-secret-3" {
			t.Errorf("token %q, error %v, want the one that is coming", got.Value.Reveal(), err)
		}
	})
}

func TestF18_ClockSetBackDoesNotMakeATokenLiveLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as)
		wall.Sleep(-24 * time.Hour)
		defer wall.Sleep(24 * time.Hour)
		c.mu.Lock()
		c.schedule.timer.Stop() // as if the timer came late
		c.mu.Unlock()
		time.Sleep(16 * time.Minute)
		as.Revoke()
		mustGet(t, c)
		if as.Count(&as.Refused) != 0 {
			t.Error("an expired token was sent: the monotonic clock was not looked at")
		}
	})
}

func TestF19_AbsurdLifetimes(t *testing.T) {
	for life, most := range map[time.Duration]int{
		math.MinInt64: 130, -time.Hour: 130, 0: 130, 1: 130, time.Millisecond: 130, // twice a second
		30 * 24 * time.Hour: 0, math.MaxInt64: 0,
	} {
		synctest.Test(t, func(t *testing.T) {
			as := &fakes.Server{}
			as.Set(func() {
				as.After = func(_ auth.Grant, s auth.Session) (auth.Session, error) {
					s.Expires = s.Issued.Add(life)
					return s, nil
				}
			})
			c := clientOf(t, as)
			time.Sleep(time.Minute)
			mustGet(t, c)
			c.Close()
			if _, refreshes, _ := as.Counts(); refreshes > most {
				t.Errorf("lifetime %v: %d refreshes in a minute, want at most %d", life, refreshes, most)
			}
		})
	}
}

func TestF20_TheMarginScalesWithTheLifetime(t *testing.T) {
	for _, life := range []time.Duration{time.Second, 5 * time.Second, time.Minute, time.Hour, 24 * time.Hour, 365 * 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			as := &fakes.Server{TTL: life}
			c := clientOf(t, as)
			for range 20 {
				mustGet(t, c) // no request refreshes on its way
			}
			if _, refreshes, _ := as.Counts(); refreshes != 0 {
				t.Errorf("lifetime %v: %d refreshes at once", life, refreshes)
			}
			for range 40 {
				time.Sleep(life / 4)
				mustGet(t, c)
			}
			if _, refreshes, _ := as.Counts(); refreshes < 10 || refreshes > 20 {
				t.Errorf("lifetime %v: %d refreshes in 10 lifetimes", life, refreshes)
			}
			if w := c.Status().Stats.Waited; w != 0 {
				t.Errorf("lifetime %v: %d requests waited", life, w)
			}
		})
	}
}

func TestF21_AFleetThatStartedTogetherSpreads(t *testing.T) {
	for name, start := range map[string]func(t *testing.T, as *fakes.Server){
		"services": func(t *testing.T, as *fakes.Server) {
			mustGet(t, strangerOf(t, as, func(cfg *Config) { cfg.Credentials = func(context.Context) (any, error) { return nil, nil } }))
		},
		"brought sessions": func(t *testing.T, as *fakes.Server) {
			as.Mu.Lock()
			s := as.Issue()
			as.Mu.Unlock()
			if err := strangerOf(t, as).Resume(t.Context(), auth.Session{RefreshToken: s.RefreshToken}); err != nil {
				t.Fatal(err)
			}
		},
		"a restart long after": func(t *testing.T, as *fakes.Server) {
			store := &MemoryStore{}
			clientOf(t, as, in(store), func(cfg *Config) { cfg.MemoryOnly = true }).Close()
			strangerOf(t, as, in(store))
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			if peak := fleetPeak(t, start); peak > 2.2 {
				t.Errorf("%s: %.1f times the mean", name, peak)
			}
		})
	}
}

func forkOf(t *testing.T, c *Client, user int) *Client {
	t.Helper()
	fork, err := c.Fork("user" + strconv.Itoa(user))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fork.Close() })
	return fork
}

// fleetPeak is how many times the mean 500 clients that start together refresh in the busiest minute, when two
// lifetimes have passed.
func fleetPeak(t *testing.T, start func(*testing.T, *fakes.Server)) float64 {
	const life, span = 15 * time.Minute, 2 * time.Hour
	began := time.Now()
	minutes := make([]atomic.Int64, int(span.Minutes())+1)
	for range 500 {
		start(t, &fakes.Server{TTL: life, Before: func(_ context.Context, g auth.Grant) error {
			if g.Kind == auth.KindRefresh {
				minutes[int(time.Since(began).Minutes())].Add(1)
			}
			return nil
		}})
	}
	time.Sleep(span)
	peak, sum, n := int64(0), int64(0), int64(0)
	for m := int(2 * life.Minutes()); m < int(span.Minutes()); m++ {
		peak, sum, n = max(peak, minutes[m].Load()), sum+minutes[m].Load(), n+1
	}
	return float64(peak) * float64(n) / float64(sum)
}

// Many who log in together in one process spread in the first lifetime already. Whoever logs in alone sees the usual
// schedule.
func TestF21_LoginsThatComeTogetherSpreadAtOnce(t *testing.T) {
	const life = 15 * time.Minute
	for name, test := range map[string]struct {
		sessions int
		gap      time.Duration
		least    int // of them renew within the first half of the lifetime
		most     int
	}{
		"together":            {400, 10 * time.Millisecond, 150, 300},
		"alone":               {1, 0, 0, 0},
		"one after the other": {60, 10 * time.Second, 0, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			root := strangerOf(t, &fakes.Server{TTL: life})
			early := 0
			for i := range test.sessions {
				c := root
				if i > 0 {
					c = forkOf(t, root, i)
				}
				if err := c.Login(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
				if due := time.Until(c.Status().NextRefresh); due < life/2 {
					early++
				} else if due > life*85/100 {
					t.Errorf("%s: due in %v", name, due)
				}
				time.Sleep(test.gap)
			}
			if early < test.least || early > test.most {
				t.Errorf("%s: %d of %d renew within the first half of the lifetime, want %d to %d", name, early, test.sessions, test.least, test.most)
			}
		})
	}
}

// A session's end that a login states is no renewal of its own: a person sees the usual schedule, and a fleet spreads in
// the second lifetime.
func TestF21_TheEndOfTheSessionCountsAsNoRenewal(t *testing.T) {
	for _, ends := range []time.Duration{30 * time.Minute, 30 * 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			first := ends
			peak := fleetPeak(t, func(t *testing.T, as *fakes.Server) {
				as.After = func(_ auth.Grant, s auth.Session) (auth.Session, error) {
					s.Ends = time.Now().Add(ends)
					return s, nil
				}
				first = min(first, time.Until(clientOf(t, as).Status().NextRefresh))
			})
			if first < 11*time.Minute || peak > 2.2 {
				t.Errorf("a session of %v: the first renewal after %v, and %.1f times the mean", ends, first, peak)
			}
		})
	}
}

func TestF21_WhatIsRenewedByItsAgeSpreads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peak := fleetPeak(t, func(t *testing.T, as *fakes.Server) {
			as.After = func(_ auth.Grant, s auth.Session) (auth.Session, error) { s.Expires = time.Time{}; return s, nil }
			clientOf(t, as, func(cfg *Config) { cfg.MaxAge = 15 * time.Minute })
		})
		if peak > 2.5 {
			t.Errorf("%.1f times the mean", peak)
		}
	})
}

func TestF22_UnknownExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		forget := func(_ auth.Grant, s auth.Session) (auth.Session, error) { s.Expires = time.Time{}; return s, nil }
		as := &fakes.Server{After: forget}
		c := clientOf(t, as)
		time.Sleep(30 * 24 * time.Hour)
		mustGet(t, c)
		if _, refreshes, _ := as.Counts(); refreshes != 0 {
			t.Errorf("%d refreshes without a reason", refreshes)
		}
		as.Revoke()
		mustGet(t, c)
		if _, refreshes, _ := as.Counts(); refreshes != 1 {
			t.Errorf("%d refreshes after a 401, want 1", refreshes)
		}
		aged := &fakes.Server{After: forget}
		clientOf(t, aged, func(cfg *Config) { cfg.MaxAge = time.Hour })
		time.Sleep(24 * time.Hour)
		if _, refreshes, _ := aged.Counts(); refreshes < 23 || refreshes > 27 {
			t.Errorf("%d refreshes in 24 hours with MaxAge 1 h", refreshes)
		}
	})
}

func TestF23_AnIdleSessionStopsRefreshing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as, func(cfg *Config) { cfg.IdleTimeout = time.Hour })
		mustGet(t, c)
		time.Sleep(24 * time.Hour)
		_, refreshes, _ := as.Counts()
		if refreshes < 3 || refreshes > 8 {
			t.Errorf("%d refreshes in a day of which an hour was not idle", refreshes)
		}
		as.Revoke()
		mustGet(t, c) // refreshes first
		if as.Count(&as.Refused) != 0 {
			t.Error("the first request after the pause was sent with an expired token")
		}
		for range 8 {
			time.Sleep(10 * time.Minute)
			mustGet(t, c)
		}
		if w := c.Status().Stats.Waited; w > 1 {
			t.Errorf("%d requests waited, want the first at most", w)
		}
	})
}

// Starting and logging in are uses: nobody who has just done so finds the session asleep.
func TestF23_AStartAndALoginCountAsRequests(t *testing.T) {
	idleStop := func(cfg *Config) { cfg.IdleTimeout = time.Hour }
	for name, begin := range map[string]func(*testing.T, *fakes.Server) *Client{
		"a login, long after the start": func(t *testing.T, as *fakes.Server) *Client {
			c := strangerOf(t, as, idleStop)
			time.Sleep(2 * time.Hour)
			if err := c.Login(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			return c
		},
		"a start with a stored session": func(t *testing.T, as *fakes.Server) *Client {
			store := &MemoryStore{}
			clientOf(t, as, in(store)).Close()
			return strangerOf(t, as, in(store), idleStop)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				as := &fakes.Server{}
				c := begin(t, as)
				time.Sleep(14 * time.Minute)
				if _, refreshes, _ := as.Counts(); refreshes == 0 || c.dozing.Load() {
					t.Errorf("%d refreshes in the next 14 minutes, dozing %v", refreshes, c.dozing.Load())
				}
			})
		})
	}
}

// Requests that come together wake the session, and none disturbs the others.
func TestF23_ManyRequestsWakeTheSessionTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{TTL: time.Hour}
		c := clientOf(t, as, func(cfg *Config) { cfg.IdleTimeout = 10 * time.Minute })
		time.Sleep(56 * time.Minute)
		if !c.dozing.Load() {
			t.Fatal("the session is awake")
		}
		fakes.Times(50, func(int) {
			resp, err := c.HTTPClient().Do(stream()) // looks at when the renewal is due
			if err != nil || resp.StatusCode != 200 {
				t.Error(resp, err)
			}
		})
		time.Sleep(4 * time.Minute)
		if _, refreshes, _ := as.Counts(); refreshes < 1 || c.dozing.Load() {
			t.Errorf("%d refreshes, dozing %v: the session is in use again", refreshes, c.dozing.Load())
		}
	})
}

// A replay with an older token, whose response comes late, says nothing about an endpoint that rejects the present one.
func TestF70_OnlyTheReplayOfThePresentTokenExonerates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clientOf(t, &fakes.Server{})
		const bad = "GET api.example.com/bad"
		present := c.state.Load().generation
		c.rejectedAgain(present, bad)
		c.exonerate(present-1, bad)
		if c.reject(present, c.state.Load().session(), bad) || !c.state.Load().usable(time.Now()) {
			t.Error("a late response has exonerated the endpoint")
		}
		c.exonerate(present, bad)
		if !c.reject(present, c.state.Load().session(), bad) || c.state.Load().usable(time.Now()) {
			t.Error("the endpoint is not believed again")
		}
	})
}

// A token is rejected that is being renewed: what comes of that is waited for, though the governor allows no exchange after
// it for a while.
func TestF63_TheLastExchangeThatTheGovernorAllowsIsJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{Before: fakes.Slowly(auth.KindRefresh, time.Second)}
		c := clientOf(t, as)
		c.mu.Lock()
		c.budget.spent = &spent{}
		for range sparing {
			c.budget.spent.draws = append(c.budget.spent.draws, time.Now())
		}
		c.mu.Unlock()
		time.Sleep(2 * time.Minute)
		as.Revoke()
		go c.Renew(context.Background())
		synctest.Wait()
		mustGet(t, c)
	})
}
