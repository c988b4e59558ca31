package silentrefresh

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// What the Store could not take is newer than what it has, be that an older session or a tombstone.
func TestF41_ALoginThatWasNotSavedIsNotUndone(t *testing.T) {
	for name, before := range map[string]func(*testing.T, *Client) error{
		"an older session is stored": func(*testing.T, *Client) error { return nil },
		"a tombstone is stored":      func(t *testing.T, c *Client) error { return c.Logout(t.Context()) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				as := &fakes.Server{}
				store := &hookStore{}
				c := clientOf(t, as, in(store), atOnce)
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
				if credential(c) != as.Good() {
					t.Errorf("the session is %q again, the login gave %q", credential(c), as.Good())
				}
				store.full.Store(false)
				time.Sleep(time.Minute)
				if err := c.Renew(t.Context()); err != nil || stored(t, store, c).Session.RefreshToken.Reveal() != as.Good() {
					t.Errorf("once there is room: %v; it is saved as well: %v", err, c.Status().Saved)
				}
			})
		})
	}
}

// The save that is tried again waits for a refresh, which spends what it was going to save.
func TestF34_F41_ALateSaveDoesNotBringASpentCredentialBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		store := &hookStore{}
		store.full.Store(true)
		c := clientOf(t, as, in(store))
		store.full.Store(false)
		as.Set(func() { as.Before = fakes.Slowly(auth.KindRefresh, 10*time.Second) })
		if err := c.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if got := stored(t, store, c).Session.RefreshToken.Reveal(); got != as.Good() {
			t.Errorf("the store has %q, which is spent", got)
		}
		other := strangerOf(t, as, in(store))
		err := other.Renew(t.Context())
		if _, _, reuses := as.Counts(); reuses != 0 || err != nil {
			t.Errorf("another process: %d reuses, %v", reuses, err)
		}
	})
}

func TestF42_ALateSaveDoesNotOverwriteAnotherAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ada, bob := &fakes.Server{}, &fakes.Server{After: fakes.AsBob}
		store := &hookStore{}
		store.full.Store(true)
		c := clientOf(t, ada, in(store))
		store.full.Store(false)
		clientOf(t, bob, in(store))
		time.Sleep(time.Minute)
		if r := stored(t, store, c); r.Session.Account != "bob@example.com" {
			t.Error("bob's later session was overwritten by ada's earlier one")
		}
	})
}

// Of two logins at a time one wins, here and in the Store; the other is revoked.
func TestF34_TwoLoginsAgreeOnOneSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{Before: fakes.Slowly(auth.KindLogin, time.Second)}
		store := &MemoryStore{}
		c := strangerOf(t, as, in(store))
		errs := make([]error, 2)
		fakes.Times(2, func(i int) { errs[i] = c.Login(t.Context(), nil) })
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("want one of them to win: %v", errs)
		}
		kept, revoked := stored(t, store, c).Session.RefreshToken.Reveal(), as.Revoked()
		if kept != credential(c) || len(revoked) != 1 || revoked[0] == kept {
			t.Errorf("the store has %q, the client %q; revoked %q", kept, credential(c), revoked)
		}
	})
}

// A Login that Close has overtaken is revoked, and then the Store must not have it either.
func TestF09_ALoginThatCloseHasOvertakenLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{Before: fakes.Slowly(auth.KindLogin, time.Second)}
		store := &MemoryStore{}
		c := strangerOf(t, as, in(store))
		done := make(chan error)
		go func() { done <- c.Login(t.Context(), nil) }()
		synctest.Wait()
		c.Close()
		if err := <-done; !errors.Is(err, ErrClosed) || as.Good() != "" {
			t.Errorf("Login: %v; the server still takes %q", err, as.Good())
		}
		if r := stored(t, store, c); r != nil {
			t.Error("the store has a session that was revoked")
		}
	})
}

// A login endpoint may set nothing but a cookie: the token comes with the first refresh.
func TestF07_ALoginWithoutATokenRefreshesBeforeTheFirstRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{After: func(g auth.Grant, s auth.Session) (auth.Session, error) {
			if g.Kind == auth.KindLogin {
				s.AccessToken = auth.Secret{}
			}
			return s, nil
		}}
		c := clientOf(t, as)
		if _, refreshes, _ := as.Counts(); refreshes != 1 {
			t.Errorf("%d refreshes by the end of the login, want 1", refreshes)
		}
		mustGet(t, c)
		if as.Count(&as.Refused) != 0 {
			t.Error("a request was sent without a token")
		}
	})
}

// A login whose response has a token nowhere to be found, and nothing to get one with, replaces nothing.
func TestALoginWithoutATokenReplacesNothing(t *testing.T) {
	responses := []string{`{"token":"a1","refreshToken":"r1"}`, `{"session_token":"abc","ttl":60}`}
	base := fakes.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		resp := fakes.ResponseTo(req, 200)
		resp.Header.Set("Content-Type", "application/json")
		resp.Body = io.NopCloser(strings.NewReader(responses[0]))
		responses = responses[1:]
		return resp, nil
	})
	c, err := New(Config{BaseURL: "https://api.example.com", Base: base})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	err = c.Login(t.Context(), nil)
	if err == nil || !strings.Contains(err.Error(), "access_token") || errors.Is(err, ErrSessionOver) {
		t.Errorf("error %v; want one that names the setting", err)
	}
	if token, err := c.Token(t.Context()); err != nil || token.Value.Reveal() != "a1" {
		t.Errorf("the session before: %v", err)
	}
}
