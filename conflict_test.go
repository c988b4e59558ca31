package silentrefresh

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/record"
)

func TestAConflictIsReadAgainBeforeItIsSaved(t *testing.T) {
	for _, newer := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			as := &fakeAS{}
			store := &conflictStore{failing: 3} // login, intent, session
			c := as.client(t, in(store))
			if newer {
				store.meddle = func() {
					as.mu.Lock()
					s := as.issue()
					as.mu.Unlock()
					b, _ := c.state.Load().record.With(s).With(s).Encode(false)
					store.records.Store(c.key, b)
				}
			}
			if err := c.Renew(context.Background()); err != nil {
				t.Fatal(err)
			}
			mustGet(t, c)
			r := stored(t, store, c)
			if got := c.state.Load().session().RefreshToken; !r.Session.RefreshToken.Equal(got) || got.Reveal() != as.good() || !r.Spending.IsZero() {
				t.Errorf("newer %v: store and client disagree", newer)
			}
		})
	}
}

// A logout and another account's login that come between the exchange and its save are not undone: what the exchange
// brought is revoked.
func TestAConflictWithALogoutEndsTheSession(t *testing.T) {
	for why, meddle := range map[string]func(c *Client) []byte{
		"another process has logged out": func(*Client) []byte { return []byte{} },
		"another account has logged in": func(c *Client) []byte {
			b, _ := record.New(auth.Session{Account: "grace@example.com", AccessToken: auth.NewSecret("grace's")}).Encode(false)
			return b
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			as := &fakeAS{}                     // ada's
			store := &conflictStore{failing: 3} // login, intent, session
			c := as.client(t, in(store))
			theirs := meddle(c)
			store.meddle = func() { store.records.Store(c.key, theirs) }
			if err := c.Renew(context.Background()); !errors.Is(err, ErrSessionOver) || !strings.Contains(err.Error(), why) {
				t.Fatalf("got %v, want %q", err, why)
			}
			if left, _ := store.Load(context.Background(), c.key); !bytes.Equal(left, theirs) {
				t.Errorf("%s: that was overwritten", why)
			}
			if len(as.logouts) != 1 || as.good() != "" {
				t.Errorf("%s: revoked %q, and %q lives on", why, as.logouts, as.good())
			}
		})
	}
}

// What loses against another login of the account is revoked, and its cause is adopted.
func TestAConflictWithAnotherLoginOfTheAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		store := &conflictStore{failing: 3} // login, intent, session
		c := as.client(t, in(store))
		theirs := auth.Session{Account: "ada@example.com", Subject: "1", AccessToken: auth.NewSecret("theirs"), Expires: time.Now().Add(time.Hour)}
		store.meddle = func() {
			b, _ := record.New(theirs).Encode(false)
			store.records.Store(c.key, b)
		}
		if err := c.Renew(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got := c.state.Load().session().AccessToken; !got.Equal(theirs.AccessToken) || len(as.logouts) != 1 || as.good() != "" {
			t.Errorf("adopted: %v; revoked %q, and %q lives on", got.Equal(theirs.AccessToken), as.logouts, as.good())
		}
	})
}

// A login by Credentials is not given up for the session that it replaces.
func TestAConflictOverADeadSessionKeepsTheNewLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		store := &conflictStore{failing: 3} // login, intent, the next login
		c := as.client(t, in(store), func(cfg *Config) { cfg.Credentials = func(context.Context) (any, error) { return nil, nil } })
		dead := stored(t, store, c)
		store.meddle = func() {
			tried := *dead
			tried.Spending = time.Now()
			b, _ := tried.Encode(false)
			store.records.Store(c.key, b)
		}
		as.mu.Lock()
		as.access, as.refresh = nil, "" // the server ends it
		as.mu.Unlock()
		if err := c.Renew(context.Background()); err != nil {
			t.Fatal(err)
		}
		mustGet(t, c)
		r := stored(t, store, c)
		if logins, _, reuses := as.counts(); logins != 2 || reuses != 0 || r.Login == dead.Login || credential(c) != as.good() {
			t.Errorf("%d logins, %d reuses; the client has %q, the server %q", logins, reuses, credential(c), as.good())
		}
	})
}
