package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
)

// watch shows what happens to the session, one line an event, until it is interrupted.
func watch(ctx context.Context, a *app) (err error) {
	c, _, err := a.session(func(ev silentrefresh.Event) { fmt.Fprintln(a.out, timeline(ev)) })
	if err != nil {
		return err
	}
	defer a.closing(c, &err)
	a.watchReader(ctx)
	if st := c.Status(); over(st) {
		fmt.Fprintln(a.out, timeline(silentrefresh.Event{Kind: silentrefresh.EventOver, Time: time.Now(), Err: st.Err}))
	}
	for second := time.NewTicker(time.Second); ; {
		select {
		case <-second.C:
			if over(c.Status()) {
				c.Token(ctx) // looks whether somebody has logged in
			}
		case <-ctx.Done():
			second.Stop()
			return nil
		}
	}
}

// timeline is an event as one aligned line.
func timeline(ev silentrefresh.Event) string {
	column, text := describe(ev)
	return fmt.Sprintf("%s  %-9s %-7s %s", ev.Time.Local().Format(time.TimeOnly), ev.Kind, column, text)
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
		return generation, "the API refused the token"
	case silentrefresh.EventRetrying:
		return outcome(ev.Err), fmt.Sprintf("try %d at %s; %s", ev.Attempt+1, clock(ev.Next), good(ev))
	case silentrefresh.EventOver:
		return "", overReason(ev.Err) + "; log in again"
	case silentrefresh.EventLoggedOut, silentrefresh.EventSaved:
		return "", plain(ev.Err)
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
