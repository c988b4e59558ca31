package silentrefresh

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

func TestF40_TheIntentIsSavedFirstAndFoundAgain(t *testing.T) {
	for _, grace := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			as := &fakes.Server{}
			store := &hookStore{}
			c := clientOf(t, as, in(store))
			// The process dies between the server's response and the save: nothing of what follows is written.
			as.Set(func() {
				as.Before = func(_ context.Context, g auth.Grant) error {
					if r := stored(t, store, c); r.Spending.IsZero() {
						t.Error("the credential is being spent, and the record does not say so")
					}
					store.full.Store(true)
					return nil
				}
			})
			old := as.Good()
			c.Renew(context.Background())
			c.shut() // it is dead
			store.full.Store(false)
			as.Set(func() {
				if as.Before = nil; grace {
					as.Refresh = old
					delete(as.Spent, old)
				}
			})
			time.Sleep(time.Hour)
			next := strangerOf(t, as, in(&store.MemoryStore))
			err := next.Renew(context.Background())
			switch {
			case grace && err != nil:
				t.Errorf("with a grace window: %v", err)
			case !grace && (!errors.Is(err, ErrSessionOver) || !strings.Contains(err.Error(), "interrupted")):
				t.Errorf("without: %v; want interrupted", err)
			}
		})
	}
}

func TestF41_NothingIsSpentIfTheStoreIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		store := &hookStore{}
		c := clientOf(t, as, in(store), atOnce)
		calls := as.Count(&as.Calls)
		store.full.Store(true)
		if err := c.Renew(context.Background()); !errors.Is(err, errFull) || !strings.Contains(err.Error(), "not spent") {
			t.Errorf("error %v", err)
		}
		if as.Count(&as.Calls) != calls {
			t.Error("the credential was spent")
		}
		mustGet(t, c)
		store.full.Store(false)
		time.Sleep(2 * time.Second)
		if err := c.Renew(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func TestF41_AFailedSaveIsTriedAgainAndSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		store := &hookStore{}
		var kinds []EventKind
		c := clientOf(t, as, in(store), func(cfg *Config) { cfg.Observe = func(ev Event) { kinds = append(kinds, ev.Kind) } })
		as.Set(func() { as.After = fills(store) })
		if err := c.Renew(context.Background()); err != nil {
			t.Fatalf("the session is alive: %v", err)
		}
		mustGet(t, c)
		if c.Status().Saved {
			t.Error("Status says that it is saved")
		}
		store.full.Store(false)
		time.Sleep(time.Minute)
		if !c.Status().Saved || stored(t, store, c).Session.RefreshToken.Reveal() != as.Good() {
			t.Error("it was not saved later")
		}
		synctest.Wait()
		if !slices.Contains(kinds, EventNotSaved) || !slices.Contains(kinds, EventSaved) {
			t.Errorf("events %v", kinds)
		}
		c.Renew(context.Background())
		if err := c.Close(); !errors.Is(err, errFull) {
			t.Errorf("Close: %v", err)
		}
	})
}

// fills makes a store full when an exchange has taken effect.
func fills(store *hookStore) func(auth.Grant, auth.Session) (auth.Session, error) {
	return func(_ auth.Grant, s auth.Session) (auth.Session, error) {
		store.full.Store(true)
		return s, nil
	}
}

func TestF41_RenewalGoesOnAfterALateSave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		store := &hookStore{}
		c := clientOf(t, as, in(store))
		as.Set(func() { as.After = fills(store) })
		if err := c.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		as.Set(func() { as.After = nil })
		store.full.Store(false)
		time.Sleep(10 * time.Second) // it is saved by the timer
		if s := c.Status(); !s.Saved || s.NextRefresh.IsZero() {
			t.Errorf("saved %v, next refresh %v", s.Saved, s.NextRefresh)
		}
		time.Sleep(74 * time.Minute)
		if _, refreshes, _ := as.Counts(); refreshes < 5 {
			t.Errorf("%d refreshes in 75 minutes: the timer is dead", refreshes)
		}
		mustGet(t, c)
		if w := c.Status().Stats.Waited; w != 0 {
			t.Errorf("%d requests waited", w)
		}
	})
}

