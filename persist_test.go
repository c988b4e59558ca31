package silentrefresh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
	"github.com/silentrefresh/silentrefresh/internal/record"
	"github.com/silentrefresh/silentrefresh/storetest"
)

func TestF40_TheIntentIsSavedFirstAndFoundAgain(t *testing.T) {
	for _, grace := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			as := &fakes.Server{}
			store := &fakes.HookStore{}
			c := clientOf(t, as, in(store))
			// The process dies between the server's response and the save: nothing of what follows is written.
			as.Set(func() {
				as.Before = func(_ context.Context, g auth.Grant) error {
					if r := stored(t, store, c); !r.Spent() {
						t.Error("the credential is being spent, and the record does not say so")
					}
					store.Full.Store(true)
					return nil
				}
			})
			old := as.Good()
			c.Renew(context.Background())
			c.shut() // it is dead
			store.Full.Store(false)
			as.Set(func() {
				if as.Before = nil; grace {
					as.Refresh = old
					delete(as.Spent, old)
				}
			})
			time.Sleep(time.Hour)
			next := strangerOf(t, as, in(&store.Memory))
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
		store := &fakes.HookStore{}
		c := clientOf(t, as, in(store), atOnce)
		calls := as.Count(&as.Calls)
		store.Full.Store(true)
		if err := c.Renew(context.Background()); !errors.Is(err, fakes.ErrFull) || !strings.Contains(err.Error(), "not spent") {
			t.Errorf("error %v", err)
		}
		if as.Count(&as.Calls) != calls {
			t.Error("the credential was spent")
		}
		mustGet(t, c)
		store.Full.Store(false)
		time.Sleep(2 * time.Second)
		if err := c.Renew(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func TestF41_AFailedSaveIsTriedAgainAndSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		store := &fakes.HookStore{}
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
		store.Full.Store(false)
		time.Sleep(time.Minute)
		if !c.Status().Saved || stored(t, store, c).Session.RefreshToken.Reveal() != as.Good() {
			t.Error("it was not saved later")
		}
		synctest.Wait()
		if !slices.Contains(kinds, EventNotSaved) || !slices.Contains(kinds, EventSaved) {
			t.Errorf("events %v", kinds)
		}
		c.Renew(context.Background())
		if err := c.Close(); !errors.Is(err, fakes.ErrFull) {
			t.Errorf("Close: %v", err)
		}
	})
}

// fills makes a store full when an exchange has taken effect.
func fills(store *fakes.HookStore) func(auth.Grant, auth.Session) (auth.Session, error) {
	return func(_ auth.Grant, s auth.Session) (auth.Session, error) {
		store.Full.Store(true)
		return s, nil
	}
}

func TestF41_RenewalGoesOnAfterALateSave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		store := &fakes.HookStore{}
		c := clientOf(t, as, in(store))
		as.Set(func() { as.After = fills(store) })
		if err := c.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		as.Set(func() { as.After = nil })
		store.Full.Store(false)
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
		store := &fakes.HookStore{Save: func([]byte) error {
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
	store := &fakes.HookStore{Save: func(b []byte) error { sizes = append(sizes, len(b)); return nil }}
	c := clientOf(t, as, in(store))
	c.Renew(context.Background())
	if len(sizes) != 3 || sizes[1] < sizes[2] {
		t.Errorf("sizes of login, intent and session: %v", sizes)
	}
}

func TestARestartNeedsNoLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		store := &fakes.Memory{}
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
		store := &fakes.Memory{}
		first := clientOf(t, as, in(store))
		good, _ := store.Load(context.Background(), first.StoreKey())
		first.Close()
		calls := as.Count(&as.Calls)
		for _, bad := range [][]byte{[]byte("x"), bytes.TrimRight(good, " ")[:200], []byte(`{"format":99}`)} {
			store.Put(first.StoreKey(), bad)
			c := strangerOf(t, as, in(store))
			if _, err := get(c); err == nil || errors.Is(err, ErrNoSession) || !strings.Contains(err.Error(), "log in again") {
				t.Errorf("error %v", err)
			}
			if now, _ := store.Load(context.Background(), first.StoreKey()); !bytes.Equal(now, bad) || as.Count(&as.Calls) != calls {
				t.Error("it was overwritten, or something was spent")
			}
			time.Sleep(2 * time.Second)
			store.Put(first.StoreKey(), good)
			mustGet(t, c)
		}
	})
}

