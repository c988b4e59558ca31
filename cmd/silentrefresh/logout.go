package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/silentrefresh/silentrefresh/auth"
)

// logout ends the session, here and at the server.
func logout(ctx context.Context, a *app) (err error) {
	defer a.waits("the logout")()
	if err := a.choose(); err != nil {
		return err
	}
	if err := a.logOut(ctx); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "Logged out of %s\n", a.profile.label())
	return nil
}

// logOut ends the chosen session, and forgets what is kept beside it.
func (a *app) logOut(ctx context.Context) (err error) {
	a.leaving = true
	v, err := a.vault()
	if err != nil {
		return err
	}
	v.access = changing
	c, err := a.connect(v, nil)
	if err != nil {
		return err
	}
	defer a.closing(c, &err)
	if err := c.Logout(ctx); err != nil {
		return a.notOfEverything(err)
	}
	if why := v.lost.Load(); why != nil {
		return &failure{what: "logged out of " + a.profile.label() + ", but not of everything", code: exitFailed,
			why: "the stored session could not be read, so that the auth server was not told; it is removed: " + plain(causeOf(*why)),
			do:  "end it in the server's own list of sessions, or let it expire"}
	}
	return nil
}

// notOfEverything explains what a logout could not do.
func (a *app) notOfEverything(err error) *failure {
	f := a.failed("logged out of "+a.profile.label()+", but not of everything", err)
	f.code = exitFailed
	if e, ok := errors.AsType[*auth.Error](err); ok && e.Op == auth.KindLogout {
		f.why += "; " + f.do
		f.do = "end it in the server's own list of sessions, or let it expire"
	}
	return f
}
