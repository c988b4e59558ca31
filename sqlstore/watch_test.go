package sqlstore

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// A watched lock is set free at a time.
type watched struct {
	free  time.Time
	looks int
	woken []time.Time
}

func (l *watched) turn() string {
	l.looks++
	return fmt.Sprint(time.Until(l.free) > 0)
}

// watching looks at locks until d has passed.
func watching(d time.Duration, locks map[string]*watched, names ...string) {
	w := watch{
		turn: func(name string) string { return locks[name].turn() },
		wake: func(name string) { locks[name].woken = append(locks[name].woken, time.Now()) },
	}
	for end := time.Now().Add(d); time.Until(end) > 0; {
		time.Sleep(w.look(names))
	}
}

func TestF38_ShortWaitsEndSoonAndLongOnesAreCheap(t *testing.T) {
	for held, most := range map[time.Duration]struct {
		late  time.Duration
		looks int
	}{
		5 * time.Millisecond:   {10 * time.Millisecond, 2},
		80 * time.Millisecond:  {10 * time.Millisecond, 9},
		200 * time.Millisecond: {25 * time.Millisecond, 20},
		time.Second:            {125 * time.Millisecond, 40},
		30 * time.Second:       {250 * time.Millisecond, 160},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := &watched{free: time.Now().Add(held)}
			watching(held+most.late, map[string]*watched{"k": l}, "k")
			if len(l.woken) != 2 || l.woken[1].Sub(l.free) > most.late || l.looks > most.looks {
				t.Errorf("held for %v: woken %v late, after %d looks", held, l.woken, l.looks)
			}
		})
	}
}

// One lock that is given back often does not make others be looked at more often.
func TestLocksAreLookedAtEachInItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		long, short := &watched{free: time.Now().Add(time.Hour)}, &watched{free: time.Now().Add(time.Hour)}
		w := watch{turn: func(name string) string {
			if name == "long" {
				return long.turn()
			}
			short.turn()
			return fmt.Sprint(short.looks) // another one each time
		}, wake: func(string) {}}
		for end := time.Now().Add(10 * time.Second); time.Until(end) > 0; {
			time.Sleep(w.look([]string{"long", "short"}))
		}
		if long.looks > 75 || short.looks < 900 {
			t.Errorf("%d looks at the one, %d at the other", long.looks, short.looks)
		}
	})
}

// Whoever comes is looked after at once, however long the pause would have been.
func TestWatchHearsOfArrivals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		locks := map[string]*watched{"old": {free: time.Now().Add(time.Hour)}, "new": {free: time.Now().Add(time.Hour)}}
		w := watch{turn: func(name string) string { return locks[name].turn() }, wake: func(string) {}}
		for range 100 {
			time.Sleep(w.look([]string{"old"}))
		}
		if pause := w.look([]string{"old", "new"}); locks["new"].looks != 1 || pause != leastPause {
			t.Errorf("%d looks, and a pause of %v", locks["new"].looks, pause)
		}
	})
}