// A session that could not be saved is not reported as saved when somebody has logged out meanwhile: it ends.
func TestF43_ALogoutElsewhereEndsWhatCouldNotBeSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		store := &fakes.HookStore{}
		var saved atomic.Bool
		c := clientOf(t, as, in(store), func(cfg *Config) {
			cfg.Observe = func(ev Event) { saved.Store(saved.Load() || ev.Kind == EventSaved) }
		})
		store.Save = func([]byte) error {
			if as.Count(&as.Refreshes) > 0 {
				return fakes.ErrFull // the response, after the intent
			}
			return nil
		}
		if err := c.Renew(context.Background()); err != nil {
			t.Fatal(err)
		}
		store.Put(c.StoreKey(), []byte{})
		store.Save = nil
		time.Sleep(time.Minute)
		if _, err := get(c); !errors.Is(err, ErrSessionOver) || saved.Load() || as.Good() != "" {
			t.Errorf("%v; saved %v; %q lives on", err, saved.Load(), as.Good())
		}
	})
}

func TestAStoreThatLostAWriteIsCorrected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		store := &fakes.Memory{}
		var warned atomic.Bool
		c := clientOf(t, as, in(store), func(cfg *Config) {
			cfg.Observe = func(ev Event) { warned.Store(warned.Load() || ev.Kind == EventWarning) }
		})
		before, _ := store.Load(context.Background(), c.StoreKey())
		if err := c.Renew(context.Background()); err != nil {
			t.Fatal(err)
		}
		store.Put(c.StoreKey(), before)
		if err := c.Renew(context.Background()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if _, _, reuses := as.Counts(); reuses != 0 || !warned.Load() {
			t.Errorf("%d reuses, warned %v", reuses, warned.Load())
		}
	})
}

// A lyingStore may say that it has saved what it loses, or that it has failed where it has saved.
type lyingStore struct {
	fakes.Memory
	loses, failsLate atomic.Bool
}

func (s *lyingStore) Update(ctx context.Context, key string, fn UpdateFunc) error {
	return s.Memory.Update(ctx, key, func(ctx context.Context, old []byte, save func([]byte) error) error {
		return fn(ctx, old, func(b []byte) error {
			if s.loses.Load() {
				return nil
			}
			if err := save(b); err != nil || !s.failsLate.Load() {
				return err
			}
			return fakes.ErrFull
		})
	})
}

// A session of another process's that was refused is not taken up again from a Store that has lost that it is over.
func TestF24_WhatWasRefusedIsNotTakenUpAgain(t *testing.T) {
	renew := func(c *Client) error { return c.Renew(context.Background()) }
	login := func(c *Client) error { return c.Login(context.Background(), nil) }
	for what, test := range map[string]struct {
		elsewhere func(*Client) error
		revoked   bool
	}{
		"renewed elsewhere, rejected":                      {renew, true},
		"renewed elsewhere, while the token serves":        {renew, false},
		"logged in anew elsewhere, rejected":               {login, true},
		"logged in anew elsewhere, while the token serves": {login, false},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				as, store := &fakes.Server{}, &lyingStore{}
				memoryOnly := func(cfg *Config) { cfg.MemoryOnly = true }
				c := clientOf(t, as, in(store), memoryOnly)
				other := strangerOf(t, as, in(store), memoryOnly)
				if err := test.elsewhere(other); err != nil {
					t.Fatal(err)
				}
				other.Close()
				store.loses.Store(true)
				var refused atomic.Int64
				as.Set(func() {
					as.Before = func(_ context.Context, g auth.Grant) error {
						if g.Kind != auth.KindRefresh {
							return nil
						}
						refused.Add(1)
						return fakes.InvalidGrant()
					}
				})
				if test.revoked {
					as.Revoke()
				}
				for range 3600 {
					time.Sleep(time.Second)
					get(c)
				}
				if n := refused.Load(); c.Status().State != StateOver || n != 1 {
					t.Errorf("state %q; %d refreshes, want that the first refusal ends the session", c.Status().State, n)
				}
			})
		})
	}
}

