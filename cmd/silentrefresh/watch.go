package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/process"
	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/terminal"
	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/timeline"
)

// watch shows what happens to the session until it is interrupted: one line an event, and on a terminal its life as it
// goes below them.
func watch(ctx context.Context, a *app) (err error) {
	w := a.watching()
	c, v, err := a.session(w.observe)
	if err != nil {
		return err
	}
	defer a.closing(c, &err)
	if out, ok := a.out.(*process.Output); ok {
		out.Watch(ctx)
	}
	w.client.Store(c)
	if st := c.Status(); over(st) {
		w.observe(silentrefresh.Event{Kind: silentrefresh.EventOver, Time: time.Now(), Err: st.Err})
	}
	w.live.Show(w.draw)
	defer w.live.Keep()
	(&follower{app: a, client: c, store: v}).follow(ctx)
	return nil
}

// A watching is what watch shows, and where.
type watching struct {
	screen terminal.Screen
	live   *terminal.Live // nil in a pipe
	out    io.Writer
	title  func() string
	life   timeline.Life
	client atomic.Pointer[silentrefresh.Client] // nil until it is made, which has events already
}

func (a *app) watching() *watching {
	w := &watching{screen: a.screen(a.out), title: func() string { return a.profile.label() }}
	w.live = terminal.NewLive(w.screen, a.out)
	w.out = w.live.Writer(a.out)
	if a.screen(a.err).Terminal {
		a.err = w.live.Writer(a.err)
	}
	return w
}

// observe is the Client's observer.
func (w *watching) observe(ev silentrefresh.Event) {
	w.see()
	w.life.Note(ev, eventText(ev))
	line := eventLine(ev)
	if w.screen.Terminal {
		line = terminal.Wrap(terminal.Printable(line), w.screen.Width()-1, strings.Repeat(" ", eventColumn))
	}
	fmt.Fprintln(w.out, w.colored(ev.Kind, line))
}

// see takes note of how the session stands.
func (w *watching) see() {
	if c := w.client.Load(); c != nil {
		w.life.See(c.Status())
	}
}

// draw draws the session's life below the lines.
func (w *watching) draw(now time.Time) []string {
	w.see()
	return append([]string{"", w.screen.Paint(terminal.Bold, w.title())}, w.life.Draw(now, w.screen)...)
}

// colored is the line of an event with its kind in the colour of what it means.
func (w *watching) colored(kind silentrefresh.EventKind, line string) string {
	return strings.Replace(line, string(kind), w.screen.Paint(timeline.StyleOf(kind), string(kind)), 1)
}

// eventColumn is where the text of an event begins.
const eventColumn = 28

// eventLine is an event as one aligned line.
func eventLine(ev silentrefresh.Event) string {
	column, text := describe(ev)
	return fmt.Sprintf("%s  %-9s %-7s %s", ev.Time.Local().Format(time.TimeOnly), ev.Kind, column, text)
}

// eventText is what there is to say of an event beside its kind.
func eventText(ev silentrefresh.Event) string {
	column, text := describe(ev)
	return strings.Join(strings.Fields(column+" "+text), " ")
}

// describe says what there is to say of an event: a short word and a sentence.
func describe(ev silentrefresh.Event) (column, text string) {
	generation := "gen " + strconv.FormatUint(ev.Generation, 10)
	switch ev.Kind {
	case silentrefresh.EventRenewed:
		return generation, fmt.Sprintf("%-6s  %s", span(ev.Took), next(ev))
	case silentrefresh.EventLoggedIn, silentrefresh.EventResumed:
		return generation, cmp.Or(ev.Account, "account unknown") + "  " + next(ev)
	case silentrefresh.EventAdopted:
		return generation, "from another process, no network  " + next(ev)
	case silentrefresh.EventUnchanged:
		return generation, "the server gave no newer token yet  " + next(ev)
	case silentrefresh.EventHandedOut:
		return generation, "with a response of the API  " + next(ev)
	case silentrefresh.EventRejected:
		return generation, "the API rejected the token"
	case silentrefresh.EventRetrying:
		return outcome(ev.Err), fmt.Sprintf("try %d at %s; %s", ev.Attempt+1, clock(ev.Next), good(ev))
	case silentrefresh.EventOver:
		return "", overReason(ev.Err) + "; log in again"
	case silentrefresh.EventNotRenewable:
		if errors.Is(ev.Err, silentrefresh.ErrSessionOver) {
			return "", overReason(ev.Err) + "; the token is used until it ends"
		}
	}
	return "", plain(ev.Err)
}

func next(ev silentrefresh.Event) string {
	if ev.Next.IsZero() {
		return "no renewal scheduled"
	}
	return "next " + clock(ev.Next)
}

// good says how long there is time for another try.
func good(ev silentrefresh.Event) string {
	switch {
	case ev.Expires.IsZero():
		return "no token"
	case ev.Expires.Before(time.Now()):
		return "the token has ended"
	}
	return "token good until " + clock(ev.Expires)
}

// outcome is the status of the response that made a refresh fail, or what came instead.
func outcome(err error) string {
	e, ok := errors.AsType[*auth.Error](err)
	switch {
	case ok && e.Status != 0:
		return strconv.Itoa(e.Status)
	case ok && e.Unsent:
		return "unsent"
	}
	return "lost"
}
