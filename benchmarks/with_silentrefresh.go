package main

import (
	"context"
	"errors"
	"strconv"

	"github.com/silentrefresh/silentrefresh"
)

var silently = contender{
	name:   nameOurs,
	about:  "silentrefresh.New with BaseURL, Base and RefreshBefore set to the lead; further sessions of a program are Forks",
	renews: true, sees401: true, replays: true,
	fit: fitSilently,
}

// fitSilently logs in by itself: that is where its sessions come from.
func fitSilently(s setup) (fitted, error) {
	ctx := context.Background()
	c, err := newOrFork(s)
	if err != nil {
		return fitted{}, err
	}
	if err := c.Login(ctx, map[string]string{"username": "u1", "password": "a password"}); err != nil {
		return fitted{}, errors.Join(err, c.Close())
	}
	token, err := c.Token(ctx)
	return fitted{
		RoundTripper: c.Transport(s.base),
		held:         []any{c, c.Status(), token},
		shared:       c,
		close:        func() { c.Close() },
	}, err
}

func newOrFork(s setup) (*silentrefresh.Client, error) {
	if s.beside != nil {
		return s.beside.shared.(*silentrefresh.Client).Fork(strconv.Itoa(s.number))
	}
	return silentrefresh.New(silentrefresh.Config{BaseURL: s.url, Base: s.base, RefreshBefore: s.lead})
}
