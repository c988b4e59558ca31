package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// This file has the invariants about requests and the tokens that they carry.

func isGet(text string) bool { return strings.HasPrefix(text, "get ") }

func rejectedToken(h *history) (found []violation) {
	r := rejections{h: h, known: map[holder]fact{}, begun: map[int]time.Duration{}, sends: map[int]int{},
		peculiar: map[holder]bool{}, kept: map[holder]bool{}, given: map[string]int{}, adopted: map[int]time.Duration{}}
	for i, f := range h.facts {
		if at, known := r.note(f); known {
			found = append(found, violation{"rejected-token", i, fmt.Sprintf("process %d sends %s, which was rejected at %s", f.who, f.token, instant(at))})
		}
	}
	return found
}

// rejections are what the processes know of tokens that the API has rejected.
type rejections struct {
	h        *history
	known    map[holder]fact       // the rejection of a token
	kept     map[holder]bool       // the tokens that a refresh has not replaced: there is nothing better
	peculiar map[holder]bool       // the endpoints that have rejected what a refresh gave: it is taken for their own trouble
	said     []fact                // the rejections since the last exchange, also of good tokens
	given    map[string]int        // how often each token was
	adopted  map[int]time.Duration // when each process has taken over what another one was given last
	begun    map[int]time.Duration // when each operation began
	sends    map[int]int           // of each operation
}

// note notes a fact. If that is a request with a token that is known to have been rejected, it says since when.
func (r *rejections) note(f fact) (at time.Duration, known bool) {
	switch {
	case f.what == opBegan:
		r.begun[f.op] = f.at
	case f.what == responded:
		r.response(f)
	case f.what == exchangeEnded && (f.ok || f.text == string(meansBlank)):
		r.given[f.token]++
		r.renewed(f)
	case f.what == observed && f.text == "adopted": // which may have been renewed in place since
		r.adopted[f.who] = f.at
		maps.DeleteFunc(r.known, func(k holder, _ fact) bool { return k.who == f.who && r.given[k.token] > 1 })
	case f.what == struck && f.text == "rejection check panics":
		clear(r.known)
	case f.what == sent && f.token != "":
		r.sends[f.op]++
		rejection, ok := r.known[holder{f.who, f.token}]
		// User code that looks at the response may take its time.
		return rejection.at, ok && r.begun[f.op] > rejection.at+time.Millisecond+r.h.set.storeDelay
	}
	return 0, false
}

// response notes what the API says. What an endpoint says that has rejected a fresh token, and what comes while the
// governor allows no exchange, changes nothing: to wait for the next token would be in vain.
func (r *rejections) response(f fact) {
	endpoint, k := holder{f.who, f.text}, holder{f.who, f.token}
	if r.sends[f.op] > 1 {
		r.peculiar[endpoint] = f.status == 401
		return
	}
	if f.status == 401 {
		r.said = append(r.said, f)
	}
	if f.status != 401 || f.err == "" || f.token == "" || f.text == "/bad" || r.peculiar[endpoint] || r.kept[k] || r.h.spent(f) {
		return
	}
	if at, any := r.adopted[f.who]; any && r.begun[f.op] <= at && r.given[f.token] > 1 {
		return
	}
	if _, before := r.known[k]; !before {
		r.known[k] = f
	}
}

// renewed notes that an exchange has ended well. What it has left as it was is the best there is.
func (r *rejections) renewed(f fact) {
	r.said = slices.DeleteFunc(r.said, func(rejection fact) bool {
		k := holder{f.who, rejection.token}
		if k.who == rejection.who && (f.text == string(meansBlank) || f.token == k.token) {
			r.kept[k], r.peculiar[holder{f.who, rejection.text}] = true, true
			delete(r.known, k)
		}
		return k.who == rejection.who
	})
}

// An ending is when a token ends, by both clocks.
type ending struct{ at, real time.Duration }

// A holder is a process that has a token.
type holder struct {
	who   int
	token string
}