func TestAConflictIsReadAgainBeforeItIsSaved(t *testing.T) {
	for _, newer := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			as := &fakes.Server{}
			store := &fakes.ConflictStore{Failing: 3} // login, intent, session
			c := clientOf(t, as, in(store))
			if newer {
				store.Meddle = func() {
					as.Mu.Lock()
					s := as.Issue()
					as.Mu.Unlock()
					b, _ := c.state.Load().record.With(s).With(s).Encode(false)
					store.Put(c.StoreKey(), b)
				}
			}
			if err := c.Renew(context.Background()); err != nil {
				t.Fatal(err)
			}
			mustGet(t, c)
			r := stored(t, store, c)
			if got := c.state.Load().session().RefreshToken; !r.Session.RefreshToken.Equal(got) || got.Reveal() != as.Good() || r.Spent() {
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
			as := &fakes.Server{}                     // ada's
			store := &fakes.ConflictStore{Failing: 3} // login, intent, session
			c := clientOf(t, as, in(store))
			theirs := meddle(c)
			store.Meddle = func() { store.Put(c.StoreKey(), theirs) }
			if err := c.Renew(context.Background()); !errors.Is(err, ErrSessionOver) || !strings.Contains(err.Error(), why) {
				t.Fatalf("got %v, want %q", err, why)
			}
			if left, _ := store.Load(context.Background(), c.StoreKey()); !bytes.Equal(left, theirs) {
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
		store := &fakes.ConflictStore{Failing: 3} // login, intent, session
		c := clientOf(t, as, in(store))
		theirs := auth.Session{Account: "ada@example.com", Subject: "1", AccessToken: auth.NewSecret("theirs"), Expires: time.Now().Add(time.Hour)}
		store.Meddle = func() {
			b, _ := record.New(theirs).Encode(false)
			store.Put(c.StoreKey(), b)
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
		store := &fakes.ConflictStore{Failing: 3} // login, intent, the next login
		c := clientOf(t, as, in(store), func(cfg *Config) { cfg.Credentials = func(context.Context) (any, error) { return nil, nil } })
		dead := stored(t, store, c)
		store.Meddle = func() {
			tried := *dead
			tried.Spend(time.Now())
			b, _ := tried.Encode(false)
			store.Put(c.StoreKey(), b)
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

func TestMemoryStore(t *testing.T) {
	storetest.Suite{
		Open:  func(*testing.T) storetest.Store { return new(MemoryStore) },
		Again: func(_ *testing.T, s storetest.Store) storetest.Store { return s },
	}.Run(t)
}

type changedError bool

func (changedError) Error() string    { return "changed by somebody else" }
func (c changedError) Conflict() bool { return bool(c) }

func TestConflicted(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("disk full"), false},
		{changedError(false), false},
		{changedError(true), true},
		{fmt.Errorf("save: %w", changedError(true)), true},
	} {
		if got := conflicted(c.err); got != c.want {
			t.Errorf("conflicted(%v) = %v", c.err, got)
		}
	}
}

// TestNoStoreKeepsNothing: without a Store nothing is written, and yet one use of a session waits for another.
func TestNoStoreKeepsNothing(t *testing.T) {
	s := new(noStore)
	ctx, giveUp := context.WithCancel(t.Context())
	err := s.Update(ctx, "key", func(_ context.Context, old []byte, save func([]byte) error) error {
		if old != nil {
			t.Errorf("old is %q, want nil", old)
		}
		giveUp()
		if err := s.Update(ctx, "key", nil); !errors.Is(err, context.Canceled) {
			t.Errorf("a second Update returned %v, want that it waited until its context ended", err)
		}
		return save([]byte("value"))
	})
	if err != nil {
		t.Fatal(err)
	}
	if b, err := s.Load(t.Context(), "key"); b != nil || err != nil {
		t.Errorf("Load gave %q and %v, want nothing", b, err)
	}
}

// failingAfter is a Store whose Update saves and fails all the same.
type failingAfter struct {
	MemoryStore
	fails atomic.Bool
}

func (s *failingAfter) Update(ctx context.Context, key string, fn UpdateFunc) error {
	err := s.MemoryStore.Update(ctx, key, fn)
	if s.fails.Load() {
		return fakes.ErrFull
	}
	return err
}

// A login that the Store has taken, and that was logged out by another process since, is not saved once more, whatever the
// Store has said about it.
func TestF43_ALogoutIsNotUndoneByALoginThatSeemedUnsaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as, store := &fakes.Server{}, &failingAfter{}
		c, other := clientOf(t, as, in(store)), strangerOf(t, as, in(store))
		c.Logout(context.Background()) // so the Store has had a tombstone before
		store.fails.Store(true)
		if err := c.Login(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		other.Logout(context.Background())
		store.fails.Store(false)
		if err := c.Renew(context.Background()); !errors.Is(err, ErrSessionOver) {
			t.Errorf("error %v, want that the session is over", err)
		}
		time.Sleep(time.Minute)
		if b, _ := store.Load(context.Background(), c.StoreKey()); b == nil || len(b) != 0 {
			t.Errorf("the Store has %q, want a tombstone", b)
		}
	})
}

// The same of a login that the Store took when nobody waited for that any more.
func TestF43_ALogoutIsNotUndoneByALoginThatWasSavedLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as, store := &fakes.Server{}, &fakes.HookStore{}
		c, other := clientOf(t, as, in(store)), strangerOf(t, as, in(store))
		c.Logout(context.Background())
		var saves atomic.Int64
		store.Save = func([]byte) error {
			if saves.Add(1) == 1 {
				time.Sleep(20 * time.Second)
			}
			return nil
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := c.Login(ctx, nil); err != nil {
			t.Fatal(err)
		}
		other.Logout(context.Background())
		time.Sleep(time.Minute)
		if b, _ := store.Load(context.Background(), c.StoreKey()); b == nil || len(b) != 0 {
			t.Errorf("the Store has %q, want a tombstone", b)
		}
	})
}

