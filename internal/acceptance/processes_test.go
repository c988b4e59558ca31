package acceptance

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

func TestF34_OneRefreshForAllWhoShareAStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{Before: func(context.Context, auth.Grant) error { time.Sleep(50 * time.Millisecond); return nil }}
		store := &fakes.Memory{}
		clients := []*silentrefresh.Client{clientOf(t, as, in(store))}
		for range 99 {
			clients = append(clients, strangerOf(t, as, in(store)))
		}
		as.Revoke()
		fakes.Times(100, func(i int) { mustGet(t, clients[i]) })
		if _, refreshes, reuses := as.Counts(); refreshes != 1 || reuses != 0 {
			t.Errorf("%d refreshes, %d reuses; want 1 and 0", refreshes, reuses)
		}
	})
}

func TestF34_MemoryOnlySpendsEachCredentialOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		store := &fakes.HookStore{Save: func(b []byte) error {
			if bytes.Contains(b, []byte("access-secret")) {
				t.Error("an access token was written down")
			}
			return nil
		}}
		cautious := func(cfg *silentrefresh.Config) { cfg.Store, cfg.MemoryOnly = store, true }
		clients := []*silentrefresh.Client{clientOf(t, as, cautious)}
		for range 19 {
			clients = append(clients, strangerOf(t, as, cautious))
		}
		fakes.Times(20, func(i int) { mustGet(t, clients[i]) })
		if _, refreshes, reuses := as.Counts(); refreshes > 20 || reuses != 0 {
			t.Errorf("%d refreshes, %d reuses", refreshes, reuses)
		}
	})
}

// A store whose lock was lost lets two exchange the same credential. The one that is refused finds the other's
// session, and does not delete it.
func TestF35_TheLoserOfARaceAdoptsTheWinners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		store := &fakes.Memory{}
		winner := clientOf(t, as, in(store))
		loser := strangerOf(t, as, in(store))
		as.Set(func() {
			as.Before = func(_ context.Context, g auth.Grant) error {
				as.Set(func() { as.Before = nil })
				// While the loser holds the lock, somebody without it renews and saves.
				s, err := as.Exchange(context.Background(), nil, g)
				if err != nil {
					return err
				}
				r := stored(t, store, winner).With(s.CarryForward(g.Old))
				b, _ := r.Encode(false)
				store.Put(winner.StoreKey(), b)
				return fakes.InvalidGrant()
			}
		})
		if err := loser.Renew(context.Background()); err != nil {
			t.Fatal(err)
		}
		mustGet(t, loser)
		if r := stored(t, store, loser); r.Over != "" || r.Session.RefreshToken.Reveal() != as.Good() {
			t.Error("the winner's session is gone")
		}
	})
}

func TestF37_AValidTokenNeedsNoLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		store := &fakes.HookStore{}
		clientOf(t, as, in(store))
		stalled := make(chan struct{})
		holder := strangerOf(t, as, in(store))
		as.Set(func() { as.Before = func(context.Context, auth.Grant) error { <-stalled; return nil } })
		go holder.Renew(context.Background())
		synctest.Wait()
		locks := store.Locks.Load()
		other := strangerOf(t, as, in(store))
		began := time.Now()
		mustGet(t, other)
		if time.Since(began) > 0 || store.Locks.Load() != locks {
			t.Error("a request with a valid token waited for another process")
		}
		close(stalled)
	})
}

func TestF38_PatienceOutlastsSlowHolders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{Before: func(_ context.Context, g auth.Grant) error {
			if g.Kind == auth.KindRefresh {
				time.Sleep(25 * time.Second) // each is slow, none is too slow
			}
			return nil
		}}
		store := &fakes.Memory{}
		clients := []*silentrefresh.Client{clientOf(t, as, in(store), func(cfg *silentrefresh.Config) { cfg.MemoryOnly = true })}
		for range 99 {
			clients = append(clients, strangerOf(t, as, in(store), func(cfg *silentrefresh.Config) { cfg.MemoryOnly = true }))
		}
		fakes.Times(100, func(i int) {
			if _, err := clients[i].Token(context.Background()); err != nil {
				t.Errorf("number %d: %v", i, err)
			}
		})
		if _, _, reuses := as.Counts(); reuses != 0 {
			t.Errorf("%d reuses", reuses)
		}
	})
}

func TestF38_AHungHolderIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		store := &fakes.Memory{}
		var warnings []string
		c := clientOf(t, as, in(store), func(cfg *silentrefresh.Config) {
			cfg.MaxWait = -1
			cfg.Observe = func(ev silentrefresh.Event) {
				if ev.Kind == silentrefresh.EventWarning {
					warnings = append(warnings, ev.Err.Error())
				}
			}
		})
		hung := make(chan struct{})
		go store.Update(context.Background(), c.StoreKey(), func(context.Context, []byte, func([]byte) error) error { <-hung; return nil })
		synctest.Wait()
		err := c.Renew(context.Background())
		if err == nil || !strings.Contains(err.Error(), "the session's lock has been held for 35s") {
			t.Errorf("error %v", err)
		}
		mustGet(t, c) // the token is still good
		synctest.Wait()
		if len(warnings) != 1 || !strings.Contains(warnings[0], "waiting for another process") {
			t.Errorf("warnings %q", warnings)
		}
		close(hung)
	})
}

func TestF42_AnotherAccountIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ada, bob := &fakes.Server{}, &fakes.Server{}
		bob.Set(func() {
			bob.After = func(_ auth.Grant, s auth.Session) (auth.Session, error) {
				s.Subject, s.Account = "2", "bob@example.com"
				return s, nil
			}
		})
		store := &fakes.Memory{}
		c := clientOf(t, ada, in(store))
		refreshing := make(chan struct{})
		go func() { // another process logs in as bob while ada's refresh waits for the lock
			clientOf(t, bob, in(store))
			close(refreshing)
		}()
		<-refreshing
		if err := c.Renew(context.Background()); !errors.Is(err, silentrefresh.ErrSessionOver) || !strings.Contains(err.Error(), "another account") {
			t.Errorf("error %v", err)
		}
		if r := stored(t, store, c); r.Session.Account != "bob@example.com" {
			t.Error("bob's session was overwritten")
		}
		if _, err := get(c); !errors.Is(err, silentrefresh.ErrSessionOver) {
			t.Errorf("a request: %v", err)
		}
	})
}

// Who waits for the lock adopts what its holder has saved without getting the lock in turn.
func TestF38_WaitersAdoptWithoutTheLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		store := &fakes.HeldStore{}
		clientOf(t, as, in(&store.Memory)).Close()
		time.Sleep(time.Hour) // the token ends
		waiting := strangerOf(t, as, in(store))
		synctest.Wait()
		if n := store.Freed(); n != 1 {
			t.Errorf("%d wait, want 1", n) // nothing has changed yet: it goes on waiting
		}
		synctest.Wait()
		strangerOf(t, as, in(&store.Memory)) // renews
		synctest.Wait()
		calls := as.Count(&as.Calls)
		store.Freed()
		synctest.Wait()
		if st := waiting.Status(); st.State != silentrefresh.StateLoggedIn || st.Stats.Adopted != 1 || as.Count(&as.Calls) != calls {
			t.Errorf("%+v, %d calls", st, as.Count(&as.Calls)-calls)
		}
		if n := store.Freed(); n != 0 {
			t.Errorf("%d still wait", n)
		}
	})
}
