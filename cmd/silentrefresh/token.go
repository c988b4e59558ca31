package main

import (
	"context"
	"fmt"
	"time"

	"github.com/silentrefresh/silentrefresh"
)

// token prints a valid access token.
func token(ctx context.Context, a *app) (err error) {
	try, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	c, _, err := a.session(func(ev silentrefresh.Event) {
		if ev.Kind == silentrefresh.EventRetrying {
			giveUp(ev.Err)
		}
		a.notice(ev)
	})
	if err != nil {
		return err
	}
	defer a.closing(c, &err)
	t, err := c.Token(ctx)
	if err != nil {
		return a.failed("no token", err)
	}
	if wanted := a.wanted(t.Expires, c.Status().Issued); time.Until(t.Expires) < wanted {
		if t, err = a.renewed(try, c, t); err != nil {
			return a.failed("no token", err)
		}
	}
	fmt.Fprintln(a.out, t.Value.Reveal())
	return nil
}

// renewed is a newer token than t, or else t, which is still good: whoever waits for it should not wait for a server
// that is away, least of all until t has ended. So one try has to do, and at most half of what is left of t.
func (a *app) renewed(ctx context.Context, c *silentrefresh.Client, t silentrefresh.Token) (silentrefresh.Token, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Until(t.Expires)/2)
	defer cancel()
	err := c.Renew(ctx)
	if err == nil {
		return c.Token(ctx)
	}
	if over(c.Status()) {
		return t, err
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	fmt.Fprintf(a.err, "silentrefresh: the token ends at %s, and was not renewed: %s\n", clock(t.Expires), plain(err))
	return t, nil
}

// wanted is how long the token has to be valid: what was asked for, as far as its whole life allows.
func (a *app) wanted(expires, issued time.Time) time.Duration {
	if expires.IsZero() {
		return 0
	}
	return min(a.options.minTTL, expires.Sub(issued)/2)
}
