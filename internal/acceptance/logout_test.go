package acceptance

import (
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

func TestF43_LogoutDuringARefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		store := &fakes.HookStore{}
		c := clientOf(t, as, in(store))
		gate := make(chan struct{})
		as.Set(func() {
			as.After = func(g auth.Grant, s auth.Session) (auth.Session, error) {
				if g.Kind == auth.KindRefresh {
					<-gate
				}
				return s, nil
			}
		})
		as.Revoke()
		waiting := make(chan error)
		go func() { _, err := get(c); waiting <- err }()
		synctest.Wait()
		done := make(chan error)
		go func() { done <- c.Logout(context.Background()) }()
		synctest.Wait()
		select {
		case <-waiting:
		default:
			t.Error("a waiting request was not released")
		}
		if _, err := get(c); !errors.Is(err, silentrefresh.ErrNoSession) {
			t.Errorf("a request during the logout: %v", err)
		}
		close(gate)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if got := as.Revoked(); len(got) != 1 || got[0] != "refresh-secret-2" || as.Good() != "" {
			t.Errorf("revoked %q; want the newest, and nothing left at the server", got)
		}
		if b, _ := store.Load(context.Background(), c.StoreKey()); b == nil || len(b) != 0 {
			t.Error("the store has no tombstone")
		}
		if _, err := get(c); !errors.Is(err, silentrefresh.ErrNoSession) {
			t.Errorf("a request after the logout: %v", err)
		}
	})
}

func TestF43_LogoutWhereTheServerIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		store := &silentrefresh.MemoryStore{}
		c := clientOf(t, as, in(store))
		as.Set(func() { as.Before = func(context.Context, auth.Grant) error { return errors.New("no route to host") } })
		err := c.Logout(context.Background())
		if err == nil || !strings.Contains(err.Error(), "the session is gone here") {
			t.Errorf("error %v", err)
		}
		if _, err := get(c); !errors.Is(err, silentrefresh.ErrNoSession) {
			t.Errorf("a request: %v", err)
		}
		if strangerOf(t, as, in(store)).Status().State != silentrefresh.StateNone {
			t.Error("the next start finds the session")
		}
	})
}

func TestLogoutEndsTheSessionElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		store := &silentrefresh.MemoryStore{}
		one := clientOf(t, as, in(store))
		other := strangerOf(t, as, in(store))
		if err := one.Logout(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := other.Renew(context.Background()); !errors.Is(err, silentrefresh.ErrSessionOver) {
			t.Errorf("error %v", err)
		}
		time.Sleep(2 * time.Second)
		if err := one.Login(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		mustGet(t, other) // a login in one is seen by the other
	})
}

// The refresh that a Logout could not wait for leaves nothing behind that another process would present again.
func TestF43_LogoutOutOfTimeLeavesNoSpentCredential(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		store := &silentrefresh.MemoryStore{}
		one := clientOf(t, as, in(store))
		other := strangerOf(t, as, in(store))
		gate := make(chan struct{})
		as.Set(func() { as.After = fakes.Gated(gate) })
		go one.Renew(t.Context())
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := one.Logout(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Logout: %v; want the deadline: the record is not a tombstone yet", err)
		}
		close(gate)
		synctest.Wait()
		if b, _ := store.Load(t.Context(), one.StoreKey()); b == nil || len(b) != 0 {
			t.Error("the refresh has left no tombstone")
		}
		err := other.Renew(t.Context())
		if _, _, reuses := as.Counts(); reuses != 0 || !errors.Is(err, silentrefresh.ErrSessionOver) {
			t.Errorf("%d times a spent credential was presented; %v", reuses, err)
		}
	})
}

func TestF43_LogoutSparesTheLoginThatCameDuringIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		store := &silentrefresh.MemoryStore{}
		c := clientOf(t, as, in(store))
		gate := make(chan struct{})
		as.Set(func() { as.After = fakes.Gated(gate) })
		go c.Renew(t.Context())
		synctest.Wait()
		logout, login := make(chan error), make(chan error)
		go func() { logout <- c.Logout(t.Context()) }() // waits for the refresh
		synctest.Wait()
		go func() { login <- c.Login(t.Context(), nil) }() // waits for the lock
		synctest.Wait()
		close(gate)
		if err := errors.Join(<-login, <-logout); err != nil {
			t.Fatal(err)
		}
		mustGet(t, c)
		if r := stored(t, store, c); r == nil || r.Session.RefreshToken.Reveal() != as.Good() {
			t.Errorf("after the login the server takes %q, the store has %v", as.Good(), r != nil)
		}
		if err := c.Renew(t.Context()); err != nil {
			t.Errorf("the session of the later login is gone: %v", err)
		}
	})
}

func TestF42_F43_LogoutSparesAnotherAccountsSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ada, bob := &fakes.Server{}, &fakes.Server{After: fakes.AsBob}
		store := &silentrefresh.MemoryStore{}
		c := clientOf(t, ada, in(store))
		clientOf(t, bob, in(store)) // another process logs in as somebody else
		if err := c.Logout(t.Context()); err != nil {
			t.Fatal(err)
		}
		if r := stored(t, store, c); r == nil || r.Session.Account != "bob@example.com" {
			t.Error("bob's session was deleted by ada's logout")
		}
		if got := ada.Revoked(); len(got) != 1 || got[0] != "refresh-secret-1" {
			t.Errorf("revoked %q; want ada's own credential", got)
		}
	})
}

func TestF43_ASecondLogoutRevokesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as)
		if err := errors.Join(c.Logout(t.Context()), c.Logout(t.Context())); err != nil {
			t.Error(err)
		}
		if got := as.Revoked(); len(got) != 1 {
			t.Errorf("revoked %q; want one credential, once", got)
		}
	})
}
