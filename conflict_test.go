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
	"github.com/silentrefresh/silentrefresh/internal/fakes"
	"github.com/silentrefresh/silentrefresh/internal/record"
)

func TestAConflictIsReadAgainBeforeItIsSaved(t *testing.T) {
	for _, newer := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			as := &fakes.Server{}
			store := &conflictStore{failing: 3} // login, intent, session
			c := clientOf(t, as, in(store))
			if newer {
				store.meddle = func() {
					as.Mu.Lock()
					s := as.Issue()
					as.Mu.Unlock()
					b, _ := c.state.Load().record.With(s).With(s).Encode(false)
					store.records.Store(c.key, b)
				}
			}
			if err := c.Renew(context.Background()); err != nil {
				t.Fatal(err)
			}
			mustGet(t, c)
			r := stored(t, store, c)
			if got := c.state.Load().session().RefreshToken; !r.Session.RefreshToken.Equal(got) || got.Reveal() != as.Good() || !r.Spending.IsZero() {
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
			as := &fakes.Server{}               // ada's
			store := &conflictStore{failing: 3} // login, intent, session
			c := clientOf(t, as, in(store))
			theirs := meddle(c)
			store.meddle = func() { store.records.Store(c.key, theirs) }
			if err := c.Renew(context.Background()); !errors.Is(err, ErrSessionOver) || !strings.Contains(err.Error(), why) {
				t.Fatalf("got %v, want %q", err, why)
			}
			if left, _ := store.Load(context.Background(), c.key); !bytes.Equal(left, theirs) {
				t.Errorf("%s: that was overwritten", why)
			}
			if len(as.Logouts) != 1 || as.Good() != "" {
				t.Errorf("%s: revoked %q, and %q lives on", why, as.Logouts, as.Good())
			}
		})
	}
}

// What loses against another login of the account is revoked, and its cause is adopted.
func TestAConflictWithAnotherLoginOfTheAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		store := &conflictStore{failing: 3} // login, intent, session
		c := clientOf(t, as, in(store))
		theirs := auth.Session{Account: "ada@example.com", Subject: "1", AccessToken: auth.NewSecret("theirs"), Expires: time.Now().Add(time.Hour)}
		store.meddle = func() {
			b, _ := record.New(theirs).Encode(false)
			store.records.Store(c.key, b)
		}
		if err := c.Renew(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got := c.state.Load().session().AccessToken; !got.Equal(theirs.AccessToken) || len(as.Logouts) != 1 || as.Good() != "" {
			t.Errorf("adopted: %v; revoked %q, and %q lives on", got.Equal(theirs.AccessToken), as.Logouts, as.Good())
		}
	})
}

// A login by Credentials is not given up for the session that it replaces.
func TestAConflictOverADeadSessionKeepsTheNewLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		store := &conflictStore{failing: 3} // login, intent, the next login
		c := clientOf(t, as, in(store), func(cfg *Config) { cfg.Credentials = func(context.Context) (any, error) { return nil, nil } })
		dead := stored(t, store, c)
		store.meddle = func() {
			tried := *dead
			tried.Spending = time.Now()
			b, _ := tried.Encode(false)
			store.records.Store(c.key, b)
		}
		as.Mu.Lock()
		as.Access, as.Refresh = nil, "" // the server ends it
		as.Mu.Unlock()
		if err := c.Renew(context.Background()); err != nil {
			t.Fatal(err)
		}
		mustGet(t, c)
		r := stored(t, store, c)
		if logins, _, reuses := as.Counts(); logins != 2 || reuses != 0 || r.Login == dead.Login || credential(c) != as.Good() {
			t.Errorf("%d logins, %d reuses; the client has %q, the server %q", logins, reuses, credential(c), as.Good())
		}
	})
}
