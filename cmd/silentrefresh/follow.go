package main

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/internal/record"
)

// lookInterval is how often a follower looks.
const lookInterval = 500 * time.Millisecond

// mostTries is how often a login of another process is looked at. A Client does not take up one of another account.
const mostTries = 5

// A follower looks at the session's record, and has the Client take up what other processes have done to it: they renew
// it, log out, log in again. By itself a Client looks only when it needs a token.
type follower struct {
	app    *app
	client *silentrefresh.Client
	store  *vault
	seen   []byte // the record as it was looked at last, empty for none; nil: it was not
	login  string // the login that seen belongs to
	tries  int    // to take up a record
}

// follow looks until ctx ends.
func (f *follower) follow(ctx context.Context) {
	tick := time.NewTicker(lookInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			f.look(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// look looks once. It waits no longer than a request does.
func (f *follower) look(ctx context.Context) {
	b, err := f.store.Store.Load(ctx, f.client.StoreKey())
	if err != nil || f.seen != nil && bytes.Equal(b, f.seen) {
		return
	}
	theirs, err := f.glance()
	if err != nil {
		return
	}
	login := record.LoginOf(b)
	switch ours := f.client.Status(); { // the record is taken up, without the network; events say what comes of it
	case !over(ours):
		if foreign(theirs, ours, f.seen != nil && login != f.login) {
			_ = f.client.Renew(ctx)
		}
	case theirs.State.Healthy():
		_, err = f.client.Token(ctx) // looks once a second at most
	}
	if f.tries++; err == nil || f.tries >= mostTries {
		f.seen, f.login, f.tries = append([]byte{}, b...), login, 0
	}
}

// glance is how the session stands by its record alone.
func (f *follower) glance() (silentrefresh.Status, error) {
	one := *f.app // which has another Client, and changes nothing of f.app
	one.options.verbose = false
	v := &vault{Store: f.store.Store, profiles: f.store.profiles, profile: f.store.profile, access: looking}
	c, err := one.connect(v, func(silentrefresh.Event) {})
	if err != nil {
		return silentrefresh.Status{}, err
	}
	defer c.Close() // there is nothing to save
	return c.Status(), nil
}

// foreign reports whether the record, which stands as theirs does, is what another process has made of the session, and can
// be taken up without the network: it has a token, or it says that there is no session any more. Where each process has a
// token of its own, as with memory_only, there is nothing to take up. A session that could not be saved yet differs from its
// record for another reason.
func foreign(theirs, ours silentrefresh.Status, anotherLogin bool) bool {
	switch {
	case !ours.Saved:
		return false
	case errors.Is(theirs.Err, silentrefresh.ErrNoSession), errors.Is(theirs.Err, silentrefresh.ErrSessionOver):
		return true
	case theirs.State != silentrefresh.StateLoggedIn:
		return false
	}
	return theirs.Version > ours.Version || anotherLogin && !theirs.Issued.Equal(ours.Issued)
}
