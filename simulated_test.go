package silentrefresh

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
	"github.com/silentrefresh/silentrefresh/internal/record"
)

// This file has the small form of what internal/simulation has found.

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

func TestF34_WhatOutdatesAFirstVersion(t *testing.T) {
	holding := func(login string) []byte {
		b, err := (&record.Record{Login: login, Version: 1}).Encode(false)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, c := range []struct {
		what, replaces string
		has            []byte
		outdated       bool
	}{
		{"nothing was there", record.Nothing, nil, false},
		{"what it replaces", "older", holding("older"), false},
		{"a login after what it replaces", "older", holding("newer"), true},
		{"a logout after what it replaces", "older", []byte{}, true},
		{"the logout that it replaces", record.Tombstone, []byte{}, false},
		{"a logout of itself", "mine", []byte{}, true},
		{"a login after itself", "mine", holding("newer"), true},
		{"itself", "mine", holding("mine"), true},
		{"itself, over what it replaces", "older", holding("mine"), true},
		{"a Store that has lost it", "mine", nil, false},
		{"nobody has looked", record.Unseen, holding("older"), false},
		{"nobody has looked, and it is there", record.Unseen, holding("mine"), true},
	} {
		if got := outdated(&record.Record{Login: "mine", Version: 1, Replaces: c.replaces}, c.has); got != c.outdated {
			t.Errorf("%s: outdated is %t", c.what, got)
		}
	}
}

// An endpoint that rejects everybody does not make a token good that another endpoint has rejected.
func TestF70_APeculiarEndpointClearsOnlyItsOwnRejection(t *testing.T) {
	c := clientOf(t, &fakes.Server{})
	st := c.state.Load()
	c.reject(st.generation, "GET /good")
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
	synctest.Test(t, func(t *testing.T) {
		as, store := &fakes.Server{TTL: 8 * time.Hour}, &MemoryStore{}
		c := clientOf(t, as, in(store))
		other := strangerOf(t, as, in(store))
		as.Set(func() { as.Before = fakes.Slowly(auth.KindRefresh, 15*time.Minute) })
		if err := c.Renew(context.Background()); err == nil {
			t.Fatal("it has not come late")
		}
		as.Set(func() { as.Before = nil })
		time.Sleep(16 * time.Minute)
		if err := other.Renew(context.Background()); err != nil {
			t.Errorf("another process presents what was spent: %v", err)
		}
		if _, _, reuses := as.Counts(); reuses != 0 {
			t.Errorf("%d credentials were reused", reuses)
		}
	})
}
