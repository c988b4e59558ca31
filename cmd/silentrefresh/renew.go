package main

import (
	"context"
	"fmt"
)

// renew gets a new access token now.
func renew(ctx context.Context, a *app) (err error) {
	c, _, err := a.session(nil)
	if err != nil {
		return err
	}
	defer a.closing(c, &err)
	if err := c.Renew(ctx); err != nil {
		return a.failed(a.profile.label()+" was not renewed", err)
	}
	st := c.Status()
	fmt.Fprintf(a.out, "Renewed %s\n  token    %s\n  session  %s\n", a.profile.label(), tokenLife(st), sessionLife(st))
	return nil
}
