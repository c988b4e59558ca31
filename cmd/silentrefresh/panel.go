package main

import (
	"context"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/dashboard"
	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/timeline"
)

// pageMarks is how many events the proxy's page lists.
const pageMarks = 100

// A panel is what the proxy's page shows, and does.
type panel struct {
	app      *app
	client   atomic.Pointer[silentrefresh.Client] // nil until it is made, which has events already
	life     timeline.Life
	requests dashboard.Counter
	page     *dashboard.Dashboard
}

func (a *app) newPanel() *panel {
	p := &panel{app: a}
	p.page = dashboard.New(dashboard.Session{State: p.state, Logout: p.logout})
	return p
}

// observing is observe, and the page has the events as well.
func (p *panel) observing(observe func(silentrefresh.Event)) func(silentrefresh.Event) {
	return func(ev silentrefresh.Event) {
		if c := p.client.Load(); c != nil {
			p.life.See(c.Status())
		}
		p.life.Note(ev, eventText(ev))
		observe(ev)
	}
}

// state is what the page shows now. It is asked for only once there is a Client.
func (p *panel) state() dashboard.State {
	st := p.client.Load().Status()
	p.life.See(st)
	now := time.Now()
	s := dashboard.State{
		Status: st, Picture: p.life.Picture(pageMarks), Now: now, BaseURL: p.app.profile.label(), Standing: standing(st),
		Requests: p.requests.Counts(now),
	}
	if st.Err != nil {
		f := p.app.failed("", st.Err)
		s.Why, s.Do = strings.Trim(f.Error(), ": "), f.do
	}
	if st.State == silentrefresh.StateNone {
		s.Do = p.app.loginAnew()
	}
	return s
}

// loginAnew is loginCommand after a logout, which has forgotten the settings.
func (a *app) loginAnew() string {
	forgotten, other := *a.profile, *a
	forgotten.kept, other.profile = false, &forgotten
	return other.loginCommand()
}

// logout ends the session for whoever pressed the button. The Client of the proxy knows the newest credential; what is
// kept beside the session is left to a Client as that of the command logout, which finds no session any more.
func (p *panel) logout(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx) // a page that is closed does not stop half way
	err := p.client.Load().Logout(ctx)
	other := *p.app
	other.out, other.err = io.Discard, io.Discard
	forgotten := other.logOut(ctx)
	if err != nil {
		return p.app.notOfEverything(err)
	}
	return forgotten
}
