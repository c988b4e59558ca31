package main

import (
	"context"
	"fmt"
	"time"
)

// token prints a valid access token.
func token(ctx context.Context, a *app) (err error) {
	c, _, err := a.session(nil)
	if err != nil {
		return err
	}
	defer a.closing(c, &err)
	t, err := c.Token(ctx)
	if err != nil {
		return a.failed("no token", err)
	}
	if wanted := a.wanted(t.Expires, c.Status().Issued); time.Until(t.Expires) < wanted {
		if err := c.Renew(ctx); err != nil {
			fmt.Fprintf(a.err, "silentrefresh: the token ends at %s, and was not renewed: %s\n", clock(t.Expires), plain(err))
		}
		if t, err = c.Token(ctx); err != nil {
			return a.failed("no token", err)
		}
	}
	fmt.Fprintln(a.out, t.Value.Reveal())
	return nil
}

// wanted is how long the token has to be valid: what was asked for, as far as its whole life allows.
func (a *app) wanted(expires, issued time.Time) time.Duration {
	if expires.IsZero() {
		return 0
	}
	return min(a.options.minTTL, expires.Sub(issued)/2)
}
