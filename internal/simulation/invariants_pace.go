package main

import (
	"fmt"
	"time"
)

// This file has the invariants about how often, and how long.

// What the governor allows beside exchanges that are free.
const (
	budgetGap    = 500 * time.Millisecond
	budgetMinute = 20
	budgetHour   = 120
)

func budget(h *history) (found []violation) {
	drawn := map[string][]time.Duration{}
	for _, a := range h.governed() {
		key := fmt.Sprint(a.who, a.family)
		times := drawn[key]
		if what := overdrawn(times, a.real); what != "" {
			found = append(found, violation{"budget", a.i, fmt.Sprintf("process %d makes %s of one session, not counting those that are free", a.who, what)})
			return found // one is enough
		}
		drawn[key] = append(times, a.real)
	}
	return found
}

// overdrawn says what is too much about one more exchange.
func overdrawn(times []time.Duration, now time.Duration) string {
	minute, hour := 1, 1
	for _, t := range times {
		if now-t < time.Minute {
			minute++
		}
		if now-t < time.Hour {
			hour++
		}
	}
	switch n := len(times); {
	case n > 0 && now-times[n-1] < budgetGap-time.Millisecond:
		return fmt.Sprintf("two exchanges within %s", now-times[n-1])
	case minute > budgetMinute:
		return fmt.Sprintf("%d exchanges in a minute", minute)
	case hour > budgetHour:
		return fmt.Sprintf("%d exchanges in an hour", hour)
	}
	return ""
}

// A drawing is an exchange that draws on the budget.
type drawing struct {
	*attempt
	family string
}

// governed are the exchanges that the engine made and that are not free. One is free for each token that has lived
// half its life.
func (h *history) governed() []drawing {
	type before struct {
		family string
		issued time.Duration
		life   time.Duration
		used   bool
	}
	known := map[string]*before{} // by credential
	var all []drawing
	var previous *attempt
	for _, a := range h.attempts("") {
		b := known[a.credential]
		again := previous != nil && h.set.http && previous.who == a.who && previous.credential == a.credential &&
			previous.end != nil && previous.end.at == a.at // the same exchange, in HTTP's terms
		switch {
		case a.text == "logout" || a.text == "login" && !a.ok || again:
		case b == nil:
			all = append(all, drawing{a, ""})
		case !b.used && b.life > 0 && a.real-b.issued >= b.life/2:
			b.used = true
		default:
			all = append(all, drawing{a, b.family})
		}
		if c := a.committed; c != nil && a.text != "logout" && c.token != "" && !(b != nil && c.next == a.credential && !h.set.inPlace && !h.set.noRotate) {
			life := c.life
			if a.end != nil {
				life = a.end.life
			}
			if life <= 0 {
				life = h.set.maxAge
			}
			known[c.next] = &before{family: c.login, issued: c.real, life: life}
		}
		previous = a
	}
	return all
}

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
		switch d.text {
		case "login", "logout", "resume", "close", "new":
			most := 4*(h.set.exchange()+5*time.Second) + spare
			if d.took() > most {
				found = append(found, violation{"patience", d.last, fmt.Sprintf("process %d: %s takes %s", d.who, d.text, d.took())})
			}
			continue
		}
		if wait := d.waited(); wait > most && d.text != "get /download" { // which reads slowly
			found = append(found, violation{"patience", max(d.i, d.last), fmt.Sprintf("process %d: %s waits %s for a token", d.who, d.text, wait)})
		}
	}
	return found
}

// waited is the longest time that an operation waited for a token: before it sent a request, before it sent another
// one, or after the last.
func (d *doing) waited() (longest time.Duration) {
	from := d.at
	for i, s := range d.sent {
		longest = max(longest, s.at-from)
		if from = s.at; i < len(d.got) {
			from = d.got[i].at
		}
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

func (h *history) warnedAtStart(who int) bool {
	var start time.Duration
	for _, f := range h.facts {
		switch {
		case f.who != who:
		case f.what == started:
			start = f.at
		case f.what == observed && f.text == "warning" && f.at == start:
			return true
		}
	}
	return false
}
