package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// This file has the invariants about events and about what the Store holds.

// What an event leaves behind.
var leaves = map[string]string{
	"logged in": "alive", "resumed": "alive", "renewed": "alive", "unchanged": "alive", "adopted": "alive", "handed out": "alive",
	"rejected": "alive", "over": "over", "logged out": "none",
}

// stands is the same for a state of Status.
var stands = map[string]string{
	"logged in": "alive", "offline": "alive", "interrupted": "alive over", "over": "over none", "no session": "none", "closed": "none over alive",
}

func lastEvent(h *history) (found []violation) {
	last := map[int]fact{}
	special := map[int]bool{}
	for i, f := range h.facts {
		switch {
		case f.what == observed && leaves[f.text] != "":
			last[f.who] = f
		case f.what == observed && f.text == "not renewable", f.what == struck:
			special[f.who] = true
		case f.what == standing && !special[f.who]:
			ev, any := last[f.who]
			if any && !strings.Contains(stands[f.text], leaves[ev.text]) && !(ev.text == "over" && f.text == "no session") {
				found = append(found, violation{"last-event", i, fmt.Sprintf("process %d: the last event is %q (at %s), and Status says %q", f.who, ev.text, instant(ev.at), f.text)})
			} else if !any && stands[f.text] == "alive" {
				found = append(found, violation{"last-event", i, fmt.Sprintf("process %d: there was no event, and Status says %q", f.who, f.text)})
			}
		}
	}
	return found
}

// panicTrace wants an observer's panic to be seen in the log.
func panicTrace(h *history) (found []violation) {
	for i, f := range h.facts {
		if f.what != struck || f.text != "observer panics" {
			continue
		}
		traced := false
		for _, g := range h.facts { // once is enough
			traced = traced || g.what == observed && g.who == f.who && (g.text == "a panic in the log" || strings.Contains(g.err, "panic"))
		}
		if !traced {
			found = append(found, violation{"trace", i, fmt.Sprintf("the observer of process %d has panicked, and nothing tells of it", f.who)})
		}
	}
	return found
}

// isWritten reports whether a save has made its argument the record.
func (f fact) isWritten() bool {
	return f.what == saved && (f.text == "" || f.text == "save fails late")
}

// storeOrder allows a login to replace whatever the Store has if it was cut off, or could not read that: nobody saw what there
// was when it began.
func storeOrder(h *history) (found []violation) {
	first := map[string]int{} // when each login was seen first
	records := map[string]fact{}
	for i, f := range h.facts {
		if f.what != saved {
			continue
		}
		now := records[f.key]
		if _, seen := first[f.login]; !seen && f.login != "" {
			first[f.login] = i
		}
		if !f.isWritten() {
			continue
		}
		givenUp := now.who == f.who && now.version == 1 // a login that another one overtook puts back what was there
		switch {
		case f.login == "" || now.login == "" || givenUp:
		case f.login == now.login && f.version < now.version:
			found = append(found, violation{"store-order", i, fmt.Sprintf("process %d writes version %d over version %d", f.who, f.version, now.version)})
		case f.login != now.login && first[f.login] < first[now.login] && !h.cutOff(f.who, first[f.login], i) && !h.blind(f.who, i):
			found = append(found, violation{"store-order", i, fmt.Sprintf("process %d writes an older login over a newer one", f.who)})
		}
		records[f.key] = f
	}
	return found
}

// blind reports whether a process could not read what the Store has, shortly before a fact.
func (h *history) blind(who, before int) bool {
	return slices.ContainsFunc(h.facts[:before], func(f fact) bool {
		return f.who == who && f.what == storeFail && strings.HasPrefix(f.text, "load") && h.facts[before].at-f.at < time.Minute
	})
}

// cutOff reports whether a process was cut off from its database between two facts.
func (h *history) cutOff(who, from, to int) bool {
	return slices.ContainsFunc(h.facts[from:to], func(f fact) bool { return f.who == who && f.isCut() })
}

func storeWorks(h *history) (found []violation) {
	for i, f := range h.facts {
		if f.what == faulty && !(strings.HasPrefix(f.text, "save") && h.lostLease(f, i)) {
			found = append(found, violation{"store-works", i, fmt.Sprintf("process %d: a %s by itself: %s", f.who, f.text, f.err)})
		}
	}
	return found
}

// lostLease reports whether the lease may have ended under which f was to be saved: if its process was stopped since, or
// cut off from the database, or a clock has gone on while it did not.
func (h *history) lostLease(f fact, i int) bool {
	return h.set.lease > 0 && slices.ContainsFunc(h.facts[f.since:i], func(g fact) bool {
		return g.what == asleep || g.what == clock || g.who == f.who && (g.what == stopped || g.isCut())
	})
}

// overwritten follows the records. What nobody heard the outcome of may have been saved or not.
func overwritten(h *history) (found []violation) {
	records := map[string][]uint64{} // what each may be
	for i, f := range h.facts {
		if f.what != saved || f.bases == nil || f.text == "save conflicts" {
			continue
		}
		may, known := records[f.key]
		if !known {
			may = []uint64{hash(nil)}
		}
		if !f.isWritten() {
			records[f.key] = append(may, f.record)
			continue
		}
		if !slices.ContainsFunc(f.bases, func(base uint64) bool { return slices.Contains(may, base) }) {
			found = append(found, violation{"overwritten", i, fmt.Sprintf("process %d replaces a record that it has not read", f.who)})
		}
		records[f.key] = []uint64{f.record}
	}
	return found
}

func staysOut(h *history) (found []violation) {
	gone := map[string]bool{}
	now := map[string]string{} // the login in each record
	for i, f := range h.facts {
		switch {
		case !f.isWritten():
		case f.login == "":
			gone[now[f.key]] = now[f.key] != ""
		case f.ok && gone[f.login]:
			found = append(found, violation{"stays-out", i, fmt.Sprintf("process %d saves a session that was logged out", f.who)})
		}
		if f.isWritten() && f.login != "" {
			now[f.key] = f.login
		}
	}
	return found
}

func storeAccount(h *history) (found []violation) {
	if h.set.relogin || h.unreliable(len(h.facts)) {
		return nil
	}
	for i, f := range h.facts {
		if f.what != checked || f.account == "" {
			continue
		}
		last := h.lastEntry("store" + h.realmOf(f.account))
		if last != nil && last.account != f.account {
			found = append(found, violation{"store-account", i, fmt.Sprintf("the Store has a session of %q, and %q has logged in last", f.account, last.account)})
		}
		families := h.families()
		token := map[int]string{} // what each process has in the end
		for _, s := range h.facts {
			if s.what == opEnded && s.text == "token" {
				token[s.who] = s.token
			}
			same := s.what == standing && families[token[s.who]] == families[f.credential]
			if same && last != nil && s.ok && s.version > f.version {
				found = append(found, violation{"store-account", i, fmt.Sprintf("the Store has version %d, and process %d published version %d from it", f.version, s.who, s.version)})
			}
		}
	}
	return found
}

// families are the logins that credentials and tokens come from.
func (h *history) families() map[string]string {
	families := map[string]string{}
	for _, f := range h.facts {
		if f.what == committed && f.login != "" {
			families[f.credential], families[f.next], families[f.token] = f.login, f.login, f.login
		}
	}
	delete(families, "")
	return families
}

// realmOf is the path behind the origin that an account belongs to.
func (h *history) realmOf(account string) string {
	if i := strings.IndexByte(account, '/'); i >= 0 {
		return account[i:]
	}
	return ""
}
