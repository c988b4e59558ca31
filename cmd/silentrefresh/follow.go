package main

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/silentrefresh/silentrefresh"
)

// lookInterval is how often a follower looks.
const lookInterval = 500 * time.Millisecond

// A follower looks at the session's record, and has the Client take up what other processes have done to it: they renew
// it, log out, log in again. By itself a Client looks only when it needs a token.
type follower struct {
	app    *app
	client *silentrefresh.Client
	store  *vault
	seen   []byte // the record as it was looked at last
}

// look looks once. It waits no longer than a request does.
func (f *follower) look(ctx context.Context) {
	if over(f.client.Status()) {
		_, _ = f.client.Token(ctx) // looks whether somebody has logged in
		return
	}
	record, err := f.store.Store.Load(ctx, f.client.StoreKey())
	if err != nil || bytes.Equal(record, f.seen) {
		return
	}
	f.seen = record
	theirs, err := f.app.glance()
	if err == nil && foreign(theirs, f.client.Status()) {
		_ = f.client.Renew(ctx) // takes the record up, without the network; events say what comes of it
	}
}

// glance is how the session stands by its record alone.
func (a *app) glance() (silentrefresh.Status, error) {
	other := *a
	v, err := other.vault()
	if err != nil {
		return silentrefresh.Status{}, err
	}
	v.access = looking
	c, err := other.connect(v, func(silentrefresh.Event) {})
	if err != nil {
		return silentrefresh.Status{}, err
	}
	defer c.Close() // there is nothing to save
	return c.Status(), nil
}

// foreign reports whether the record, which stands as theirs does, is what another process has made of the session. A
// session that could not be saved yet differs from its record for another reason.
func foreign(theirs, ours silentrefresh.Status) bool {
	switch {
	case !ours.Saved:
		return false
	case errors.Is(theirs.Err, silentrefresh.ErrNoSession), errors.Is(theirs.Err, silentrefresh.ErrSessionOver):
		return true
	case theirs.State == silentrefresh.StateNone:
		return false // it cannot be read
	}
	return theirs.Version != ours.Version || theirs.Account != ours.Account || theirs.Issued.Sub(ours.Issued).Abs() > time.Second
}
