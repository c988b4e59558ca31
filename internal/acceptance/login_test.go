package acceptance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/authtest"
	"github.com/silentrefresh/silentrefresh/endpoint"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// What a response said of a user goes to the observer, once, and is kept nowhere: not in the Client, not in its Status,
// not in what the next user's events carry.
func TestF71_NothingKeepsTheResponse(t *testing.T) {
	server := authtest.NewServer(t, authtest.Config{})
	var mu sync.Mutex
	var evs []silentrefresh.Event
	client := newClient(t, server, func(cfg *silentrefresh.Config, _ *endpoint.Settings) {
		cfg.Observe = func(ev silentrefresh.Event) {
			mu.Lock()
			defer mu.Unlock()
			evs = append(evs, ev)
		}
	})
	if err := client.Login(t.Context(), credentials); err != nil {
		t.Fatal(err)
	}
	if err := client.Logout(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := client.Resume(t.Context(), auth.Session{AccessToken: auth.NewSecret("bob's")}); err == nil {
		t.Log("resumed")
	}
	client.Close()
	mu.Lock()
	defer mu.Unlock()
	for _, ev := range evs {
		var said any
		known := ev.Response.Decode(&said) == nil && said != nil
		if known != (ev.Kind == silentrefresh.EventLoggedIn || ev.Kind == silentrefresh.EventRenewed) {
			t.Errorf("the event %q carries a response: %v", ev.Kind, known)
		}
	}
	if shown := fmt.Sprintf("%+v %#v %+v", client, client, client.Status()); strings.Contains(shown, "ada") {
		t.Errorf("shown: %s", shown)
	}
}

// Two paths of one origin are two servers, whatever the spelling.
func TestF73_TheStoresKeyIsTheWholeURL(t *testing.T) {
	keys := map[string]string{}
	for _, test := range []struct{ base, name, same string }{
		{"https://id.example.com", "", ""},
		{"https://id.example.com/", "", "https://id.example.com"},
		{"https://ID.example.com:443", "default", "https://id.example.com"},
		{"https://id.example.com/realms/a", "", ""},
		{"https://id.example.com/realms/a/", "", "https://id.example.com/realms/a"},
		{"https://id.example.com/realms/b", "", ""},
		{"https://id.example.com/realms/a%2Fb", "", ""},
		{"https://id.example.com/realms/a/b", "", ""},
		{"https://id.example.com:8443", "", ""},
		{"https://id.example.com", "bob", ""},
	} {
		c, err := silentrefresh.New(silentrefresh.Config{BaseURL: test.base, Name: test.name})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		key := c.StoreKey()
		other, taken := keys[key]
		if taken != (test.same != "") || taken && other != test.same {
			t.Errorf("%s %q has the key of %q, want that of %q", test.base, test.name, other, test.same)
		}
		if !taken {
			keys[key] = test.base
		}
	}
}

func TestF73_TwoPathsDoNotEndEachOthersSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &silentrefresh.MemoryStore{}
		realm := func(as *fakes.Server, name string) *silentrefresh.Client {
			return clientOf(t, as, in(store), func(cfg *silentrefresh.Config) { cfg.BaseURL = "https://api.example.com/realms/" + name })
		}
		ada, bob := &fakes.Server{}, &fakes.Server{After: fakes.AsBob}
		a, b := realm(ada, "a"), realm(bob, "b")
		for range 3 {
			time.Sleep(time.Hour)
			mustGet(t, a)
			mustGet(t, b)
		}
		if err := a.Logout(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := b.Renew(t.Context()); err != nil || stored(t, store, a) != nil || stored(t, store, b).Session.Account != "bob@example.com" {
			t.Errorf("after the other's Logout: %v", err)
		}
	})
}

// What was refused is not presented again, however long the login that is to follow fails.
func TestF60_WhatWasRefusedIsNotPresentedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		var presented atomic.Int64
		var up atomic.Bool
		as.Before = func(_ context.Context, g auth.Grant) error {
			if g.Kind == auth.KindRefresh {
				presented.Add(1)
			}
			if logins, _, _ := as.Counts(); g.Kind == auth.KindLogin && logins > 0 && !up.Load() {
				return fakes.Down()
			}
			return nil
		}
		c := clientOf(t, as, func(cfg *silentrefresh.Config) {
			cfg.Credentials = func(context.Context) (any, error) { return nil, nil }
		})
		as.Set(func() { as.Refresh = "" }) // the server has ended the session
		time.Sleep(time.Hour)
		for range 10 {
			get(c)
			c.Renew(t.Context())
		}
		if n := presented.Load(); n != 1 {
			t.Errorf("presented %d times", n)
		}
		up.Store(true)
		time.Sleep(2 * time.Minute)
		mustGet(t, c)
	})
}