// The session that an exchange gave outlives a Store that breaks down over it.
func TestF05_F41_AStoreThatPanicsLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		var broken atomic.Bool
		store := &hookStore{save: func([]byte) error {
			if broken.Load() {
				panic("disk")
			}
			return nil
		}}
		c := clientOf(t, as, in(store), atOnce)
		as.Set(func() {
			as.After = func(_ auth.Grant, s auth.Session) (auth.Session, error) { broken.Store(true); return s, nil }
		})
		if err := c.Renew(t.Context()); err != nil || credential(c) != as.Good() {
			t.Errorf("%v; the client has %q, the server takes %q", err, credential(c), as.Good())
		}
		as.Set(func() { as.After = nil })
		broken.Store(false)
		time.Sleep(time.Minute)
		if err := c.Renew(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// The intent is as long as what replaces it, so writing it proves that there is room.
func TestF41_TheIntentIsPadded(t *testing.T) {
	as := &fakes.Server{}
	var sizes []int
	store := &hookStore{save: func(b []byte) error { sizes = append(sizes, len(b)); return nil }}
	c := clientOf(t, as, in(store))
	c.Renew(context.Background())
	if len(sizes) != 3 || sizes[1] < sizes[2] {
		t.Errorf("sizes of login, intent and session: %v", sizes)
	}
}

func TestARestartNeedsNoLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		store := &MemoryStore{}
		clientOf(t, as, in(store)).Close()
		calls := as.Count(&as.Calls)
		c := strangerOf(t, as, in(store))
		mustGet(t, c)
		synctest.Wait()
		if as.Count(&as.Calls) != calls {
			t.Error("a start with a usable token went to the auth server")
		}
		c.Close()
		time.Sleep(time.Hour)
		c = strangerOf(t, as, in(store))
		synctest.Wait()
		if as.Count(&as.Calls) != calls+1 {
			t.Error("a start without one did not refresh in the background")
		}
		mustGet(t, c)
		if as.Count(&as.Refused) != 0 {
			t.Error("the first request was sent to be refused")
		}
	})
}

func TestAnUnreadableRecordIsAnErrorAndNoLogout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		store := &MemoryStore{}
		first := clientOf(t, as, in(store))
		good, _ := store.Load(context.Background(), first.key)
		first.Close()
		calls := as.Count(&as.Calls)
		for _, bad := range [][]byte{[]byte("x"), bytes.TrimRight(good, " ")[:200], []byte(`{"format":99}`)} {
			store.records.Store(first.key, bad)
			c := strangerOf(t, as, in(store))
			if _, err := get(c); err == nil || errors.Is(err, ErrNoSession) || !strings.Contains(err.Error(), "log in again") {
				t.Errorf("error %v", err)
			}
			if now, _ := store.Load(context.Background(), first.key); !bytes.Equal(now, bad) || as.Count(&as.Calls) != calls {
				t.Error("it was overwritten, or something was spent")
			}
			time.Sleep(2 * time.Second)
			store.records.Store(first.key, good)
			mustGet(t, c)
		}
	})
}

// A session that could not be saved is not reported as saved when somebody has logged out meanwhile: it ends.
func TestF43_ALogoutElsewhereEndsWhatCouldNotBeSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		store := &hookStore{}
		var saved atomic.Bool
		c := clientOf(t, as, in(store), func(cfg *Config) {
			cfg.Observe = func(ev Event) { saved.Store(saved.Load() || ev.Kind == EventSaved) }
		})
		store.save = func([]byte) error {
			if as.Count(&as.Refreshes) > 0 {
				return errFull // the response, after the intent
			}
			return nil
		}
		if err := c.Renew(context.Background()); err != nil {
			t.Fatal(err)
		}
		store.records.Store(c.key, []byte{})
		store.save = nil
		time.Sleep(time.Minute)
		if _, err := get(c); !errors.Is(err, ErrSessionOver) || saved.Load() || as.Good() != "" {
			t.Errorf("%v; saved %v; %q lives on", err, saved.Load(), as.Good())
		}
	})
}

func TestAStoreThatLostAWriteIsCorrected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		store := &MemoryStore{}
		var warned atomic.Bool
		c := clientOf(t, as, in(store), func(cfg *Config) {
			cfg.Observe = func(ev Event) { warned.Store(warned.Load() || ev.Kind == EventWarning) }
		})
		before, _ := store.Load(context.Background(), c.key)
		if err := c.Renew(context.Background()); err != nil {
			t.Fatal(err)
		}
		store.records.Store(c.key, before)
		if err := c.Renew(context.Background()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if _, _, reuses := as.Counts(); reuses != 0 || !warned.Load() {
			t.Errorf("%d reuses, warned %v", reuses, warned.Load())
		}
	})
}
