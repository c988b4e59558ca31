package silentrefresh

import (
	"math/rand/v2"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/pace"
	"github.com/silentrefresh/silentrefresh/internal/retryafter"
)

// A backoff spaces the attempts after a failure. A session without one has nil.
type backoff struct {
	failure  *auth.Error   // the last one
	failures int32         // in a row
	refused  time.Time     // since when the server has said how long to wait; zero: it has not
	until    time.Time     // no attempt before
	early    time.Duration // so much earlier for somebody who waits, where the server has said how long
	pulled   bool          // until was brought forward for somebody who waits
	doubt    bool          // the last refusal was one that might mean something else
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

// fail notes a failure. left is how long the token still serves, 0 if it does not.
func (b *backoff) fail(now time.Time, failure *auth.Error, left time.Duration) {
	b.failure, b.pulled, b.doubt = failure, false, failure.Doubtful
	b.failures++
	switch {
	case failure.Until.IsZero():
		b.refused = time.Time{}
	case b.refused.IsZero():
		b.refused = now
	}
	wait := pace.Backoff(int(b.failures), rand.Float64())
	switch {
	case !b.refused.IsZero():
		asked, refused, r := min(failure.Until.Sub(now), retryafter.Longest), now.Sub(b.refused), rand.Float64()
		wait = pace.Postponed(asked, left, refused, r)
		b.early = wait - pace.PostponedFor(asked, refused, r)
	case left > 0: // try again before the token ends
		wait = min(wait, max(pace.Floor, left/2))
	}
	b.until = now.Add(wait)
}

// pull brings the next attempt forward for a caller who waits no longer than patience.
func (b *backoff) pull(now time.Time, patience time.Duration) {
	if b == nil || b.pulled || !now.Before(b.until) {
		return
	}
	soon := now.Add(pace.Demanded(patience, rand.Float64()))
	if !b.refused.IsZero() {
		soon = b.until.Add(-b.early)
	}
	if b.until.After(soon) {
		b.until, b.pulled = soon, true
	}
}
