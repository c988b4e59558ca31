package sim

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/silentrefresh/silentrefresh"
)

// A handle is what a Client has for its Store. It does wrong what the plan says, and leaves the rest to the Store behind it.
type handle struct {
	p     *process
	store silentrefresh.Store
	skew  time.Duration // by which the clock of this machine is ahead
}

// A wakingHandle is that of a Store that is a Waker.
type wakingHandle struct {
	*handle
	waker silentrefresh.Waker
}

// openStore opens the Store of a process.
func (p *process) openStore() (silentrefresh.Store, error) {
	s, err := p.w.shelf.Open(p.host)
	if err != nil {
		return nil, err
	}
	h := &handle{p: p, store: s, skew: p.w.set.skew[p.slot]}
	if waker, ok := s.(silentrefresh.Waker); ok {
		return &wakingHandle{h, waker}, nil
	}
	return h, nil
}

// WhenFree implements silentrefresh.Waker.
func (h *wakingHandle) WhenFree(key string, call func()) (forget func()) {
	if h.p.pass() != nil {
		return func() {}
	}
	return h.waker.WhenFree(key, call)
}

type conflictError struct{}

func (conflictError) Error() string  { return "simulation: somebody else has changed the record" }
func (conflictError) Conflict() bool { return true }

var errStore = errors.New("simulation: the store is away")

// Load implements silentrefresh.Store.
func (h *handle) Load(ctx context.Context, key string) ([]byte, error) {
	if err := h.p.pass(); err != nil {
		return nil, err
	}
	if err := h.trouble(ctx, "load"); err != nil {
		return nil, err
	}
	b, err := h.store.Load(ctx, key)
	h.judge(ctx, fact{text: "load"}, err)
	return h.seen(b), err
}

// judge notes an error that is the Store's own: the plan has not asked for it, and ctx has not ended.
func (h *handle) judge(ctx context.Context, f fact, err error) {
	if err == nil || errors.Is(err, errGone) || errors.Is(err, errStore) || ctx.Err() != nil {
		return
	}
	f.who, f.what, f.err = h.p.n, faulty, err.Error()
	h.p.w.tell(f)
}

// seen is a record as this machine's clock has it.
func (h *handle) seen(b []byte) []byte {
	if b == nil {
		return nil
	}
	return moved(b, -h.skew)
}

// trouble is what a method of the Store does by the plan before it does its work.
func (h *handle) trouble(ctx context.Context, method string) error {
	w := h.p.w
	h.p.probe("Store's " + method)
	if s, ok := w.strikes(doStore, method+" takes long"); ok {
		if err := w.nap(ctx, s.dur); err != nil {
			return err
		}
	}
	if _, ok := w.strikes(doStore, method+" fails"); ok {
		w.tell(fact{who: h.p.n, what: storeFail, text: method + " fails"})
		return errStore
	}
	h.panics(method + " panics")
	return nil
}

func (h *handle) panics(what string) {
	if _, ok := h.p.w.strikes(doStore, what); ok {
		h.p.w.tell(fact{who: h.p.n, what: storeFail, text: what})
		panic("simulation: a panic of the Store's")
	}
}

// Update implements silentrefresh.Store.
func (h *handle) Update(ctx context.Context, key string, fn silentrefresh.UpdateFunc) error {
	if err := h.p.pass(); err != nil {
		return err
	}
	if err := h.trouble(ctx, "update"); err != nil {
		return err
	}
	if _, ok := h.p.w.strikes(doStore, "update does nothing"); ok {
		h.p.w.tell(fact{who: h.p.n, what: storeFail, text: "update does nothing"})
		return nil
	}
	ran, outer, since := false, ctx, h.p.w.count()
	err := h.store.Update(ctx, key, func(ctx context.Context, old []byte, save func([]byte) error) error {
		ran = true
		r := replacement{key: key, bases: []uint64{hash(old)}, save: save, ctx: outer, since: since}
		return h.update(ctx, old, &r, fn)
	})
	if !ran {
		h.judge(ctx, fact{text: "update"}, err)
	}
	return err
}

// update is what happens under the lock.
func (h *handle) update(ctx context.Context, old []byte, r *replacement, fn silentrefresh.UpdateFunc) error {
	done := false
	defer func() { done = true }()
	err := fn(ctx, h.seen(old), func(b []byte) error {
		if done {
			return errGone
		}
		return h.save(b, r)
	})
	h.panics("update panics after")
	if _, ok := h.p.w.strikes(doStore, "update fails after"); ok && err == nil {
		h.p.w.tell(fact{who: h.p.n, what: storeFail, text: "update fails after"})
		return errStore
	}
	return err
}

