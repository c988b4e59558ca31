package silentrefresh

import (
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/chance"
	"github.com/silentrefresh/silentrefresh/internal/pace"
	"github.com/silentrefresh/silentrefresh/internal/retryafter"
)

// What has to repeat has to do so for that long, and an auth server whose refusals are not understood is not asked more
// often than once in such a time.
const (
	repeatFor    = 10 * time.Minute
	repeatTimes  = 3
	askedAgainIn = time.Hour
)

// A backoff spaces the attempts after a failure. A session without one has nil.
type backoff struct {
	failure   *auth.Error   // the last one
	failures  int32         // in a row
	alike     int32         // how many of them, up to the last one, say the same
	since     time.Time     // the first of those
	began     time.Time     // the first failure in a row, as long as somebody has tried
	at        time.Time     // the last one
	postponed time.Time     // since when the server has said how long to wait; zero: it has not
	until     time.Time     // no attempt before
	early     time.Duration // so much earlier for somebody who waits, where the server has said how long
	pulled    bool          // until was brought forward for somebody who waits, or must not be
}

// notBefore is when the next attempt may be made; zero: at any time.
func (b *backoff) notBefore() time.Time {
	if b == nil {
		return time.Time{}
	}
	return b.until
}

// last is the last failure, nil after a success.
func (b *backoff) last() *auth.Error {
	if b == nil {
		return nil
	}
	return b.failure
}

// confirms reports whether a failure repeats what the server has said before, often and for long enough that it is meant.
func (b *backoff) confirms(failure *auth.Error, now time.Time) bool {
	return b != nil && alike(b.failure, failure) && b.alike+1 >= repeatTimes && now.Sub(b.since) >= repeatFor
}

// alike reports whether two failures say the same of the same thing.
func alike(a, b *auth.Error) bool {
	return a.Status == b.Status && a.Code == b.Code && a.Said == b.Said && a.Doubtful == b.Doubtful && a.Unrecognized == b.Unrecognized
}

// fail notes a failure. left is how long the token still serves, 0 if it does not, of a lifetime of life, 0 if unknown.
func (b *backoff) fail(now time.Time, failure *auth.Error, left, life time.Duration) {
	if b.failure == nil || now.Sub(b.until) > pace.HighestCeiling { // nobody has tried for long: it may have worked meanwhile
		b.began = now
	}
	if b.failure == nil || !alike(b.failure, failure) {
		b.alike, b.since = 0, now
	}
	b.failure, b.at, b.pulled = failure, now, false
	b.failures++
	b.alike++
	switch {
	case failure.Until.IsZero():
		b.postponed = time.Time{}
	case b.postponed.IsZero():
		b.postponed = now
	}
	b.until = now.Add(b.wait(now, left, life))
}

// wait is how long to wait after the last failure.
func (b *backoff) wait(now time.Time, left, life time.Duration) time.Duration {
	switch {
	case !b.postponed.IsZero():
		asked, since, r := min(b.failure.Until.Sub(now), retryafter.Longest), now.Sub(b.postponed), chance.Float64()
		wait := pace.Postponed(asked, left, since, r)
		b.early = wait - pace.PostponedFor(asked, since, r)
		return wait
	case b.stuckAt(now):
		b.pulled = true                                                      // whoever waits: it is asked no more often
		return 2*askedAgainIn - pace.Sparing(askedAgainIn, chance.Float64()) // no sooner, and spread over a quarter
	case b.failure.RateLimited:
		b.pulled = true // a limit that slides counts each call that it refuses
		return pace.Doubling(int(b.alike), askedAgainIn, chance.Float64())
	}
	return pace.Trouble{Lasts: b.lasts(), Spare: left, Life: life}.Wait(chance.Float64())
}

// lasts is how long nothing has worked.
func (b *backoff) lasts() time.Duration { return b.at.Sub(b.began) }

// stuckAt reports whether the server has refused often and long enough in words that are not understood.
func (b *backoff) stuckAt(now time.Time) bool {
	return b != nil && b.failure.Unrecognized && b.alike >= repeatTimes && now.Sub(b.since) >= repeatFor
}

// pull brings the next attempt forward for a caller who waits no longer than patience.
func (b *backoff) pull(now time.Time, patience time.Duration) {
	if b == nil || b.pulled || !now.Before(b.until) {
		return
	}
	soon := b.at.Add(pace.Trouble{Lasts: b.lasts()}.Demanded(patience, chance.Float64()))
	if !b.postponed.IsZero() {
		soon = b.until.Add(-b.early)
	}
	if b.until.After(soon) {
		b.until, b.pulled = soon, true
	}
}

// hasten cuts a backoff short, once, for a caller who waits.
func (s *session) hasten() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.schedule.flying {
		s.backoff.pull(time.Now(), s.policy.maxWait)
		s.armLocked()
	}
}

// gate says until when a caller has to wait before the next exchange, zero if not at all, and the last failure.
func (s *session) gate() (until time.Time, last *auth.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.schedule.flying {
		return time.Time{}, nil // it is joined, whatever comes after it
	}
	until = later(s.backoff.notBefore(), s.allowedLocked(s.state.Load().session(), now))
	if !now.Before(until) {
		until = time.Time{}
	}
	return until, s.backoff.last()
}

// confirmed reports whether a failure repeats what was said before, often and for long enough.
func (s *session) confirmed(failure *auth.Error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.backoff.confirms(failure, time.Now())
}

// failed records a failure that may pass, and schedules the next attempt.
func (s *session) failed(epoch uint64, failure *auth.Error, ev Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, now := s.state.Load(), time.Now()
	if st.epoch != epoch || st.closed() {
		return
	}
	var left, life time.Duration
	if held := st.session(); st.wall != never {
		life = lifeOf(held)
		if st.usable(now) { // for as long as the token serves on
			left = timeLeft(held, now)
		}
	}
	if s.backoff == nil {
		s.backoff = &backoff{}
	}
	s.backoff.fail(now, failure, left, life)
	s.schedule.landed(true)
	s.schedule.wide = 1
	s.armLocked()
	s.wakeLocked()
	ev.Kind, ev.Attempt, ev.Err, ev.Next = EventRetrying, int(s.backoff.failures), failure, s.backoff.until
	s.emitLocked(ev)
}
