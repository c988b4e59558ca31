package pace

import (
	"testing"
	"time"
)

// chances are what r may be: the ends of its range, and between.
var chances = []float64{0, 0.001, 0.25, 0.5, 0.75, 0.999, 0.9999999}

func within(t *testing.T, what string, got, least, most time.Duration) {
	t.Helper()
	if got < least || got > most {
		t.Errorf("%s: %v, want %v to %v", what, got, least, most)
	}
}

func TestRenewalIsAtThreeQuartersOrLater(t *testing.T) {
	for _, r := range chances {
		within(t, "usual", Renewal(1000*time.Second, 0, false, r), 750*time.Second, 850*time.Second)
		within(t, "wide", Renewal(1000*time.Second, 0, true, r), 100*time.Second, 850*time.Second)
		within(t, "of a life that is none", Renewal(0, 0, false, r), ShortestLife/3, ShortestLife)
		within(t, "of a life in whole seconds", Renewal(3*time.Second, 0, false, r), 1500*time.Millisecond, 3*time.Second-Rounding)
		within(t, "with a small margin", WithMargin(3*time.Second, time.Millisecond, r), 1500*time.Millisecond, 3*time.Second-Rounding)
	}
}

func TestRenewalLeavesTimeForASlowOne(t *testing.T) {
	for _, r := range chances {
		within(t, "slow", Renewal(1000*time.Second, 200*time.Second, false, r), 539*time.Second, 599*time.Second)
		within(t, "slower than the lifetime", Renewal(1000*time.Second, time.Hour, false, r), 450*time.Second, 500*time.Second)
	}
}

func TestF21_WideRenewalsCoverALifetimeEvenly(t *testing.T) {
	const tenths = 10
	var count [tenths]int
	for i := range 10_000 {
		due := Renewal(time.Hour, 0, true, float64(i)/10_000)
		count[int(due*tenths/time.Hour)]++
	}
	for tenth, n := range count {
		if share := float64(n) / 10_000; tenth >= 1 && tenth <= 7 && (share < 0.13 || share > 0.14) {
			t.Errorf("%.1f %% of the fleet renews at %d to %d %% of the lifetime", 100*share, 10*tenth, 10*tenth+10)
		}
	}
}

func TestWithMarginKeepsHalfALifetime(t *testing.T) {
	for _, r := range chances {
		within(t, "a minute of an hour", WithMargin(time.Hour, time.Minute, r), time.Hour-66*time.Second, time.Hour-time.Minute)
		within(t, "more than there is", WithMargin(time.Hour, 2*time.Hour, r), 30*time.Minute, 30*time.Minute)
	}
}

func TestBackoffDoublesUpToItsCeiling(t *testing.T) {
	for failures, spread := range map[int]time.Duration{
		0: time.Second, 1: time.Second, 2: 2 * time.Second, 6: 32 * time.Second, 7: Ceiling, 1000: Ceiling,
	} {
		for _, r := range chances {
			within(t, "backoff", Backoff(failures, r), Floor, Floor+spread)
		}
		if longest := Backoff(failures, 0.9999999); longest < Floor+spread*9/10 {
			t.Errorf("after %d failures at most %v, want up to %v", failures, longest, Floor+spread)
		}
	}
}

func TestPostponedIsNeverEarlierThanAsked(t *testing.T) {
	const asked = 20 * time.Second
	for _, c := range []struct{ spare, refused, spread time.Duration }{
		{0, 0, asked},
		{asked, 0, asked},
		{2 * time.Minute, 0, 2*time.Minute - asked}, // until the token ends
		{0, 30 * time.Second, 2 * time.Minute},
		{time.Minute, 30 * time.Second, 2 * time.Minute},
		{0, time.Hour, WidestSpread},
		{time.Hour, 0, WidestSpread},
	} {
		within(t, "at the least", Postponed(asked, c.spare, c.refused, 0), asked, asked)
		within(t, "at the most", Postponed(asked, c.spare, c.refused, 1), asked+c.spread, asked+c.spread)
	}
	for _, refused := range []time.Duration{0, time.Second, time.Minute, time.Hour} {
		for _, r := range chances {
			within(t, "for a caller", PostponedFor(asked, refused, r), asked, min(asked+max(asked, 2*refused), Postponed(asked, 0, refused, r)))
		}
	}
	within(t, "asked for nothing", Postponed(0, 0, 0, 0.5), Floor, 2*Floor)
	within(t, "asked for a minute, for hours", Postponed(time.Minute, 0, 9*time.Hour, 1), time.Minute+WidestSpread, time.Minute+WidestSpread)
	within(t, "asked for an hour", Postponed(time.Hour, 0, 9*time.Hour, 0.5), time.Hour, 2*time.Hour)
}

// What a client waits that nobody waits for, and for whom somebody does.
func TestTroubleIsWaitedThrough(t *testing.T) {
	const life, patience = 15 * time.Minute, 10 * time.Second
	for _, c := range []struct {
		name           string
		trouble        Trouble
		most, demanded time.Duration
	}{
		{"the first failure", Trouble{Spare: 3 * time.Minute, Life: life}, time.Second, time.Second},
		{"the first failure, without a token", Trouble{}, time.Second, time.Second},
		{"for a moment", Trouble{Lasts: 100 * time.Millisecond}, time.Second, time.Second},
		{"as long again", Trouble{Lasts: 4 * time.Second}, 4 * time.Second, 4 * time.Second},
		{"as long again, but for a caller", Trouble{Lasts: 50 * time.Second}, 50 * time.Second, 5 * time.Second},
		{"a minute", Trouble{Lasts: 2 * time.Minute}, time.Minute, 8 * time.Second},
		{"a tenth of the lifetime", Trouble{Lasts: 5 * time.Minute, Life: life}, 90 * time.Second, 20 * time.Second},
		{"of a long one", Trouble{Lasts: 5 * time.Hour, Life: 24 * time.Hour}, HighestCeiling, time.Minute},
		{"a minute while the token is good", Trouble{Lasts: time.Second, Spare: 10 * time.Minute, Life: life}, time.Minute, time.Second},
		{"to before its end", Trouble{Lasts: 75 * time.Second, Spare: 70 * time.Second, Life: life}, 35 * time.Second, 5 * time.Second},
		{"past its end", Trouble{Lasts: 75 * time.Second, Spare: 50 * time.Second, Life: life}, 75 * time.Second, 5 * time.Second},
		{"of a short one", Trouble{Lasts: time.Second, Spare: 12 * time.Second, Life: time.Minute}, 12 * time.Second, time.Second},
	} {
		for _, r := range chances {
			within(t, c.name, c.trouble.Wait(r), c.most/2, c.most)
			within(t, c.name+", for a caller", c.trouble.Demanded(patience, r), c.demanded/2, c.demanded)
		}
		within(t, c.name+", at the most", c.trouble.Wait(1), c.most, c.most)
		within(t, c.name+", for a caller, at the most", c.trouble.Demanded(patience, 1), c.demanded, c.demanded)
		within(t, c.name+", for a caller without patience", c.trouble.Demanded(0, 0), Floor, max(Floor, c.trouble.Lasts/30))
	}
}