// A replacement is one Update's of a record.
type replacement struct {
	key   string
	bases []uint64 // the hashes that the record may have, as far as the Update knows: what it has read, and may have saved
	save  func([]byte) error
	ctx   context.Context // of Update
	since int             // how many facts there were when it began
}

// save makes b the record, unless the plan says that it fails, gets lost, or only seems to fail.
func (h *handle) save(b []byte, r *replacement) error {
	w := h.p.w
	h.p.at("before save")
	if err := h.p.pass(); err != nil {
		return err
	}
	if s, ok := w.strikes(doStore, "save takes long"); ok {
		w.nap(context.Background(), s.dur)
	}
	h.panics("save panics")
	f := recordFact(b)
	f.who, f.what, f.text, f.key = h.p.n, saved, h.fate(), r.key
	if f.text == "" || f.text == "save fails late" {
		if err := h.replace(&f, r, moved(b, h.skew)); err != nil {
			return err
		}
	}
	w.mu.Lock()
	f.account = w.server.accountOf(f.credential)
	w.note(f)
	w.mu.Unlock()
	h.panics("save panics after")
	h.p.at("after save")
	switch f.text {
	case "save fails", "save fails late":
		return errStore
	case "save conflicts":
		return conflictError{}
	}
	return h.p.pass()
}

// replace lets the Store make b the record, and adds to the fact what it replaces. It notes what the Store has not saved: of
// a process that crashes meanwhile, nobody knows.
func (h *handle) replace(f *fact, r *replacement, b []byte) error {
	f.record, f.bases, f.since = hash(b), slices.Clone(r.bases), r.since
	underWay := *f
	h.p.setSaving(&underWay)
	err := r.save(b)
	h.p.setSaving(nil)
	switch {
	case err == nil:
		r.bases = []uint64{f.record}
		return nil
	case errors.Is(err, errGone):
		return err
	}
	f.text, f.err = "save fails", err.Error()
	if c, ok := errors.AsType[silentrefresh.ConflictError](err); ok && c.Conflict() {
		f.text = "save conflicts"
	} else {
		r.bases = append(r.bases, f.record)
	}
	h.p.w.tell(*f)
	h.judge(r.ctx, fact{text: f.text, since: f.since}, err)
	return err
}

// setSaving says what is noted if the process crashes now.
func (p *process) setSaving(f *fact) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.saving = f
}

// fate is what becomes of a save: "" for what should.
func (h *handle) fate() string {
	for _, what := range []string{"save fails", "save fails late", "save conflicts", "save is lost"} {
		if _, ok := h.p.w.strikes(doStore, what); ok {
			return what
		}
	}
	return ""
}

// A stored is what of a record the simulation reads.
type stored struct {
	Login    string     `json:"login"`
	Version  uint64     `json:"version"`
	Over     string     `json:"over"`
	Access   string     `json:"access_token"`
	Refresh  string     `json:"refresh_token"`
	Spending *time.Time `json:"spending"`
	Cookies  []struct {
		Name  string `json:"n"`
		Value string `json:"v"`
	} `json:"cookies"`
}

// recordFact is a fact about a record: ok says that a session lives in it.
func recordFact(b []byte) fact {
	var r stored
	if len(b) == 0 || json.Unmarshal(b, &r) != nil {
		return fact{}
	}
	f := fact{login: r.Login, version: r.Version, token: r.Access, credential: r.Refresh, ok: r.Over == ""}
	for _, k := range r.Cookies {
		if k.Name == "refresh_token" {
			f.credential = k.Value
		}
	}
	if r.Spending != nil {
		f.next = "?" // it is about to be spent
	}
	return f
}

// moved is a copy of a record with its times moved by skew. A machine whose clock is ahead writes later times than the
// others, and takes what it reads for earlier. All processes of the simulation have one clock; so this makes the skew.
func moved(b []byte, skew time.Duration) []byte {
	var r map[string]json.RawMessage
	if skew == 0 || len(b) == 0 || json.Unmarshal(b, &r) != nil {
		return append([]byte{}, b...)
	}
	for _, name := range []string{"issued", "expires", "spending"} {
		var t time.Time
		if raw, ok := r[name]; ok && json.Unmarshal(raw, &t) == nil {
			r[name], _ = json.Marshal(t.Add(skew))
		}
	}
	out, _ := json.Marshal(r)
	return out
}