// endings are the ends of tokens as the processes know them. Of a token that was given more than once, and that a Store
// has, nobody can tell which end a process knows.
func (h *history) endings() map[holder]ending {
	ends := map[holder]ending{}
	given := map[string]bool{}
	for _, a := range h.attempts("") {
		if a.end == nil || !a.end.ok || a.end.token == "" || a.text == "logout" {
			continue
		}
		own, any := holder{a.who, a.end.token}, holder{nobody, a.end.token}
		delete(ends, own)
		delete(ends, any)
		again := given[a.end.token]
		given[a.end.token] = true
		if a.end.life < time.Second || again && h.set.store {
			maps.DeleteFunc(ends, func(k holder, _ ending) bool { return k.token == a.end.token })
			continue
		}
		life := min(a.end.life, 1000*time.Hour) // no run lasts that long
		ends[own] = ending{a.end.at + life, a.end.real + life}
		ends[any] = ends[own]
	}
	return ends
}

// pastEnd reports how long f is after the end of its token.
func (h *history) pastEnd(f fact, ends map[holder]ending) time.Duration {
	end, ok := ends[holder{f.who, f.token}]
	if !ok && !h.any(clock) { // what another process wrote down is read by the wall clock
		end, ok = ends[holder{nobody, f.token}]
	}
	switch {
	case !ok:
		return 0
	case h.any(clock):
		return f.at - end.at
	}
	return f.real - end.real
}

func endedToken(h *history) (found []violation) {
	if h.skewed() {
		return nil
	}
	ends := h.endings()
	for i, f := range h.facts {
		if late := h.pastEnd(f, ends); f.what == sent && late > time.Millisecond {
			found = append(found, violation{"ended-token", i, fmt.Sprintf("process %d sends %s, which ended %s ago", f.who, f.token, late)})
		}
	}
	return found
}

// skewed reports whether the machines' clocks differ, so that one misreads what another has written.
func (h *history) skewed() bool { return h.set.skew != [slots]time.Duration{} }

func origins(h *history) (found []violation) {
	for i, f := range h.facts {
		if f.what == sent && !f.ok && f.token != "" {
			found = append(found, violation{"origin", i, fmt.Sprintf("process %d sends %s to another origin", f.who, f.token)})
		}
	}
	return found
}

// owners are the accounts of the tokens.
func (h *history) owners() map[string]string {
	owners := map[string]string{}
	for _, f := range h.facts {
		if f.what == committed && f.token != "" {
			owners[f.token] = f.account
		}
	}
	return owners
}

func accounts(h *history) (found []violation) {
	if h.set.relogin {
		return nil // Credentials are of whomever they are
	}
	owners := h.owners()
	for _, d := range h.doings(isGet) {
		last := h.entryBefore(d)
		if last == nil || last.who != d.who || last.account == "" {
			continue
		}
		for _, s := range d.sent {
			owner := owners[s.token]
			if owner == "" || owner == last.account {
				continue
			}
			v := violation{"account", d.i, fmt.Sprintf("process %d sends a token of %q, and %q has logged in", d.who, owner, last.account)}
			if h.entered(d.i, s.at, h.group(d.who)) {
				v = violation{"carried", d.i, fmt.Sprintf("process %d sends with a token of %q what was asked for while %q was logged in", d.who, owner, last.account)}
			}
			found = append(found, v)
		}
	}
	return found
}

// entryBefore is the last login before d, nil if it is not clear which that is.
func (h *history) entryBefore(d *doing) *doing {
	var last *doing
	for _, e := range h.entries() {
		if h.group(e.who) != h.group(d.who) || e.i > d.i {
			continue
		}
		if e.end == nil || e.last > d.i || last != nil && last.last > e.i || h.set.bareName && e.end.err != "" {
			return nil
		}
		if e.end.err == "" || e.text == "resume" {
			last = e
		}
	}
	return last
}

// entered reports whether the session was replaced after the fact i and until an instant.
func (h *history) entered(i int, until time.Duration, group string) bool {
	return slices.ContainsFunc(h.entries(), func(e *doing) bool { return e.i > i && e.at <= until && h.group(e.who) == group })
}

// carried is what accounts finds about requests that waited while the session was replaced.
func carried(h *history) []violation {
	return slices.DeleteFunc(accounts(h), func(v violation) bool { return v.Invariant != "carried" })
}

// foreignToken is what accounts finds about all others.
func foreignToken(h *history) []violation {
	return slices.DeleteFunc(accounts(h), func(v violation) bool { return v.Invariant != "account" })
}

