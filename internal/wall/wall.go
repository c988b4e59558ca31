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
