package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/filestore"
)

const loginHelp = `Without -d, --cookie-file and --refresh-token it asks on the terminal, and a password is not echoed; with "oauth" in the
settings it opens the browser, or shows a code for another device. The settings are stored with the session: what was
given with --config or --base need not be given again.

With a URL and nothing else it looks at the server for how people log in there, says what it found, and asks before it
sends anything. An API that says itself where to log in, an MCP server for instance, opens the browser.

  silentrefresh login https://mcp.example.com/mcp
  silentrefresh login https://api.example.com
  silentrefresh login --base https://api.example.com
  silentrefresh login --base https://api.example.com -d @credentials.json
`

// login gets a session and keeps it.
func login(ctx context.Context, a *app) (err error) {
	defer a.waits("the login")()
	if len(a.args) == 1 {
		err = a.chooseURL(ctx, a.args[0])
	} else {
		err = a.choose()
	}
	if f, ok := err.(*failure); ok && f.code == exitLogin {
		return usage("nothing says where to log in", "silentrefresh login URL, or --base URL, or --config FILE")
	} else if err != nil {
		return err
	}
	v, err := a.vault()
	if err != nil {
		return err
	}
	before := a.account() // for it is replaced
	v.access = changing
	v.hidden.Store(true)
	obstacle := make(chan error, 1)
	c, err := a.connect(v, func(ev silentrefresh.Event) {
		if ev.Kind == silentrefresh.EventNotRenewable {
			obstacle <- ev.Err
			return
		}
		a.notice(ev)
	})
	if err != nil {
		return err
	}
	defer a.closing(c, &err)
	if st := c.Status(); unreadable(st) && !filestore.Unreadable(st.Err) {
		return a.failed("no login was tried", st.Err)
	}
	if err := v.ready(ctx); err != nil {
		return a.failed("no login was tried: the session could not be kept", err)
	}
	v.hidden.Store(false)
	if err := a.begin(ctx, c); err != nil {
		return a.failed("login to "+a.profile.label()+" failed", err)
	}
	if st := c.Status(); !st.Saved {
		return nil // closing says why
	}
	a.greet(c.Status(), v.where(), obstacle)
	if now := c.Status().Account; before != "" && now != before {
		fmt.Fprintf(a.err, "silentrefresh: that session was %s's; to have both, log in with --session NAME\n", before)
	}
	return nil
}

// account is who is logged in with the chosen session, "" for nobody.
func (a *app) account() string {
	if r, err := a.look(a.profile); err == nil && r.State.Healthy() {
		return r.Account
	}
	return ""
}

// unreadable reports whether the stored session is there and cannot be read. One that nobody ever could is replaced.
func unreadable(st silentrefresh.Status) bool {
	return st.State == silentrefresh.StateNone && !errors.Is(st.Err, silentrefresh.ErrNoSession)
}

// greet says how things stand after a login.
func (a *app) greet(st silentrefresh.Status, where string, obstacle <-chan error) {
	as := ""
	if st.Account != "" {
		as = " as " + st.Account
	}
	fmt.Fprintln(a.out, a.colored(silentrefresh.StateLoggedIn, "Logged in to "+a.profile.label()+as))
	a.fact("token", tokenLife(st))
	a.fact("session", sessionLife(st))
	a.fact("stored", where)
	if !st.Renewable {
		a.fact("BUT", "nothing will renew it: "+why(obstacle))
		return
	}
	if a.profile.config.renewsItself() {
		a.fact("BUT", "renewed only while it is valid: keep `"+a.next("proxy")+"` running")
	}
	fmt.Fprintf(a.out, "Next: %s /me\n", a.next("request"))
}

// why waits for the reason, which comes a moment later.
func why(obstacle <-chan error) string {
	select {
	case err := <-obstacle:
		return strings.TrimPrefix(plain(err), plain(auth.ErrNotRenewable)+": ")
	case <-time.After(time.Second):
		return "the login brought neither a cookie nor a refresh token"
	}
}

// tokenLife says how long a new token lives, and when it is renewed: at about 80 % of its life.
func tokenLife(st silentrefresh.Status) string {
	if st.Expires.IsZero() {
		return unknownLife(st)
	}
	life := st.Expires.Sub(st.Issued)
	if !st.Renewable {
		return span(life)
	}
	return fmt.Sprintf("%s, renewed about every %s", span(life), span(life*4/5))
}

func sessionLife(st silentrefresh.Status) string {
	switch {
	case st.SessionEnds.IsZero():
		return "until the server ends it"
	case st.Renewable:
		return fmt.Sprintf("until %s, extended by each renewal", clock(st.SessionEnds))
	}
	return "until " + clock(st.SessionEnds)
}
