package main

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// A shelf is the Store that the processes share.
type shelf struct {
	w       *world
	records map[string][]byte // w.mu guards it
	locks   map[string]*lock
}

// A lock is held by the process whose token is in it.
type lock struct {
	token  chan struct{}
	holder *process // w.mu guards it
}

func newShelf(w *world) *shelf {
	return &shelf{w: w, records: map[string][]byte{}, locks: map[string]*lock{}}
}

// release frees the locks of a process that has crashed. w.mu is held.
func (s *shelf) release(p *process) {
	for _, l := range s.locks {
		if l.holder == p {
			l.holder = nil
			<-l.token
		}
	}
}

// A handle is one process's way to the shelf.
type handle struct {
	p     *process
	shelf *shelf
	skew  time.Duration // by which the clock of this machine is ahead
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
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return h.read(key), nil
}

func (h *handle) read(key string) []byte {
	h.shelf.w.mu.Lock()
	defer h.shelf.w.mu.Unlock()
	b, ok := h.shelf.records[key]
	if !ok {
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
func (h *handle) Update(ctx context.Context, key string, fn func(context.Context, []byte, func([]byte) error) error) error {
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
	unlock, err := h.lock(ctx, key)
	if err == errGone {
		return h.p.pass()
	} else if err != nil {
		return err
	}
	defer unlock()
	done := false
	defer func() { done = true }()
	err = fn(ctx, h.read(key), func(b []byte) error {
		if done {
			return errGone
		}
		return h.save(key, b)
	})
	h.panics("update panics after")
	if _, ok := h.p.w.strikes(doStore, "update fails after"); ok && err == nil {
		h.p.w.tell(fact{who: h.p.n, what: storeFail, text: "update fails after"})
		return errStore
	}
	return err
}

func (h *handle) lock(ctx context.Context, key string) (unlock func(), err error) {
	w := h.p.w
	w.mu.Lock()
	l := h.shelf.locks[key]
	if l == nil {
		l = &lock{token: make(chan struct{}, 1)}
		h.shelf.locks[key] = l
	}
	w.mu.Unlock()
	select {
	case l.token <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if h.p.dead {
		<-l.token
		return nil, errGone
	}
	l.holder = h.p
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if l.holder == h.p {
			l.holder = nil
			<-l.token
		}
	}, nil
}

// save makes b the record, unless the plan says that it fails, gets lost, or only seems to fail.
func (h *handle) save(key string, b []byte) error {
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
	f.who, f.what, f.text, f.key = h.p.n, saved, h.fate(), key
	w.mu.Lock()
	f.account = w.server.accountOf(f.credential)
	w.note(f)
	if f.text == "" || f.text == "save fails late" {
		h.shelf.records[key] = moved(b, h.skew)
	}
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
