package timeline

import (
	"cmp"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/words"
)

// A Waiting says in a line what a command waits for, as soon as that takes longer than people like. It may be used
// concurrently.
type Waiting struct {
	mu    sync.Mutex
	what  string
	began time.Time
	retry silentrefresh.Event // the failure that is waited out; zero: none is
	ended bool
}

// patience is how long a person waits without a word.
const patience = time.Second

// NewWaiting begins to wait for what: "the response to GET /me".
func NewWaiting(what string) *Waiting { return &Waiting{what: what, began: time.Now()} }

// Restart begins to wait anew: a person was asked meanwhile, and knows.
func (w *Waiting) Restart() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.began = time.Now()
}

// End ends it: there is nothing to show any more, whatever comes.
func (w *Waiting) End() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
}

// Observe takes an event of the session's.
func (w *Waiting) Observe(ev silentrefresh.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch ev.Kind {
	case silentrefresh.EventRetrying:
		w.retry = ev
	case silentrefresh.EventWarning, silentrefresh.EventNotSaved, silentrefresh.EventSaved, silentrefresh.EventRejected:
	default:
		w.retry = silentrefresh.Event{}
	}
}

// Line is what to show now, "" if that is nothing.
func (w *Waiting) Line(now time.Time) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return ""
	}
	if w.retry.Kind != "" {
		return retrying(w.retry, now)
	}
	if now.Sub(w.began) < patience {
		return ""
	}
	return fmt.Sprintf("waiting for %s, %d s", w.what, int(now.Sub(w.began).Seconds()))
}

// retrying says what failed, and when it is tried again.
func retrying(ev silentrefresh.Event, now time.Time) string {
	when := "now"
	if wait := ev.Next.Sub(now); wait > 0 {
		when = "next in " + words.Left(wait)
	}
	return fmt.Sprintf("%s, try %d, %s", failed(ev.Err), ev.Attempt+1, when)
}

// failed says in a few words what an exchange came to.
func failed(err error) string {
	e, ok := errors.AsType[*auth.Error](err)
	switch {
	case !ok:
		return "refresh failed"
	case e.Status != 0:
		return fmt.Sprintf("%s returned %d", cmp.Or(e.Op, auth.KindRefresh), e.Status)
	case e.Unsent:
		return fmt.Sprintf("%s was not sent", cmp.Or(e.Op, auth.KindRefresh))
	}
	return fmt.Sprintf("%s got no response", cmp.Or(e.Op, auth.KindRefresh))
}