// What an earlier logout, login or refresh of this very process saves late has not come after the login that did not wait
// for it, and does not stand for it.
func TestF43_ALoginOutlivesWhatIsSavedLateBeforeIt(t *testing.T) {
	within := func(d time.Duration, do func(context.Context) error) error {
		ctx, cancel := context.WithTimeout(context.Background(), d)
		defer cancel()
		return do(ctx)
	}
	login := func(c *Client, ctx context.Context) error { return c.Login(ctx, nil) }
	slowSave := func(_ *fakes.Server, store *fakes.HookStore) {
		var saves atomic.Int64
		store.Save = func([]byte) error {
			if saves.Add(1) == 1 {
				time.Sleep(20 * time.Second)
			}
			return nil
		}
	}
	slowRefresh := func(as *fakes.Server, _ *fakes.HookStore) {
		as.Set(func() { as.Before = fakes.Slowly(auth.KindRefresh, 20*time.Second) })
	}
	slowLogin := func(as *fakes.Server, _ *fakes.HookStore) {
		var logins atomic.Int64
		as.Set(func() {
			as.Before = func(_ context.Context, g auth.Grant) error {
				switch {
				case g.Kind == auth.KindRefresh:
					return fakes.InvalidGrant()
				case g.Kind == auth.KindLogin:
					if logins.Add(1) == 1 {
						time.Sleep(20 * time.Second)
					}
				}
				return nil
			}
		})
	}
	for what, test := range map[string]struct {
		begun  bool // there is a session before
		slow   func(*fakes.Server, *fakes.HookStore)
		before func(*Client, context.Context) error
	}{
		"a logout":                {true, slowSave, (*Client).Logout},
		"a logout, of nobody":     {false, slowSave, (*Client).Logout},
		"a login":                 {true, slowSave, login},
		"a login, the first":      {false, slowSave, login},
		"a refresh":               {true, slowRefresh, (*Client).Renew},
		"a refresh, slowly saved": {true, slowSave, (*Client).Renew},
		"a login by Credentials":  {true, slowLogin, (*Client).Renew},
	} {
		for who, after := range map[string]func(auth.Grant, auth.Session) (auth.Session, error){"the same account": nil, "another account": fakes.AsBob} {
			t.Run(what+"/"+who, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					as, store := &fakes.Server{}, &fakes.HookStore{}
					c := strangerOf(t, as, in(store), func(cfg *Config) {
						cfg.Credentials = func(context.Context) (any, error) { return nil, nil }
					})
					if test.begun {
						c.Login(context.Background(), nil)
					}
					test.slow(as, store)
					within(time.Second, func(ctx context.Context) error { return test.before(c, ctx) })
					as.Set(func() { as.After = after })
					if err := within(time.Second, func(ctx context.Context) error { return c.Login(ctx, nil) }); err != nil {
						t.Fatal(err)
					}
					as.Set(func() { as.After = nil })
					want, _ := c.Token(context.Background())
					time.Sleep(time.Minute)
					got, err := c.Token(context.Background())
					if err != nil || !got.Value.Equal(want.Value) {
						t.Errorf("the session has another token (%v), want the one that the last login gave", err)
					}
					next := strangerOf(t, as, in(store))
					if got, err := next.Token(context.Background()); err != nil || !got.Value.Equal(want.Value) {
						t.Errorf("the Store does not have the last login's token: %v", err)
					}
				})
			})
		}
	}
}

