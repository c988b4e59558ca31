package sim

import (
	"fmt"
	"time"
)

// This file has the invariants about sessions and their credentials.

func spentOnce(h *history) (found []violation) {
	got := map[string]*attempt{}
	for _, a := range h.attempts("refresh") {
		first := got[a.credential]
		if first != nil && first.endIndex < a.i && !h.misled(a.i) && (first.who == a.who || !h.unreliable(a.i) && h.group(first.who) == h.group(a.who)) {
			found = append(found, violation{"spent-once", a.i, fmt.Sprintf("process %d presents %s, for which process %d got %s",
				a.who, a.credential, first.who, first.committed.next)})
		}
		if a.gave() && first == nil {
			got[a.credential] = a
		}
	}
	return found
}

func refusedOnce(h *history) (found []violation) {
	refused := map[string]*attempt{}
	for _, a := range h.attempts("refresh") {
		first := refused[a.credential]
		if first != nil && first.endIndex < a.i && first.who == a.who && !h.misled(a.i) {
			found = append(found, violation{"refused-once", a.i, fmt.Sprintf("process %d presents %s, which was refused", a.who, a.credential)})
		}
		if a.end != nil && a.end.text == string(meansRefused) {
			refused[a.credential] = a
		}
	}
	return found
}

// A cause is what may end a session, and the facts between which it does.
type cause struct{ from, to int }

// causes are what may end a session of the group.
func (h *history) causes(group string) []cause {
	var all []cause
	for i, f := range h.facts {
		mine := f.who != nobody && h.group(f.who) == group
		switch {
		case f.what == ended,
			mine && f.what == exchangeEnded && f.text == string(meansRefused),
			mine && f.what == struck && f.text == "renewable check says no":
			all = append(all, cause{i, i})
		}
	}
	for _, d := range h.entries() {
		switch {
		case h.group(d.who) != group:
		case d.end == nil:
			all = append(all, cause{d.i, len(h.facts)})
		default:
			all = append(all, cause{d.i, d.last})
		}
	}
	return all
}

func lives(h *history) (found []violation) {
	told := map[int]int{} // when each process was told last that a session begins
	for i, f := range h.facts {
		if f.what == observed && (f.text == "logged in" || f.text == "resumed") {
			told[f.who] = i
		}
		if f.what != observed || f.text != "over" || h.misled(i) {
			continue
		}
		since := 0 // the last login that the process was told of: the end of the session before may be told after it has returned
		for _, d := range h.entries() {
			if d.who == f.who && d.text != "logout" && d.end != nil && d.end.err == "" && d.last < i && d.i < told[f.who] {
				since = d.i
			}
		}
		justified := false
		for _, c := range h.causes(h.group(f.who)) {
			justified = justified || c.from < i && c.to > since && c.from != since
		}
		if !justified {
			found = append(found, violation{"lives", i, fmt.Sprintf("process %d gives the session up, and nobody has ended it: %s", f.who, f.err)})
		}
	}
	return found
}

// lastEntry is the last login of the group, nil if it is not clear what the session should be.
func (h *history) lastEntry(group string) *doing {
	var last *doing
	for _, d := range h.entries() {
		if h.group(d.who) != group {
			continue
		}
		if last != nil && (last.end == nil || last.last > d.i) {
			return nil // at the same time
		}
		if d.end == nil || d.text == "resume" && d.end.err != "" {
			return nil
		}
		if d.text == "login" && d.end.err != "" {
			if h.set.bareName {
				return nil // or its first refresh failed, and is tried again
			}
			continue // the session before lives on
		}
		last = d
	}
	if last == nil || last.text == "logout" {
		return nil
	}
	for _, c := range h.causes(group) {
		if c.to > last.i && c.from != last.i {
			return nil
		}
	}
	return last
}

func returns(h *history) (found []violation) {
	if h.set.silly() || h.misled(len(h.facts)) {
		return nil // nothing can work
	}
	for i, f := range h.facts {
		if f.what != standing {
			continue
		}
		last := h.lastEntry(h.group(f.who))
		if last == nil || last.who != f.who && (h.unreliable(len(h.facts)) || f.account != last.account) {
			continue
		}
		for _, d := range h.doings(func(text string) bool { return text == "get /good" || text == "token" }) {
			ofEnd := d.who == f.who && d.i < i && d.wait == time.Hour
			if d.end == nil || h.spent(*d.end) {
				continue // a token that lives for seconds, by clocks that differ
			}
			if ofEnd && d.end != nil && (d.end.err != "" || d.text == "get /good" && d.end.status != 200) {
				found = append(found, violation{"returns", d.last, fmt.Sprintf("process %d is not back after the trouble: %s %d %s (%s)",
					f.who, d.text, d.end.status, d.end.err, f.text)})
			}
		}
	}
	return found
}

func afterClose(h *history) (found []violation) {
	busy := map[int]int{}
	shut := map[int]bool{}
	for i, f := range h.facts {
		switch {
		case f.what == opBegan:
			busy[f.who]++
		case (f.what == opEnded || f.what == panicked) && f.op != 0:
			busy[f.who]--
		case f.what == closed:
			shut[f.who] = true
		case f.what == exchangeBegan && f.text == "refresh" && shut[f.who] && busy[f.who] == 0:
			found = append(found, violation{"closed", i, fmt.Sprintf("process %d is closed and refreshes", f.who)})
		}
	}
	return found
}

func documents(h *history) (found []violation) {
	for i, f := range h.facts {
		if f.what == observed && f.next != "" && f.next != f.account {
			found = append(found, violation{"document", i, fmt.Sprintf("process %d is told of %q with the document of %q", f.who, f.account, f.next)})
		}
	}
	return found
}
