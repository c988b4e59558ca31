package acceptance

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// Logout at the very moment at which a refresh comes back without a token: nothing is due any more, for ever.
func TestF64_LogoutWhileARefreshLandsWithoutAToken(t *testing.T) {
	for range 100 {
		synctest.Test(t, func(t *testing.T) {
			gate := make(chan struct{})
			as := &fakes.Server{}
			c := clientOf(t, as)
			as.Set(func() {
				as.After = func(g auth.Grant, s auth.Session) (auth.Session, error) {
					if g.Kind == auth.KindRefresh {
						<-gate
						s.AccessToken = auth.Secret{}
					}
					return s, nil
				}
			})
			go c.Renew(context.Background())
			synctest.Wait()
			go close(gate)
			if err := c.Logout(t.Context()); err != nil {
				t.Error(err)
			}
			synctest.Wait()
			calls := as.Count(&as.Calls)
			if s := c.Status(); !s.NextRefresh.IsZero() || s.State != silentrefresh.StateNone {
				t.Errorf("after Logout: %+v", s)
			}
			time.Sleep(24 * time.Hour)
			if n := as.Count(&as.Calls) - calls; n != 0 {
				t.Errorf("%d calls after Logout", n)
			}
		})
	}
}

// A history keeps what happened, in the order in which it was told.
type history struct {
	mu  sync.Mutex
	evs []silentrefresh.Event
}

func (h *history) observe(cfg *silentrefresh.Config) {
	cfg.Observe = func(ev silentrefresh.Event) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.evs = append(h.evs, ev)
	}
}

// last is the last event that says whether there is a session.
func (h *history) last() (last silentrefresh.EventKind) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, ev := range h.evs {
		switch ev.Kind {
		case silentrefresh.EventLoggedIn, silentrefresh.EventResumed, silentrefresh.EventRenewed, silentrefresh.EventOver, silentrefresh.EventLoggedOut:
			last = ev.Kind
		}
	}
	return last
}

// Of logins, ends, renewals and logouts that race, the last event is the last state.
func TestF66_TheLastEventIsTheLastState(t *testing.T) {
	for range 150 {
		synctest.Test(t, func(t *testing.T) {
			as, h := &fakes.Server{}, &history{}
			as.Before = func(context.Context, auth.Grant) error {
				time.Sleep(time.Duration(rand.IntN(3)) * time.Millisecond)
				return nil
			}
			c := clientOf(t, as, h.observe, atOnce)
			ends := []func(){
				func() { c.Login(context.Background(), nil) },
				func() { c.Logout(context.Background()) },
				func() { c.Renew(context.Background()) },
				func() { as.Set(func() { as.Refresh = "" }); c.Renew(context.Background()) },
				func() {
					c.Resume(context.Background(), auth.Session{RefreshToken: auth.NewSecret(as.Good()), AccessToken: auth.NewSecret("a")})
				},
			}
			fakes.Times(10, func(i int) {
				time.Sleep(time.Duration(rand.IntN(3)) * time.Millisecond)
				ends[i%len(ends)]()
			})
			synctest.Wait()
			want := map[silentrefresh.State][]silentrefresh.EventKind{
				silentrefresh.StateLoggedIn: {silentrefresh.EventLoggedIn, silentrefresh.EventResumed, silentrefresh.EventRenewed},
				silentrefresh.StateOffline:  {silentrefresh.EventLoggedIn, silentrefresh.EventResumed, silentrefresh.EventRenewed},
				silentrefresh.StateOver:     {silentrefresh.EventOver},
				silentrefresh.StateNone:     {silentrefresh.EventLoggedOut},
			}
			state, last := c.Status().State, h.last()
			for _, kind := range want[state] {
				if kind == last {
					return
				}
			}
			t.Errorf("the last event is %q, the state is %q", last, state)
		})
	}
}

// Each event says what is true at that moment: generations never go back.
func TestF66_GenerationsNeverGoBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &history{}
		c := clientOf(t, &fakes.Server{}, h.observe, atOnce)
		fakes.Times(16, func(int) {
			for range 10 {
				c.Renew(context.Background())
				c.Login(context.Background(), nil)
			}
		})
		synctest.Wait()
		var generation uint64
		for i, ev := range h.evs {
			if ev.Generation < generation {
				t.Fatalf("event %d (%s) is of generation %d, after %d", i, ev.Kind, ev.Generation, generation)
			}
			generation = ev.Generation
		}
	})
}

// A Login without a token, while a Token waits for the refresh that it overtakes.
func TestF67_ATokenIsNeverEmptyWithoutAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as)
		as.Set(func() {
			as.After = func(g auth.Grant, s auth.Session) (auth.Session, error) {
				if g.Kind == auth.KindLogin {
					s.AccessToken = auth.Secret{}
				} else {
					time.Sleep(time.Second) // the refresh has taken effect, and its response is on the way
				}
				return s, nil
			}
		})
		time.Sleep(16 * time.Minute)
		token, err := c.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c.Reject(token)
		time.Sleep(time.Second)
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				if token, err := c.Token(t.Context()); err != nil || token.Value.IsZero() {
					t.Errorf("an empty token: %v, error %v", token.Value.IsZero(), err)
				}
			})
		}
		time.Sleep(500 * time.Millisecond)
		if err := c.Login(t.Context(), nil); err != nil {
			t.Error(err)
		}
		all.Wait()
	})
}

// The same after everything that can end a session while somebody waits.
func TestF67_WhoWaitedLooksAgain(t *testing.T) {
	for name, end := range map[string]struct {
		do   func(*silentrefresh.Client)
		want error
	}{
		"Logout": {func(c *silentrefresh.Client) { c.Logout(context.Background()) }, silentrefresh.ErrNoSession},
		"Close":  {func(c *silentrefresh.Client) { c.Close() }, silentrefresh.ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				as := &fakes.Server{Before: fakes.Slowly(auth.KindRefresh, time.Second)}
				c := clientOf(t, as)
				token, _ := c.Token(t.Context())
				c.Reject(token)
				go func() { time.Sleep(500 * time.Millisecond); end.do(c) }()
				token, err := c.Token(t.Context())
				if !errors.Is(err, end.want) || !token.Value.IsZero() {
					t.Errorf("a token %v, %v", token, err)
				}
				time.Sleep(time.Minute) // the refresh lands
			})
		})
	}
}