func usableTokens(h *history) (found []violation) {
	ends := h.endings()
	for _, d := range h.doings(func(text string) bool { return text == "token" || text == "reject" }) {
		switch {
		case d.end == nil || !d.end.ok:
		case d.end.token == "":
			found = append(found, violation{"token", d.last, fmt.Sprintf("process %d gets an empty token and no error", d.who)})
		case !h.skewed() && h.pastEnd(*d.end, ends) > time.Millisecond:
			found = append(found, violation{"token", d.last, fmt.Sprintf("process %d gets %s, which has ended", d.who, d.end.token)})
		}
	}
	return found
}

// needless401 looks at requests that were rejected for a bad token although nothing speaks against another refresh:
// none was tried, none has failed lately, and the budget is hardly touched.
func needless401(h *history) (found []violation) {
	all := h.attempts("refresh")
	for _, d := range h.doings(func(text string) bool { return text == "get /good" }) {
		if d.end == nil || d.end.status != 401 || len(d.got) != 1 || d.got[0].err == "" {
			continue
		}
		if why := h.excuse(d, all); why == "" {
			found = append(found, violation{"needless-401", d.last, fmt.Sprintf("process %d gets a 401 from an endpoint that is good, and no refresh is tried", d.who)})
		}
	}
	return found
}

// excuse says why no refresh was tried during d.
func (h *history) excuse(d *doing, refreshes []*attempt) string {
	hour := 0
	for _, a := range refreshes {
		switch {
		case h.group(a.who) != h.group(d.who) || a.i > d.last:
		case a.i > d.i || a.end == nil || a.endIndex > d.i:
			return "one was under way"
		case d.at-a.at < 10*time.Minute && a.end.text != "":
			return "one has failed"
		case d.at-a.at < 5*time.Second:
			return "one has just been made"
		case d.at-a.at < time.Hour:
			hour++
		}
	}
	if hour > budgetMinute-5 {
		return "there is no budget"
	}
	for _, e := range h.doings(func(text string) bool { return text != "token" && !isGet(text) }) {
		if e.i < d.last && (e.end == nil || e.last > d.i) {
			return "the session is being changed"
		}
	}
	for _, f := range h.facts[:d.last] {
		refused := f.what == exchangeEnded && f.text == string(meansRefused)
		tombstone := f.isWritten() && f.login == "" // of a logout that did not reach the server
		if refused || tombstone || f.what == ended || f.what == committed && f.text == "logout" {
			return "the session is over"
		}
	}
	switch {
	case h.endsDuring(d):
		return "the session is over"
	case h.starvedDuring(d):
		return "one was tried, and got no connection"
	case d.wait > 0 && d.took() >= d.wait:
		return "its context has ended" // while the refresh had no connection
	}
	if h.set.silly() || h.any(struck, storeFail) || h.unreliable(d.last) {
		return "nothing can work, or user code or the Store fails"
	}
	return ""
}

// endsDuring reports whether the session of d's process ends while d waits, perhaps since another account has logged in.
// Whether it may, the invariant "lives" says. The event may be told a little later at the same instant.
func (h *history) endsDuring(d *doing) bool {
	return slices.ContainsFunc(h.facts[d.i:], func(f fact) bool {
		return f.what == observed && f.text == "over" && f.who == d.who && f.at <= d.end.at
	})
}

// starvedDuring reports whether d's process wanted to refresh during d, and had no connection for it.
func (h *history) starvedDuring(d *doing) bool {
	return slices.ContainsFunc(h.facts[d.i:d.last], func(f fact) bool { return f.what == starved && f.who == d.who })
}

// credentialHeaders wants requests to carry one credential: the caller's own where they bring one, and none beside it.
func credentialHeaders(h *history) (found []violation) {
	for i, f := range h.facts {
		switch {
		case f.what != sent:
		case f.count > 1:
			found = append(found, violation{"own-credential", i, fmt.Sprintf("process %d sends %d credentials in one header", f.who, f.count)})
		case f.text == "/basic" && h.set.xToken && f.token == "":
			found = append(found, violation{"own-credential", i, fmt.Sprintf("process %d sends no token, because the caller has set another header", f.who)})
		}
	}
	return found
}
