package silentrefresh

import (
	"time"

	"github.com/silentrefresh/silentrefresh/internal/pace"
	"github.com/silentrefresh/silentrefresh/internal/record"
)

// unsaved is what the Store does not have. A session of which it has everything has nil.
type unsaved struct {
	record   *record.Record
	failures int32     // how often in a row the Store has refused to take it
	due      time.Time // when saving is tried again; zero: not by the timer
}

// dueAt is when saving is tried again; zero: it is not.
func (u *unsaved) dueAt() time.Time {
	if u == nil {
		return time.Time{}
	}
	return u.due
}

// refuse notes that the Store did not take r.
func (u *unsaved) refuse(r *record.Record, now time.Time) *unsaved {
	failures := int32(1)
	if u != nil {
		failures = u.failures + 1
	}
	return &unsaved{record: r, failures: failures, due: now.Add(pace.Backoff(int(min(failures, 4)), 0.5))}
}

// change notes that r is to be saved in a moment: one save for what comes within it.
func (u *unsaved) change(r *record.Record, now time.Time) *unsaved {
	due := u.dueAt()
	if due.IsZero() {
		due = now.Add(pace.Floor)
	}
	return &unsaved{record: r, due: due}
}
