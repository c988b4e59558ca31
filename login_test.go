package silentrefresh

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// What the Store could not take is newer than what it has, be that an older session or a tombstone.
func TestF41_ALoginThatWasNotSavedIsNotUndone(t *testing.T) {
	for name, before := range map[string]func(*testing.T, *Client) error{
		"an older session is stored": func(*testing.T, *Client) error { return nil },
		"a tombstone is stored":      func(t *testing.T, c *Client) error { return c.Logout(t.Context()) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				as := &fakeAS{}
				store := &hookStore{}
				c := as.client(t, in(store), atOnce)
				if err := before(t, c); err != nil {
					t.Fatal(err)
				}
				store.full.Store(true)
				if err := c.Login(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
				if err := c.Renew(t.Context()); !errors.Is(err, errFull) {
					t.Errorf("Renew with a full store: %v", err)
				}
				mustGet(t, c)
				if credential(c) != as.good() {
					t.Errorf("the session is %q again, the login gave %q", credential(c), as.good())
				}
				store.full.Store(false)
				time.Sleep(time.Minute)
				if err := c.Renew(t.Context()); err != nil || stored(t, store, c).session.RefreshToken.Reveal() != as.good() {
					t.Errorf("once there is room: %v; it is saved as well: %v", err, c.Status().Saved)
				}
			})
		})
	}
}

// The save that is tried again waits for a refresh, which spends what it was going to save.
func TestF34_F41_ALateSaveDoesNotBringASpentCredentialBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		store := &hookStore{}
		store.full.Store(true)
		c := as.client(t, in(store))
		store.full.Store(false)
		as.set(func() { as.before = slowly(Refresh, 10*time.Second) })
		if err := c.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if got := stored(t, store, c).session.RefreshToken.Reveal(); got != as.good() {
			t.Errorf("the store has %q, which is spent", got)
		}
		other := as.stranger(t, in(store))
		err := other.Renew(t.Context())
		if _, _, reuses := as.counts(); reuses != 0 || err != nil {
			t.Errorf("another process: %d reuses, %v", reuses, err)
		}
	})
}

func TestF42_ALateSaveDoesNotOverwriteAnotherAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ada, bob := &fakeAS{}, &fakeAS{after: asBob}
		store := &hookStore{}
		store.full.Store(true)
		c := ada.client(t, in(store))
		store.full.Store(false)
		bob.client(t, in(store))
		time.Sleep(time.Minute)
		if r := stored(t, store, c); r.session.Account != "bob@example.com" {
			t.Error("bob's later session was overwritten by ada's earlier one")
		}
	})
}

// Of two logins at a time one wins, here, in the Store and at the server.
func TestF34_TwoLoginsAgreeOnOneSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		first := make(chan struct{})
		store := &lateStore{after: func(update int64) {
			if update == 1 {
				<-first
			}
		}}
		c := as.stranger(t, in(store))
		done := make(chan error, 2)
		for range 2 {
			go func() { done <- c.Login(t.Context(), nil) }()
			synctest.Wait()
		}
		close(first)
		if err := errors.Join(<-done, <-done); err != nil {
			t.Log(err) // the one that was given up says so
		}
		if got := stored(t, store, c).session.RefreshToken.Reveal(); got != credential(c) || got != as.good() {
			t.Errorf("the store has %q, the client %q, the server takes %q", got, credential(c), as.good())
		}
		time.Sleep(time.Minute)
		if err := c.Renew(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A Login that Close has overtaken is revoked, and then the Store must not have it either.
func TestF09_ALoginDuringCloseIsKeptOrRevokedButNotBoth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		returns := make(chan struct{})
		store := &lateStore{after: func(int64) { <-returns }}
		c := as.stranger(t, in(store))
		done := make(chan error)
		go func() { done <- c.Login(t.Context(), nil) }()
		synctest.Wait()
		go c.Close()
		synctest.Wait()
		close(returns)
		err := <-done
		r := stored(t, store, c)
		if revoked := as.good() == ""; revoked != (err != nil) || revoked == (r != nil) {
			t.Errorf("Login: %v; revoked %v, stored %v", err, revoked, r != nil)
		}
	})
}

// A login endpoint may set nothing but a cookie: the token comes with the first refresh.
func TestF07_ALoginWithoutATokenRefreshesBeforeTheFirstRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{after: func(g Grant, s Session) (Session, error) {
			if g.Kind == Login {
				s.AccessToken = Secret{}
			}
			return s, nil
		}}
		c := as.client(t)
		mustGet(t, c)
		if _, refreshes, _ := as.counts(); refreshes != 1 || as.count(&as.refused) != 0 {
			t.Errorf("%d refreshes, %d requests without a token; want 1 and 0", refreshes, as.count(&as.refused))
		}
	})
}
