package acceptance

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

func TestF59_RenewOfWhatNothingRenewsLeavesTheTokenInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as, func(cfg *silentrefresh.Config) { cfg.Exchanger = unrenewable{as} })
		calls := as.Count(&as.Calls)
		if err := c.Renew(t.Context()); !errors.Is(err, auth.ErrNotRenewable) || as.Count(&as.Calls) != calls {
			t.Errorf("Renew: %v, after %d calls", err, as.Count(&as.Calls)-calls)
		}
		mustGet(t, c)
	})
}

// An Exchanger need not say which operation failed: it was asked for one.
func TestF27_ARefusalThatNamesNoOperationEndsTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as, atOnce)
		as.Set(func() { as.Before = func(context.Context, auth.Grant) error { return &auth.Error{Refused: true} } })
		calls := as.Count(&as.Calls)
		if err := c.Renew(t.Context()); !errors.Is(err, silentrefresh.ErrSessionOver) {
			t.Errorf("Renew: %v", err)
		}
		for range 20 {
			time.Sleep(time.Minute)
			get(c)
		}
		if n := as.Count(&as.Calls) - calls; n != 1 {
			t.Errorf("a refused credential was presented %d times", n)
		}
	})
}

func TestF28_TheLongestTimeoutDoesNotOverflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		store := &silentrefresh.MemoryStore{}
		c := clientOf(t, as, in(store), atOnce, func(cfg *silentrefresh.Config) { cfg.Timeout = math.MaxInt64 })
		go store.Update(t.Context(), c.StoreKey(), func(context.Context, []byte, func([]byte) error) error {
			time.Sleep(3 * time.Second)
			return nil
		})
		synctest.Wait()
		if err := c.Renew(t.Context()); err != nil {
			t.Errorf("after a lock that was held for 3 s: %v", err)
		}
	})
}

// RFC 3339 ends with the year 9999, and so does JSON.
func TestF19_ASessionThatEndsAfterTheYear9999IsSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{After: func(_ auth.Grant, s auth.Session) (auth.Session, error) {
			s.Ends = time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)
			return s, nil
		}}
		c := clientOf(t, as, in(&silentrefresh.MemoryStore{}), atOnce)
		if err := c.Renew(t.Context()); err != nil || !c.Status().Saved {
			t.Errorf("%v, saved %v", err, c.Status().Saved)
		}
	})
}

// lazyStore does nothing and says that it did.
type lazyStore struct{ silentrefresh.MemoryStore }

func (*lazyStore) Update(context.Context, string, func(context.Context, []byte, func([]byte) error) error) error {
	return nil
}

func TestF55_AStoreThatRunsNothingIsNoSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as, in(&lazyStore{}), atOnce)
		if err := c.Renew(t.Context()); err == nil {
			t.Error("Renew says that it has renewed")
		}
		time.Sleep(time.Hour)
		if _, err := get(c); err == nil || as.Count(&as.Refused) != 0 {
			t.Errorf("a request with a token that has ended: %v, sent %d times", err, as.Count(&as.Refused))
		}
	})
}

func TestForkRefusesNamesThatBreakTheStoresKey(t *testing.T) {
	c := strangerOf(t, &fakes.Server{})
	for _, name := range []string{"", "default", "a|b", "a\nb"} {
		if _, err := c.Fork(name); err == nil {
			t.Errorf("Fork(%q) was accepted", name)
		}
	}
}
