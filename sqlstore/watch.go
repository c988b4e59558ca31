package sqlstore

import "time"

// How often a lock is looked at. Whoever waits for it learns late by an eighth of the time that it was held, so that a
// short wait ends soon, and many processes that wait for long keep the machine free.
const (
	leastPause = 10 * time.Millisecond
	mostPause  = 250 * time.Millisecond
)

// A watch looks at locks on an engine that tells nobody when one is set free.
type watch struct {
	turn func(name string) string // changes whenever the lock is taken or given back
	wake func(name string)
	seen map[string]sight
}

// A sight is what was seen of a lock.
type sight struct {
	turn  string
	since time.Time // when it was seen so for the first time
	next  time.Time // when to look again
}

// look looks at those locks of names that are due, and returns how long no other is. It wakes whoever waits for one that
// has changed, or that is seen for the first time: it may have changed since whoever waits has looked.
func (w *watch) look(names []string) (pause time.Duration) {
	seen, pause := make(map[string]sight, len(names)), mostPause
	for _, name := range names {
		was, known := w.seen[name]
		if !known || time.Until(was.next) <= 0 {
			was = w.lookAt(name, was, known)
		}
		seen[name] = was
		pause = min(pause, time.Until(was.next))
	}
	w.seen = seen
	return pause
}

func (w *watch) lookAt(name string, was sight, known bool) sight {
	now, turn := time.Now(), w.turn(name)
	if turn != was.turn || !known {
		was = sight{turn: turn, since: now}
		w.wake(name)
	}
	was.next = time.Now().Add(min(max(now.Sub(was.since)/8, leastPause), mostPause))
	return was
}