// What a refresh brings in when the Logout does not wait for it any more is revoked, whatever has begun since.
func TestF43_WhatComesAfterALogoutIsRevoked(t *testing.T) {
	for what, after := range map[string]func(*Client){
		"nothing": func(*Client) {},
		"a login": func(c *Client) { c.Login(context.Background(), nil) },
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				as, store := &fakes.Server{}, &fakes.HookStore{}
				c := clientOf(t, as, in(store))
				gate := make(chan struct{})
				as.Set(func() { as.After = fakes.Gated(gate) })
				go c.Renew(context.Background())
				time.Sleep(time.Second)
				ctx, cancel := context.WithTimeout(context.Background(), time.Second)
				defer cancel()
				c.Logout(ctx)
				after(c)
				close(gate)
				time.Sleep(time.Minute)
				if revoked := as.Revoked(); !slices.Contains(revoked, "refresh-secret-2") {
					t.Errorf("revoked %q, want what the refresh has brought", revoked)
				}
			})
		})
	}
}

// Where the response to a refresh is lost after a Logout that did not wait, nobody finds what may be spent.
func TestF43_ALostRefreshLeavesATombstoneAfterALogout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as, store := &fakes.Server{}, &fakes.HookStore{}
		c := clientOf(t, as, in(store))
		gate := make(chan struct{})
		defer close(gate)
		as.Set(func() { as.After = fakes.Gated(gate) }) // it takes effect, and is not heard of
		go c.Renew(context.Background())
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		c.Logout(ctx)
		time.Sleep(2 * time.Minute)
		if b, _ := store.Load(context.Background(), c.StoreKey()); b == nil || len(b) != 0 {
			t.Errorf("the Store has %d bytes, want a tombstone", len(b))
		}
	})
}

// A credential is not spent for a session that ended while the intent was saved.
func TestF40_NothingIsSpentAfterALogout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as, store := &fakes.Server{}, &fakes.HookStore{}
		c := clientOf(t, as, in(store))
		var saves atomic.Int64
		store.Save = func([]byte) error {
			if saves.Add(1) == 1 {
				time.Sleep(5 * time.Second)
			}
			return nil
		}
		go c.Renew(context.Background())
		time.Sleep(time.Second)
		if err := c.Logout(context.Background()); err != nil {
			t.Error(err)
		}
		if _, refreshes, _ := as.Counts(); refreshes != 0 {
			t.Errorf("%d refreshes of a session that was logged out", refreshes)
		}
	})
}

// Nor is it where Credentials log in again, while that fails and the Store notes nothing.
func TestF24_WhatWasRefusedIsNotPresentedWhileCredentialsFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as, store := &fakes.Server{}, &lyingStore{}
		c := clientOf(t, as, in(store), func(cfg *Config) {
			cfg.Credentials = func(context.Context) (any, error) { return nil, nil }
		})
		store.loses.Store(true)
		var refused atomic.Int64
		as.Set(func() {
			as.Before = func(_ context.Context, g auth.Grant) error {
				if g.Kind == auth.KindLogin {
					return fakes.Down()
				}
				refused.Add(1)
				return fakes.InvalidGrant()
			}
		})
		time.Sleep(3 * time.Hour)
		if n := refused.Load(); n != 1 {
			t.Errorf("%d refreshes, want that the first refusal is the last", n)
		}
		as.Set(func() { as.Before = nil })
		time.Sleep(time.Hour)
		if status, err := get(c); status != 200 {
			t.Errorf("status %d, %v", status, err)
		}
	})
}

// Of two logins of which the first is saved late, the second stays, and nothing is left of the first.
func TestF43_ALoginThatIsOvertakenLeavesNoTombstone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as, store := &fakes.Server{}, &fakes.HookStore{}
		var saves atomic.Int64
		store.Save = func([]byte) error {
			if saves.Add(1) == 1 {
				time.Sleep(5 * time.Second)
			}
			return nil
		}
		c := strangerOf(t, as, in(store))
		first := make(chan error)
		go func() { first <- c.Login(context.Background(), nil) }()
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := c.Login(ctx, nil); err != nil {
			t.Fatal(err)
		}
		if err := <-first; !errors.Is(err, errOvertaken) {
			t.Errorf("the first login: %v", err)
		}
		time.Sleep(time.Minute)
		want, err := c.Token(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := strangerOf(t, as, in(store)).Token(context.Background()); err != nil || !got.Value.Equal(want.Value) {
			t.Errorf("the Store does not have the second login's token: %v", err)
		}
	})
}

