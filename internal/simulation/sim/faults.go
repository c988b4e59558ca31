package sim

import "slices"

// This file keeps what is armed until a call comes that it hits.

// arm arms a step that hits later calls.
func (w *world) arm(s step) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.note(fact{who: nobody, what: trouble, text: s.String()[len(instant(s.at))+2:]})
	if s.do == doOutage {
		w.outages = append(w.outages, s)
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
	now := w.now()
	for _, s := range w.outages {
		if s.at <= now && now < s.at+s.dur {
			return s.what, replies[s.what]
		}
	}
	return "ok", replies["ok"]
}

// calmDown ends all trouble.
func (w *world) calmDown() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.armed)
	w.outages = nil
	w.note(fact{who: nobody, what: calm})
}
