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
	last  time.Time // of the last exchange, free or not
	spent *spent    // nil in a healthy session
}

// spent is what was drawn.
type spent struct {
	draws []time.Time // within the last hour, the last one last
	until time.Time   // what was denied last has to wait until then; zero: nothing was
}

// next is when an exchange may draw on the budget.
func (b *budget) next() time.Time {
	if b.last.IsZero() {
		return time.Time{}
	}
	next := b.last.Add(pace.Floor)
	if b.spent == nil {
		return next
	}
	draws := b.spent.draws
	n := len(draws)
	for _, limit := range []struct {
		count int
		per   time.Duration
	}{{perMinute, time.Minute}, {perHour, time.Hour}} {
		if n >= limit.count {
			next = later(next, draws[n-limit.count].Add(limit.per))
		}
	}
	if n >= sparing {
		next = later(next, draws[n-1].Add(time.Minute))
	}
	return next
}

// denied is until when what was denied last has to wait; zero if nothing was.
func (b *budget) denied() time.Time {
	if b.spent == nil {
		return time.Time{}
	}
	return b.spent.until
}

// take notes an exchange that begins now, unless the budget does not allow it.
func (b *budget) take(now time.Time, free bool) bool {
	b.forget(now)
	if b.spent == nil && !free {
		b.spent = &spent{}
	}
	if next := b.next(); !free && now.Before(next) {
		b.spent.until = next
		return false
	}
	b.last = now
	if b.spent != nil {
		b.spent.until = time.Time{}
	}
	if !free {
		b.spent.draws = append(b.spent.draws, now)
	}
	return true
}

// began notes that the exchange which was taken last begins only now, after its intent was saved or Credentials were called.
func (b *budget) began(now time.Time) {
	if b.spent != nil {
		if n := len(b.spent.draws); n > 0 && b.spent.draws[n-1].Equal(b.last) {
			b.spent.draws[n-1] = now
		}
	}
	b.last = now
}

// forget drops what was drawn more than an hour ago.
func (b *budget) forget(now time.Time) {
	if b.spent == nil {
		return
	}
	draws := b.spent.draws
	for len(draws) > 0 && now.Sub(draws[0]) >= time.Hour {
		draws = draws[1:]
	}
	if b.spent.draws = draws; len(draws) == 0 && b.spent.until.IsZero() {
		b.spent = nil
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
