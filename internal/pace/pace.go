// Package pace decides how long to wait: until a token is renewed, and after a renewal has failed.
//
// The functions are pure: chance comes in as r, a number in [0, 1). So a million clients can be simulated with the
// very schedule that one client follows.
package pace

import "time"

const (
	// Floor is the least time between two attempts.
	Floor = 500 * time.Millisecond
	// ShortestLife is the lifetime that a token is given at least: below it, every request would renew.
	ShortestLife = time.Second
	// Rounding is how much sooner than it says a token may end: most servers count in whole seconds, and round down.
	Rounding = time.Second
	// Ceiling bounds the spread of the backoff, and HighestCeiling where a tenth of the token's lifetime is more.
	Ceiling        = time.Minute
	HighestCeiling = 5 * time.Minute
	// WidestSpread bounds the spread of what the server postpones.
	WidestSpread = 7 * time.Minute
	// LongestDelay bounds a timer: what is due later is looked at again then.
	LongestDelay = 24 * time.Hour
)

// Renewal is when to renew a token of the given lifetime, counted from when it was issued: at 75 to 85 % of it.
//
// A fleet that was started, or held up by an outage, together would renew together for ever with so little
// chance; so the first renewal after such an event is wide: anywhere from 10 to 85 %. It spreads the fleet over a
// whole lifetime, evenly because 75 % is how far apart its renewals are at the least, and the later renewals keep
// it spread.
//
// slow is how long a renewal was seen to take: twice that is left before the end where the lifetime allows, and Rounding.
func Renewal(life, slow time.Duration, wide bool, r float64) time.Duration {
	life = max(life, ShortestLife)
	low, high := 0.75, 0.85
	if wide {
		low = 0.10
	}
	due := scale(life, low+(high-low)*r)
	latest := life - min(2*min(slow, life)+Rounding, life/2)
	if due > latest {
		due = scale(latest, 0.9+0.1*r)
	}
	return due
}

// WithMargin is Renewal with a margin of the caller's choice, Rounding at the least: at most a tenth of it earlier, never
// less than half the lifetime after the token was issued.
func WithMargin(life, margin time.Duration, r float64) time.Duration {
	life = max(life, ShortestLife)
	margin = min(max(margin, Rounding), life/2)
	return life - margin - scale(min(margin, life/2-margin), 0.1*r)
}

// Backoff is how long to wait before a save that has failed so often in a row is tried again: full jitter over a range that
// doubles up to Ceiling, above Floor.
func Backoff(failures int, r float64) time.Duration {
	spread := Ceiling
	if n := max(failures, 1) - 1; n < 6 {
		spread = min(Ceiling, time.Second<<n)
	}
	return Floor + scale(spread, r)
}

// Trouble is what a client knows whose renewals fail, while nobody says how long to wait.
type Trouble struct {
	Lasts time.Duration // from the first failure in a row to the last
	Spare time.Duration // that the token is still good for; 0: it is not
	Life  time.Duration // of the token; 0: unknown
}

// Wait is how long to wait after a failure: a moment after the first; then at most as long again as the trouble lasts, or
// a minute while the token is good, since nobody needs the next one yet, and never more than a tenth of the token's
// lifetime, within bounds.
//
// The first half of that is certain and the second is chance. So a fleet comes back spread over as long a time as if all
// of it were chance, and asks two thirds as often until then.
func (t Trouble) Wait(r float64) time.Duration {
	if t.Lasts <= 0 {
		return secondHalf(2*Floor, r)
	}
	most := max(t.Lasts, min(t.Spare, Ceiling), 2*Floor)
	if t.Spare > Ceiling { // once more before the token ends
		most = min(most, t.Spare/2)
	}
	return secondHalf(min(most, max(Ceiling, min(t.Life/10, HighestCeiling))), r)
}

// Demanded is how long after a failure to try again for a caller who waits, but no longer than patience: at most as long
// as the trouble lasts, or half of patience; or a fifteenth of a trouble so long that this is more.
func (t Trouble) Demanded(patience time.Duration, r float64) time.Duration {
	most := max(min(t.Lasts, patience/2), min(t.Lasts/15, Ceiling))
	return secondHalf(max(most, 2*Floor), r)
}

// secondHalf is a time in the second half of d.
func secondHalf(d time.Duration, r float64) time.Duration { return d/2 + scale(d/2, r) }

// Postponed is how long to wait where the server said how long: that, and then spread over as much again, since it
// said the same to all. The spread is wider while that harms nobody, because the token is still good for the time
// spare, and where the server has said so for the time refused, because what it said was too little for so many. It
// is not wider than WidestSpread for these two reasons.
func Postponed(asked, spare, refused time.Duration, r float64) time.Duration {
	asked = max(asked, Floor)
	return asked + scale(max(asked, min(max(spare-asked, 4*refused), WidestSpread)), r)
}

// PostponedFor is Postponed for a caller who waits: the spread is at most twice as long as the server has refused. For
// the same r it is never later than Postponed.
func PostponedFor(asked, refused time.Duration, r float64) time.Duration {
	asked = max(asked, Floor)
	return asked + scale(max(asked, min(2*refused, WidestSpread)), r)
}

// Doubling is how long to wait after so many failures of which each makes it worse: twice as long each time, up to most,
// of which the last quarter is chance.
func Doubling(failures int, most time.Duration, r float64) time.Duration {
	wait := most
	if n := max(failures, 1) - 1; n < 20 {
		wait = min(most, time.Second<<n)
	}
	return Sparing(max(wait, Floor), r)
}

// Sparing is d, of which up to a quarter is left out by chance.
func Sparing(d time.Duration, r float64) time.Duration { return d - scale(d, 0.25*r) }

func scale(d time.Duration, f float64) time.Duration { return time.Duration(float64(d) * f) }
