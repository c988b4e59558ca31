package main

import (
	"context"
	"fmt"
)

// renew gets a new access token now.
func renew(ctx context.Context, a *app) (err error) {
	defer a.waits("the renewal")()
	c, _, err := a.session(nil)
	if err != nil {
		return err
	}
	defer a.closing(c, &err)
	if err := c.Renew(ctx); err != nil {
		return a.failed(a.profile.label()+" was not renewed", err)
	}
	st := c.Status()
	fmt.Fprintln(a.out, a.colored(st.State, "Renewed "+a.profile.label()))
	a.fact("token", tokenLife(st))
	a.fact("session", sessionLife(st))
	return nil
}
