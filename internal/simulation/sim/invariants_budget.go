package sim

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// This file has the invariant about how often: the governor's budget, as a client can know it.

// What the governor allows beside exchanges that are free.
const (
	budgetGap    = 500 * time.Millisecond
	budgetMinute = 20
	budgetHour   = 120
)

func budget(h *history) (found []violation) {
	drawn := map[holder][]time.Duration{}
	for _, d := range h.draws() {
		times := drawn[d.of]
		if what := overdrawn(times, d.real, h.set.queues()); what != "" {
			found = append(found, violation{"budget", d.i, fmt.Sprintf("process %d makes %s of one session, not counting those that are free", d.who, what)})
			return found // one is enough
		}
		drawn[d.of] = append(times, d.real)
	}
	return found
}

// queues is by how much exchanges may come closer together on their way to the network: the governor is asked before they
// wait for the only connection.
func (set settings) queues() time.Duration {
	if set.oneConn {
		return set.exchange()
	}
	return time.Millisecond
}

// overdrawn says what is too much about one more exchange, which may have come closer to the others by slack.
func overdrawn(times []time.Duration, now, slack time.Duration) string {
	minute, hour := 1, 1
	for _, t := range times {
		if now-t < time.Minute-slack {
			minute++
		}
		if now-t < time.Hour-slack {
			hour++
		}
	}
	switch n := len(times); {
	case n > 0 && now-times[n-1] < budgetGap-slack:
		return fmt.Sprintf("two exchanges within %s", now-times[n-1])
	case minute > budgetMinute:
		return fmt.Sprintf("%d exchanges in a minute", minute)
	case hour > budgetHour:
		return fmt.Sprintf("%d exchanges in an hour", hour)
	}
	return ""
}

// A draw is an exchange that draws on the budget of a session. A budget is a process's, and a Login or a Resume begins a
// new one; what Credentials begin goes on with the old. So it is named by the process and its first login.
type draw struct {
	*attempt
	of holder
}

// spent reports whether the governor may allow the process of f no further exchange for a while. Its clock stands still
// while the machine sleeps.
func (h *history) spent(f fact) bool {
	if h.drawn == nil {
		h.drawn = map[int][]time.Duration{}
		if h.skewed() { // and which of them are free is anybody's guess
			for _, a := range h.attempts("refresh") {
				h.drawn[a.who] = append(h.drawn[a.who], a.at)
			}
		} else {
			for _, d := range h.draws() {
				h.drawn[d.who] = append(h.drawn[d.who], d.at)
			}
		}
	}
	minute, hour := 0, 0
	for _, at := range h.drawn[f.who] {
		if ago := f.at - at; ago >= 0 && ago < time.Hour {
			hour++
			if ago < time.Minute {
				minute++
			}
		}
	}
	return minute >= budgetMinute-1 || hour >= budgetHour/2-1 // from then on it spares what is left
}

// draws are the exchanges that the engine made and that are not free, in the order they began.
func (h *history) draws() (all []draw) {
	b := books{h: h, families: h.families(), first: map[holder]string{}, present: map[int]string{},
		renewing: map[string]*attempt{}, own: map[int]*attempt{}, freed: map[[2]int]bool{}, refreshed: map[int]int{}, last: map[holder]*attempt{}}
	for _, a := range h.attempts("") {
		if a.text == "logout" || b.resent(a) {
			continue
		}
		if of := b.session(a); a.text == "refresh" || a.ok && !h.entering(a) {
			if !b.free(a) {
				all = append(all, draw{a, of})
			}
		}
		b.enter(a)
	}
	return all
}

// books are kept of what the processes know when they exchange something.
type books struct {
	h         *history
	families  map[string]string   // the login of each credential
	first     map[holder]string   // the first login of the session that a login belongs to: another one if Credentials began it
	present   map[int]string      // the first login of a process's session
	refreshed map[int]int         // when a process has refreshed last
	renewing  map[string]*attempt // what gave the token that is renewed with a credential
	own       map[int]*attempt    // what gave a process its last token
	freed     map[[2]int]bool     // the free exchanges: by which process, of which token
	last      map[holder]*attempt // by each process of each kind
}

// resent reports whether a is part of the same exchange as the one before: the engine's own Exchanger sends a login once
// more after a moment that has not reached the server, and a refresh at once whose response was lost.
func (b *books) resent(a *attempt) bool {
	k := holder{a.who, a.text}
	before := b.last[k]
	b.last[k] = a
	if before == nil || before.end == nil || before.end.ok || !b.h.set.http {
		return false
	}
	same := a.credential == before.credential
	if c := before.committed; c != nil { // the next one came as a cookie, with a response that was lost
		same = same || a.credential == c.next
	}
	within := time.Duration(0)
	if a.text == "login" {
		within = 400 * time.Millisecond
	}
	return same && a.at-before.end.at <= within
}

// session is the one that a draws on.
func (b *books) session(a *attempt) holder {
	if a.text == "refresh" {
		login := cmp.Or(b.families[a.credential], a.credential) // brought by a Resume, and never taken
		b.present[a.who] = cmp.Or(b.first[holder{a.who, login}], login)
		b.refreshed[a.who] = a.i
	} else if e := b.h.enteredSince(a, b.refreshed[a.who]); a.ok && e != nil {
		b.present[a.who] = fmt.Sprintf("#%d", e.op) // what it began was over before it was ever refreshed
	}
	return holder{a.who, b.present[a.who]}
}

// free reports whether a is the one exchange that is free once a token has lived half its life. When that was is judged
// by what the process knows: the exchange that gave it began then, and said how long it lives.
func (b *books) free(a *attempt) bool {
	gave := b.renewing[a.credential]
	if a.text == "login" || b.h.set.memoryOnly { // each has a token of its own
		gave = b.own[a.who]
	}
	if gave == nil || gave.end.life < time.Second || b.freed[[2]int{a.who, gave.i}] {
		return false
	}
	halfLived := a.real-gave.real >= gave.end.life/2
	if !halfLived && !b.h.skewed() && !b.h.clockSet(gave.i, a.i) { // a wall clock may say that it is
		return false
	}
	b.freed[[2]int{a.who, gave.i}] = true
	return true
}

// enter notes what a gave.
func (b *books) enter(a *attempt) {
	if a.end == nil || !a.end.ok || a.committed == nil {
		return
	}
	if a.text == "login" {
		login := a.committed.login
		if a.ok {
			b.first[holder{a.who, login}] = b.present[a.who]
		} else {
			b.present[a.who] = login
		}
	}
	if a.end.token != "" {
		b.renewing[a.committed.next], b.own[a.who] = a, a
	}
}

// entering reports whether a user of a's process logs in meanwhile, so that it is not clear which session a belongs to.
func (h *history) entering(a *attempt) bool {
	return slices.ContainsFunc(h.entries(), func(e *doing) bool {
		return e.who == a.who && e.i < a.i && (e.end == nil || e.last > a.i)
	})
}

// enteredSince is the last entry of a's process that began after a fact and before a, nil if there is none.
func (h *history) enteredSince(a *attempt, from int) (last *doing) {
	for _, e := range h.entries() {
		if e.who == a.who && e.i > from && e.i < a.i {
			last = e
		}
	}
	return last
}

// clockSet reports whether a wall clock was set between two facts.
func (h *history) clockSet(from, to int) bool {
	return slices.ContainsFunc(h.facts[from:to], func(f fact) bool { return f.what == clock })
}
