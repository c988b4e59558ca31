package main

import (
	"errors"
	"fmt"
	"net"
	"sync/atomic"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/dashboard"
)

// announce says where the proxy is, and who may use it.
func (a *app) announce(addr net.Addr, st silentrefresh.Status) {
	fmt.Fprintf(a.out, "http://%s passes on to %s, %s\n", asGiven(a.options.listen, addr), a.profile.label(), standing(st))
	if a.screen(a.err).Terminal {
		fmt.Fprintf(a.err, "See http://%s%s\n", asGiven(a.options.listen, addr), dashboard.Path)
	}
	if a.options.secret == "" { // and so it listens on loopback alone
		fmt.Fprintf(a.err, "silentrefresh: any program of this machine can use the session; to ask for a secret, set %s\n", variable(secretFlag))
	}
	if over(st) {
		a.failed("nothing is passed on yet", st.Err).print(a.err)
	}
}

// asGiven is the address as it was given, with the port that it got.
func asGiven(listen string, addr net.Addr) string {
	host, _, err := net.SplitHostPort(listen)
	_, port, err2 := net.SplitHostPort(addr.String())
	if err != nil || err2 != nil || host == "" {
		return addr.String()
	}
	return net.JoinHostPort(host, port)
}

// A herald tells whoever started the proxy when the session is over, and when somebody has logged in.
type herald struct {
	app  *app
	over atomic.Bool
}

// observe is the Client's observer.
func (h *herald) observe(ev silentrefresh.Event) {
	switch ev.Kind {
	case silentrefresh.EventOver:
		h.over.Store(true)
		fmt.Fprintf(h.app.err, "silentrefresh: the session is over: %s; to go on: %s\n", overReason(ev.Err), h.app.loginCommand())
	case silentrefresh.EventLoggedOut:
		h.over.Store(true)
		fmt.Fprintf(h.app.err, "silentrefresh: the page has logged out; to go on: %s\n", h.app.loginAnew())
	case silentrefresh.EventResumed:
		if h.over.Swap(false) {
			fmt.Fprintln(h.app.err, "silentrefresh: somebody has logged in, and requests are passed on")
		}
	default:
		h.app.notice(ev)
	}
}

// standing is the session's state in the words of a person.
func standing(st silentrefresh.Status) string {
	switch offline := st.State == silentrefresh.StateOffline && (st.Err == nil || errors.Is(st.Err, errLooking)); {
	case st.State == silentrefresh.StateNone:
		return "not logged in"
	case offline && st.Expires.IsZero():
		return "logged in, no token yet"
	case offline: // nobody has tried to renew it
		return "logged in, token expired"
	}
	return string(st.State)
}
