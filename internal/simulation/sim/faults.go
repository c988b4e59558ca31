package sim

import (
	"slices"
	"time"
)

// This file keeps what is armed until a call comes that it hits.

// arm arms a step that hits later calls.
func (w *world) arm(s step) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.note(fact{who: nobody, what: trouble, text: s.String()[len(instant(s.at))+2:]})
	switch {
	case s.do == doOutage:
		w.outages = append(w.outages, s)
		return
	case s.do == doCut && s.what == "", s.do == doStop && s.what == "":
		w.lasting = append(w.lasting, s)
		return
	}
	for range max(1, s.n) {
		w.armed[s.do] = append(w.armed[s.do], s)
	}
}

// hit takes the first armed step that fits.
func (w *world) hit(do action, fits func(step) bool) (step, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.IndexFunc(w.armed[do], fits)
	if i < 0 {
		return step{}, false
	}
	s := w.armed[do][i]
	w.armed[do] = slices.Delete(w.armed[do], i, i+1)
	return s, true
}

// strikes is hit for an armed step of one name.
func (w *world) strikes(do action, what string) (step, bool) {
	return w.hit(do, func(s step) bool { return s.what == what })
}

// nextReply is how the auth server responds to an exchange. A logout is refused only by an outage.
func (w *world) nextReply(kind string) (string, reply) {
	if kind != "logout" {
		if s, ok := w.hit(doRespond, func(s step) bool { return !w.set.http || !replies[s.what].onlyOwn() }); ok {
			return s.what, replies[s.what]
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.outages {
		if s.left(w.now()) > 0 {
			return s.what, replies[s.what]
		}
	}
	return "ok", replies["ok"]
}

// left is for how long a step goes on that lasts; 0 if it does not any more.
func (s step) left(now time.Duration) time.Duration {
	if now < s.at {
		return 0
	}
	return max(0, s.at+s.dur-now)
}

// beginAt lets cuts and stops begin that are armed for a place.
func (p *process) beginAt(place string) {
	for _, do := range []action{doCut, doStop} {
		if s, ok := p.w.hit(do, func(s step) bool { return s.who == p.slot && s.what == place }); ok {
			p.w.mu.Lock()
			s.at = p.w.now()
			p.w.lasting = append(p.w.lasting, s)
			p.w.mu.Unlock()
		}
	}
}

// lasts is for how long a cut or a stop of p's goes on. w.mu is held.
func (p *process) lasts(do action) (left time.Duration) {
	for _, s := range p.w.lasting {
		if s.do == do && s.who == p.slot {
			left = max(left, s.left(p.w.now()))
		}
	}
	return left
}

// calmDown ends all trouble.
func (w *world) calmDown() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.armed)
	w.outages, w.lasting = nil, nil
	w.note(fact{who: nobody, what: calm})
}