// Where there is no Store, nothing is said about saving.
func TestF41_WithoutAStoreNothingIsSaidAboutSaving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as, func(cfg *Config) {
			cfg.Observe = func(ev Event) {
				if ev.Kind == EventNotSaved {
					t.Error(ev.Err)
				}
			}
		})
		as.Set(func() { as.Before = fakes.Slowly(auth.KindRefresh, 20*time.Second) })
		go c.Renew(context.Background())
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := c.Login(ctx, nil); err != nil {
			t.Fatal(err)
		}
		if !c.Status().Saved {
			t.Error("Status says that something is not saved")
		}
		time.Sleep(time.Minute)
	})
}

// A logout that tells the auth server for long leaves alone what a login has saved, or will, meanwhile.
func TestF43_ASlowLogoutDoesNotEndTheLoginAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as, store := &fakes.Server{}, &fakes.HookStore{}
		c := clientOf(t, as, in(store))
		as.Set(func() { as.Before = fakes.Slowly(auth.KindLogout, 20*time.Second) })
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		c.Logout(ctx)
		if err := c.Login(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if b, _ := store.Load(context.Background(), c.StoreKey()); len(b) == 0 {
			t.Error("the Store has a tombstone, want the login")
		}
		if _, err := c.Token(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func TestF34_WhatOutdatesAFirstVersion(t *testing.T) {
	holding := func(login string) []byte {
		b, err := (&record.Record{Login: login, Version: 1}).Encode(false)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, c := range []struct {
		what, replaces, last string
		has                  []byte
		outdated             bool
	}{
		{"nothing was there", record.Nothing, "", nil, false},
		{"what it replaces", "older", "", holding("older"), false},
		{"a login after what it replaces", "older", "", holding("newer"), true},
		{"a logout after what it replaces", "older", "", []byte{}, true},
		{"the logout that it replaces", record.Tombstone, "", []byte{}, false},
		{"a logout of itself", "mine", "mine", []byte{}, true},
		{"a login after itself", "mine", "mine", holding("newer"), true},
		{"itself", "mine", "mine", holding("mine"), true},
		{"itself, over what it replaces", "older", "mine", holding("mine"), true},
		{"a Store that has lost it", "mine", "mine", nil, false},
		{"nobody has looked", record.Unseen, "", holding("older"), false},
		{"nobody has looked, and it is there", record.Unseen, "mine", holding("mine"), true},
		{"a logout of this process", "older", record.Tombstone, []byte{}, false},
		{"a login of this process", "older", "late", holding("late"), false},
		{"what was there before that", "older", "late", holding("older"), false},
		{"a login after that", "older", "late", holding("newer"), true},
		{"a logout after that", "older", "late", []byte{}, true},
		{"a logout of this process, after itself", "mine", record.Tombstone, []byte{}, true},
	} {
		if got := outdated(&record.Record{Login: "mine", Version: 1, Replaces: c.replaces}, c.has, c.last); got != c.outdated {
			t.Errorf("%s: outdated is %t", c.what, got)
		}
	}
}

// A token is rejected whatever generation it is of by then: a refresh that gave no new one does not make it good.
func TestF07_ARejectionCountsForTheSameTokenOfALaterGeneration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		slow := func(req *http.Request) (*http.Response, error) {
			time.Sleep(10 * time.Second)
			return as.RoundTrip(req)
		}
		c := clientOf(t, as, func(cfg *Config) { cfg.Base = fakes.RoundTripFunc(slow) })
		as.Set(func() {
			as.After = func(g auth.Grant, s auth.Session) (auth.Session, error) {
				s.AccessToken = auth.Secret{}
				return s, nil
			}
		})
		as.Revoke()
		time.AfterFunc(5*time.Second, func() { c.Renew(context.Background()) })
		get(c)
		if _, refreshes, _ := as.Counts(); refreshes != 2 {
			t.Errorf("%d refreshes, want one for the rejection, beside the one that gave no new token", refreshes)
		}
	})
}

// An endpoint that rejects everybody does not make a token good that another endpoint has rejected.
func TestF70_APeculiarEndpointClearsOnlyItsOwnRejection(t *testing.T) {
	c := clientOf(t, &fakes.Server{})
	st := c.state.Load()
	c.reject(st.generation, st.session(), "GET /good")
	if c.rejectedAgain(st.generation, "GET /bad"); c.state.Load().rejected == nil {
		t.Error("the rejection of another endpoint is forgotten")
	}
	if c.rejectedAgain(st.generation, "GET /good"); c.state.Load().rejected != nil {
		t.Error("its own rejection stays")
	}
}

