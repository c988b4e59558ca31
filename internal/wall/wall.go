// Package wall is the wall clock with one offset, so that tests can put the laptop to sleep: while it sleeps, the
// wall clock goes on and the monotonic clock, which timers follow, stands still.
package wall

import (
	"sync/atomic"
	"time"
)

var offset atomic.Int64

// Now is the time by the wall clock, without a monotonic reading.
func Now() time.Time { return time.Now().Round(0).Add(time.Duration(offset.Load())) }

// Of is what the wall clock showed, or will show, at t: the nanoseconds since 1970.
func Of(t time.Time) int64 { return t.UnixNano() + offset.Load() }

// Stamp is what the wall clock shows at t, a time of this process's clock, for writing down.
func Stamp(t time.Time) time.Time { return t.Round(0).Add(time.Duration(offset.Load())) }

// Read is when, by this process's clock, the wall clock shows t. It undoes Stamp.
func Read(t time.Time) time.Time { return t.Add(-time.Duration(offset.Load())) }

// Sleep advances the wall clock alone by d, as a machine does that was asleep for d. It holds for the process.
func Sleep(d time.Duration) { offset.Add(int64(d)) }

// FirstRecordable and LastRecordable bound the times that are written down: what JSON can hold, and what a Unix time in
// seconds can have that is not negative.
var (
	FirstRecordable = time.Unix(0, 0).UTC()
	LastRecordable  = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
)

// Recordable returns the nearest time that can be written down, in UTC. Zero, which stands for none, stays zero.
func Recordable(t time.Time) time.Time {
	switch {
	case t.IsZero():
		return time.Time{}
	case t.Before(FirstRecordable):
		return FirstRecordable
	case t.After(LastRecordable):
		return LastRecordable
	}
	return t.UTC()
}
