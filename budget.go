package silentrefresh

import (
	"time"

	"github.com/silentrefresh/silentrefresh/internal/pace"
)

// How many exchanges a session may have that its tokens' lifetimes do not justify.
const (
	perMinute = 20
	perHour   = 120
	// sparing is how many within the hour make every further one wait for a minute, so that none has to wait for the
	// end of the hour.
	sparing = perHour / 2
)

// A budget is the governor of a session's exchanges: whatever the settings, the responses and the bugs are, there are
// not more of them than it allows. An exchange is free once the token before it has lived half its life; every other
// one (after a failure, after a response without a new token, for a token that was rejected young, because somebody
// insists) draws on it: one in 500 ms, 20 in a minute, 120 in an hour. The zero value is full.
type budget struct {
	last  time.Time   // of the last exchange, free or not
	until time.Time   // what was denied last has to wait until then
	draws []time.Time // within the last hour, the last one last; nil in a healthy session
}

// next is when an exchange may draw on the budget.
func (b *budget) next() time.Time {
	if b.last.IsZero() {
		return time.Time{}
	}
	next := b.last.Add(pace.Floor)
	n := len(b.draws)
	for _, limit := range []struct {
		count int
		per   time.Duration
	}{{perMinute, time.Minute}, {perHour, time.Hour}} {
		if n >= limit.count {
			next = later(next, b.draws[n-limit.count].Add(limit.per))
		}
	}
	if n >= sparing {
		next = later(next, b.draws[n-1].Add(time.Minute))
	}
	return next
}

// take notes an exchange that begins now, unless the budget does not allow it.
func (b *budget) take(now time.Time, free bool) bool {
	b.forget(now)
	if next := b.next(); !free && now.Before(next) {
		b.until = next
		return false
	}
	b.last, b.until = now, time.Time{}
	if free {
		return true
	}
	b.draws = append(b.draws, now)
	return true
}

// forget drops what was drawn more than an hour ago.
func (b *budget) forget(now time.Time) {
	for len(b.draws) > 0 && now.Sub(b.draws[0]) >= time.Hour {
		b.draws = b.draws[1:]
	}
	if len(b.draws) == 0 {
		b.draws = nil
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