// A token that cannot be renewed serves on only until it is rejected: that needs no exchange, so no budget.
func TestF77_ARejectionEndsATokenThatServesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{After: func(_ auth.Grant, s auth.Session) (auth.Session, error) { s.Expires = time.Time{}; return s, nil }}
		c := clientOf(t, as)
		as.Set(func() { as.Before = func(context.Context, auth.Grant) error { return fakes.InvalidGrant() } })
		time.Sleep(time.Minute)
		c.Renew(context.Background())
		mustGet(t, c)
		c.mu.Lock()
		c.budget.spent = &spent{}
		for range perHour {
			c.budget.spent.draws = append(c.budget.spent.draws, time.Now())
		}
		c.mu.Unlock()
		as.Revoke()
		if status, err := get(c); status != 401 {
			t.Errorf("status %d, error %v", status, err)
		}
		if _, err := get(c); !errors.Is(err, ErrSessionOver) {
			t.Errorf("after the rejection: %v", err)
		}
	})
}

// So it does at an endpoint that has rejected good tokens before: an endless token would serve for ever otherwise.
func TestF77_ARejectionEndsAnEndlessTokenAnywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		var none atomic.Bool // a refresh gives no new token
		as.After = func(g auth.Grant, s auth.Session) (auth.Session, error) {
			if s.Expires = (time.Time{}); none.Load() {
				s.AccessToken = auth.Secret{}
			}
			return s, nil
		}
		c := clientOf(t, as)
		as.Revoke()
		none.Store(true)
		get(c) // taken for a peculiarity of the endpoint
		time.Sleep(time.Minute)
		as.Set(func() { as.Before = func(context.Context, auth.Grant) error { return fakes.InvalidGrant() } })
		get(c)
		get(c)
		if _, err := get(c); !errors.Is(err, ErrSessionOver) {
			t.Errorf("error %v, want that the session is over", err)
		}
	})
}

// "Never" is longer than any lifetime that is believed, and no token has lived half of it.
func TestF63_AnEndlessTokenIsNotRenewedForFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{After: func(_ auth.Grant, s auth.Session) (auth.Session, error) {
			s.Expires = s.Issued.Add(9_223_372_036 * time.Second)
			return s, nil
		}}
		c := clientOf(t, as, atOnce)
		for range 100 {
			c.Renew(context.Background())
			time.Sleep(time.Millisecond)
		}
		if _, refreshes, _ := as.Counts(); refreshes != 1 {
			t.Errorf("%d refreshes in 100 ms, want 1", refreshes)
		}
	})
}

// What another process has saved is no help where it is the very token that was rejected here.
func TestF07_ARejectedTokenIsNotAdoptedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as, store := &fakes.Server{}, &MemoryStore{}
		c := clientOf(t, as, in(store))
		other := strangerOf(t, as, in(store))
		as.Set(func() {
			as.After = func(_ auth.Grant, s auth.Session) (auth.Session, error) { s.AccessToken = auth.Secret{}; return s, nil }
		})
		time.Sleep(time.Minute)
		if err := c.Renew(context.Background()); err != nil {
			t.Fatal(err)
		}
		as.Set(func() { as.After = nil })
		as.Revoke()
		sent := as.Count(&as.Sent)
		mustGet(t, other)
		if sent = as.Count(&as.Sent) - sent; sent != 2 {
			t.Errorf("%d requests were sent, want one that is rejected and one that is not", sent)
		}
	})
}

// The response to a refresh that nobody waits for any more is saved when it comes: the credential is spent.
func TestF68_WhatComesLateIsSavedAtOnce(t *testing.T) {
	for _, idle := range []time.Duration{0, time.Minute} { // also where renewals have stopped
		synctest.Test(t, func(t *testing.T) {
			as, store := &fakes.Server{TTL: 8 * time.Hour}, &MemoryStore{}
			c := clientOf(t, as, in(store), func(cfg *Config) { cfg.IdleTimeout = idle })
			other := strangerOf(t, as, in(store))
			as.Set(func() { as.Before = fakes.Slowly(auth.KindRefresh, 15*time.Minute) })
			if err := c.Renew(context.Background()); err == nil {
				t.Fatal("it has not come late")
			}
			as.Set(func() { as.Before = nil })
			time.Sleep(16 * time.Minute)
			if err := other.Renew(context.Background()); err != nil {
				t.Errorf("idle after %s: another process presents what was spent: %v", idle, err)
			}
			if _, _, reuses := as.Counts(); reuses != 0 {
				t.Errorf("idle after %s: %d credentials were reused", idle, reuses)
			}
		})
	}
}

