package silentrefresh

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestF43_LogoutDuringARefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		store := &hookStore{}
		c := as.client(t, in(store))
		gate := make(chan struct{})
		as.set(func() {
			as.after = func(g Grant, s Session) (Session, error) {
				if g.Kind == Refresh {
					<-gate
				}
				return s, nil
			}
		})
		as.revoke()
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
		if _, err := get(c); !errors.Is(err, ErrNoSession) {
			t.Errorf("a request during the logout: %v", err)
		}
		close(gate)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if len(as.logouts) != 1 || as.logouts[0] != "refresh-secret-2" || as.good() != "" {
			t.Errorf("revoked %q; want the newest, and nothing left at the server", as.logouts)
		}
		if b, _ := store.Load(context.Background(), c.key); b == nil || len(b) != 0 {
			t.Error("the store has no tombstone")
		}
		if _, err := get(c); !errors.Is(err, ErrNoSession) {
			t.Errorf("a request after the logout: %v", err)
		}
	})
}

func TestF43_LogoutWhereTheServerIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		store := &MemoryStore{}
		c := as.client(t, in(store))
		as.set(func() { as.before = func(context.Context, Grant) error { return errors.New("no route to host") } })
		err := c.Logout(context.Background())
		if err == nil || !strings.Contains(err.Error(), "the session is gone here") {
			t.Errorf("error %v", err)
		}
		if _, err := get(c); !errors.Is(err, ErrNoSession) {
			t.Errorf("a request: %v", err)
		}
		if as.stranger(t, in(store)).Status().State != StateNone {
			t.Error("the next start finds the session")
		}
	})
}

func TestLogoutEndsTheSessionElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		store := &MemoryStore{}
		one := as.client(t, in(store))
		other := as.stranger(t, in(store))
		if err := one.Logout(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := other.Renew(context.Background()); !errors.Is(err, ErrSessionOver) {
			t.Errorf("error %v", err)
		}
		time.Sleep(2 * time.Second)
		if err := one.Login(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		mustGet(t, other) // a login in one is seen by the other
	})
}
