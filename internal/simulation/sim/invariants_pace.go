package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// This file has the invariants about how often, and how long.

func economy(h *history) (found []violation) {
	if !h.closedOnlyAtEnd() || h.set.ttl < time.Minute || h.set.margin > 0 {
		return nil
	}
	for _, d := range h.doings(func(string) bool { return true }) {
		switch d.text {
		case "new", "login", "get /good", "get /stream", "token", "close":
		default:
			return nil
		}
	}
	began := map[string]time.Duration{}
	calls := map[string]int{}
	for _, a := range h.attempts("refresh") {
		key := fmt.Sprint(a.who)
		if h.set.store && !h.set.memoryOnly {
			key = h.group(a.who)
		}
		if calls[key] == 0 {
			began[key] = a.real
		}
		calls[key]++
		if most := 4 + int(float64(a.real-began[key])/(0.7*float64(h.set.ttl))); calls[key] > most {
			return []violation{{"economy", a.i, fmt.Sprintf("%d exchanges in %s for tokens of %s", calls[key], a.real-began[key], h.set.ttl)}}
		}
	}
	return nil
}

// closedOnlyAtEnd reports whether nothing but the end of the run closes a client, and nothing else is wrong.
func (h *history) closedOnlyAtEnd() bool {
	if h.any(trouble, revoked, ended, asleep, clock, crashed) {
		return false
	}
	calmed := false
	for _, f := range h.facts {
		calmed = calmed || f.what == calm
		if f.what == closed && !calmed {
			return false
		}
	}
	return true
}

func contexts(h *history) (found []violation) {
	for _, d := range h.doings(func(text string) bool { return text != "close" && text != "new" }) {
		if over := d.took() - d.wait; d.wait > 0 && d.wait < time.Hour && over > time.Second+h.set.storeDelay {
			found = append(found, violation{"context", d.last, fmt.Sprintf("process %d: %s comes back %s after the end of its context", d.who, d.text, over)})
		}
	}
	return found
}

func patience(h *history) (found []violation) {
	spare := 10*time.Second + h.set.storeDelay
	most := h.set.patience() + spare
	if h.set.store {
		most += h.set.exchange() + 5*time.Second // behind another process
	}
	for _, d := range h.doings(func(string) bool { return true }) {
		most := most
		switch d.text {
		case "login", "logout", "resume", "close", "new":
			most := 4*(h.set.exchange()+5*time.Second) + max(h.set.maxWait, 0) + spare
			if d.took() > most {
				found = append(found, violation{"patience", d.last, fmt.Sprintf("process %d: %s takes %s", d.who, d.text, d.took())})
			}
			continue
		}
		if d.text == "get /stream" {
			// What can be sent only once first waits for a renewal that is under way while its token is good.
			most += h.set.exchange()
		}
		most += time.Duration(h.moves(d)) * (h.set.exchange() + 5*time.Second)
		if wait := d.waited(); wait > most && d.text != "get /download" { // which reads slowly
			found = append(found, violation{"patience", max(d.i, d.last), fmt.Sprintf("process %d: %s waits %s for a token", d.who, d.text, wait)})
		}
	}
	return found
}

// moves is how often the Store's record has moved on during d: whoever waits for its lock starts counting again then.
func (h *history) moves(d *doing) (n int) {
	var before fact
	for i, f := range h.facts[:d.last] {
		if !f.isWritten() || h.group(f.who) != h.group(d.who) {
			continue
		}
		if i > d.i && f.who != d.who && (f.login != before.login || f.version != before.version) {
			n++
		}
		before = f
	}
	return n
}

// waited is the longest time that an operation waited for a token: before it sent a request, before it sent another
// one, or after the last.
func (d *doing) waited() (longest time.Duration) {
	from := d.at
	for i, s := range d.sent {
		longest = max(longest, s.at-from)
		if i == len(d.got) {
			return longest // it is the network that has it
		}
		from = d.got[i].at
	}
	if d.end != nil {
		longest = max(longest, d.end.at-from)
	}
	return longest
}

func mistakes(h *history) []violation {
	for i, f := range h.facts {
		if f.what == opEnded && f.text == "new" && f.err == "" && h.set.silly() {
			return []violation{{"mistakes", i, fmt.Sprintf("New takes Timeout %s, RefreshBefore %s, MaxAge %s, Content-Length for the token: %t",
				h.set.timeout, h.set.margin, h.set.maxAge, h.set.lengthHeader)}}
		}
	}
	return nil
}

// starvation wants auth calls to get a connection however long others are used, or New to say that it cannot see to that.
func starvation(h *history) (found []violation) {
	for i, f := range h.facts {
		if f.what == starved && !h.warnedAtStart(f.who) {
			found = append(found, violation{"starved", i, fmt.Sprintf("process %d: a %s gets no connection while API requests have them, and New has not warned", f.who, f.text)})
		}
	}
	return found
}

// warnedAtStart reports whether New has warned a process that its auth calls have no connections of their own, whenever its
// observer, which may be busy, got to hear it.
func (h *history) warnedAtStart(who int) bool {
	return slices.ContainsFunc(h.facts, func(f fact) bool {
		return f.who == who && f.what == observed && f.text == "warning" && strings.Contains(f.err, "auth calls share the connections")
	})
}