// A login by Credentials that seemed unsaved is not saved once more over the logout of another process.
func TestF43_ALogoutIsNotUndoneByCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as, store := &fakes.Server{}, &lyingStore{}
		c := clientOf(t, as, in(store), func(cfg *Config) {
			cfg.Credentials = func(context.Context) (any, error) { return nil, nil }
		})
		other := strangerOf(t, as, in(store))
		as.Set(func() {
			as.Before = func(_ context.Context, g auth.Grant) error {
				if g.Kind == auth.KindRefresh {
					return fakes.InvalidGrant()
				}
				return nil
			}
		})
		store.failsLate.Store(true)
		other.Logout(context.Background()) // the tombstone that the login replaces
		if err := c.Renew(context.Background()); err != nil {
			t.Fatal(err)
		}
		again := stored(t, store, c).Login
		other.Logout(context.Background())
		store.failsLate.Store(false)
		time.Sleep(time.Minute)
		if b, _ := store.Load(context.Background(), c.StoreKey()); record.LoginOf(b) == again {
			t.Error("the Store has the login that was logged out")
		}
	})
}

// Whoever has noted that another process's later login is about to be renewed does not take it for an earlier one of its own.
func TestF34_AnUnsavedLoginDoesNotReplaceALaterOneThatItTriedToRenew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as, store := &fakes.Server{}, &fakes.HookStore{}
		c, other := strangerOf(t, as, in(store)), strangerOf(t, as, in(store), func(cfg *Config) { cfg.MemoryOnly = true })
		store.Full.Store(true)
		if err := c.Login(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		store.Full.Store(false)
		if err := other.Login(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		later := stored(t, store, c).Login
		as.Breakable().Store(true)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		c.Renew(ctx)
		time.Sleep(time.Minute)
		if b, _ := store.Load(context.Background(), c.StoreKey()); record.LoginOf(b) != later {
			t.Error("the Store has the earlier login")
		}
	})
}

// A Store that is away for a login, and for the logout after it, has the session before when it is back. Nobody has logged
// in with that.
func TestF43_ALogoutBringsBackNoSessionBeforeIt(t *testing.T) {
	for what, enter := range map[string]func(*Client, *fakes.Server) error{
		"a login": func(c *Client, _ *fakes.Server) error { return c.Login(context.Background(), nil) },
		"a login, after one elsewhere": func(c *Client, _ *fakes.Server) error {
			store := c.cfg.Store.(*awayStore)
			store.away.Store(false)
			other, err := New(Config{BaseURL: c.cfg.BaseURL, Exchanger: c.cfg.Exchanger, Store: store})
			if err != nil {
				return err
			}
			defer other.Close()
			if err := errors.Join(other.Login(context.Background(), nil), c.Renew(context.Background())); err != nil {
				return err
			}
			store.away.Store(true)
			return c.Login(context.Background(), nil)
		},
		"a resumed session": func(c *Client, as *fakes.Server) error {
			c.Resume(context.Background(), auth.Session{RefreshToken: auth.NewSecret(as.Good())}) // it cannot be refreshed
			return nil
		},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				as, store := &fakes.Server{}, &awayStore{}
				c := clientOf(t, as, in(store))
				store.away.Store(true)
				if err := enter(c, as); err != nil {
					t.Fatal(err)
				}
				if err := c.Logout(context.Background()); !errors.Is(err, errAway) {
					t.Errorf("Logout: %v, want what the Store says", err)
				}
				store.away.Store(false)
				time.Sleep(time.Minute)
				if _, err := c.Token(context.Background()); !errors.Is(err, ErrNoSession) {
					t.Errorf("Token: %v, want %v", err, ErrNoSession)
				}
			})
		})
	}
}

// An awayStore cannot be reached now and then.
type awayStore struct {
	fakes.Memory
	away atomic.Bool
}

var errAway = errors.New("the Store is away")

func (s *awayStore) Load(ctx context.Context, key string) ([]byte, error) {
	if s.away.Load() {
		return nil, errAway
	}
	return s.Memory.Load(ctx, key)
}

func (s *awayStore) Update(ctx context.Context, key string, fn UpdateFunc) error {
	if s.away.Load() {
		return errAway
	}
	return s.Memory.Update(ctx, key, fn)
}
