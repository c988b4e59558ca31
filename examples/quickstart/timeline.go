package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/silentrefresh/silentrefresh"
)

// timeline prints one aligned line an event, with the seconds since it began.
type timeline struct {
	mu    sync.Mutex
	w     io.Writer
	began time.Time
	quiet bool
}

func newTimeline(w io.Writer) *timeline { return &timeline{w: w, began: time.Now()} }

func (t *timeline) say(who, format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.quiet {
		fmt.Fprintf(t.w, "%6.2f s  %-12s %s\n", time.Since(t.began).Seconds(), who, fmt.Sprintf(format, args...))
	}
}

// stop ends the timeline, once what is still on its way has been printed.
func (t *timeline) stop() {
	time.Sleep(50 * time.Millisecond)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.quiet = true
}

// event prints what the client observed.
func (t *timeline) event(ev silentrefresh.Event) {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	switch ev.Kind {
	case silentrefresh.EventLoggedIn, silentrefresh.EventRenewed:
		add("token %-3d", ev.Generation)
		if ev.Trigger != "" {
			add("asked for by: %-8s", ev.Trigger)
		}
		add("took %s", ev.Took.Round(time.Millisecond))
		if !ev.Next.IsZero() {
			add("next in %s", time.Until(ev.Next).Round(100*time.Millisecond))
		}
	case silentrefresh.EventRetrying:
		add("try %d failed, next in %s", ev.Attempt, time.Until(ev.Next).Round(100*time.Millisecond))
	case silentrefresh.EventRejected:
		add("the API rejected token %d: one refresh, then replays", ev.Generation)
	}
	if ev.Err != nil {
		add("%s", strings.TrimPrefix(ev.Err.Error(), "silentrefresh: "))
	}
	t.say(string(ev.Kind), "%s", strings.Join(parts, "  "))
}