// A login whose first save failed gives way to what has come of it meanwhile, in other processes: also before that save
// is tried again.
func TestF41_ALateSaveGivesWayToWhatHasComeOfIt(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			as, store := &fakes.Server{}, &fakes.HookStore{}
			store.Full.Store(true)
			c := clientOf(t, as, in(store))
			store.Full.Store(false)
			as.Set(func() { as.Before = func(context.Context, auth.Grant) error { return fakes.Down() } })
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			c.Renew(ctx) // saves the intent to spend, which others find
			as.Set(func() { as.Before = nil })
			if err := strangerOf(t, as, in(store), atOnce).Renew(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := c.Renew(t.Context()); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Hour)
			mustGet(t, c)
			if _, _, reuses := as.Counts(); reuses != 0 {
				t.Errorf("%d reuses", reuses)
			}
		})
	}
}

// Somebody has logged out everywhere, while a login here was not saved yet: it does not come back.
func TestF43_ALogoutElsewhereIsNotUndoneByALateSave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as, store := &fakes.Server{}, &fakes.HookStore{}
		other := clientOf(t, as, in(store))
		store.Full.Store(true)
		c := clientOf(t, as, in(store), atOnce)
		store.Full.Store(false)
		if err := other.Logout(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if r := stored(t, store, c); r != nil {
			t.Errorf("the store has a session again, of %s", r.Session.Account)
		}
		if s := c.Status().State; s != silentrefresh.StateOver || as.Good() != "" {
			t.Errorf("state %s; the server still takes %q", s, as.Good())
		}
	})
}

// A request that waits for ada's token is not sent with bob's.
func TestF42_ARequestIsSentForWhomItWasMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as)
		as.Set(func() { as.Before = fakes.Slowly(auth.KindRefresh, 5*time.Second) })
		as.Revoke()
		token, _ := c.Token(t.Context())
		c.Reject(token)
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				_, err := c.HTTPClient().Do(stream())
				if !errors.Is(err, silentrefresh.ErrSessionOver) {
					t.Errorf("error %v", err)
				}
			})
			all.Go(func() {
				if _, err := c.Token(context.Background()); !errors.Is(err, silentrefresh.ErrSessionOver) {
					t.Errorf("Token: %v", err)
				}
			})
		}
		time.Sleep(time.Second)
		as.Set(func() { as.Before, as.After = nil, fakes.AsBob })
		sent := as.Count(&as.Sent)
		if err := c.Login(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		all.Wait()
		if n := as.Count(&as.Sent) - sent; n != 0 {
			t.Errorf("%d requests of ada's were sent as bob's", n)
		}
		mustGet(t, c) // bob's own
	})
}

// The same where the token is good and merely due, and where reading the body takes as long.
func TestF42_ABodyIsSentForWhomItWasMade(t *testing.T) {
	for what, body := range map[string]struct {
		is     func() io.Reader
		length int64
	}{
		"a stream before which the token is renewed": {func() io.Reader { return stream().Body }, -1},
		"a body that comes slowly":                   {func() io.Reader { return &slowBody{left: 10} }, 10},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				as := &fakes.Server{TTL: time.Hour}
				c := clientOf(t, as, func(cfg *silentrefresh.Config) {
					cfg.IdleTimeout = time.Minute // nothing is renewed before
					cfg.Base = fakes.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
						if got := req.Header.Get("Authorization"); got != "Bearer access-secret-1" {
							t.Errorf("ada's request was sent with %q", got)
						}
						return as.RoundTrip(req)
					})
				})
				time.Sleep(55 * time.Minute)
				as.Set(func() { as.Before = fakes.Slowly(auth.KindRefresh, 5*time.Second) })
				done := make(chan error)
				go func() {
					req, _ := http.NewRequest("POST", "https://api.example.com/things", body.is())
					req.ContentLength = body.length
					_, err := c.HTTPClient().Do(req)
					done <- err
				}()
				time.Sleep(time.Second)
				as.Set(func() { as.Before, as.After = nil, fakes.AsBob })
				if err := c.Login(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
				if err := <-done; body.length > 0 && !errors.Is(err, silentrefresh.ErrSessionOver) {
					t.Errorf("error %v", err)
				}
			})
		})
	}
}

// A slowBody gives one byte a second.
type slowBody struct{ left int }

func (b *slowBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	time.Sleep(time.Second)
	b.left--
	return copy(p, "x"), nil
}

// A Store whose Update returns without calling back has saved nothing, and a login says so.
func TestF41_AStoreThatRunsNothingHasSavedNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &history{}
		c := clientOf(t, &fakes.Server{}, in(&lazyStore{}), h.observe)
		synctest.Wait()
		if c.Status().Saved || !slices.ContainsFunc(h.evs, func(ev silentrefresh.Event) bool { return ev.Kind == silentrefresh.EventNotSaved }) {
			t.Errorf("status %+v", c.Status())
		}
		if err := c.Close(); err == nil {
			t.Error("Close says that all is saved")
		}
	})
}
