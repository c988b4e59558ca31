package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// mem keeps every promise, but for one flaw.
type mem struct {
	flaw    string
	records *sync.Map // key -> *record
	locks   *sync.Map // key -> chan struct{}
	held    *sync.Map // key -> context.CancelFunc
	waiting *waiting
}

// record is compared by address to find out whether somebody else has saved.
type record struct{ b []byte }

type conflict struct{ error }

func (conflict) Conflict() bool { return true }

func newMem(flaw string) *mem {
	return &mem{flaw: flaw, records: new(sync.Map), locks: new(sync.Map), held: new(sync.Map), waiting: new(waiting)}
}

// again is another handle on the same records.
func (m *mem) again() *mem {
	other := *m
	switch m.flaw {
	case "handles see their own records":
		other.records = new(sync.Map)
	case "handles have their own locks":
		other.locks = new(sync.Map)
	case "handles wake only their own":
		other.waiting = new(waiting)
	}
	return &other
}

// lose gives key's lock away, and tells its holder.
func (m *mem) lose(key string) {
	m.locks.Delete(m.name(key))
	if cancel, ok := m.held.Load(m.name(key)); ok && m.flaw != "loss is not noticed" {
		cancel.(context.CancelFunc)()
	}
}

func (m *mem) name(key string) string {
	switch {
	case m.flaw == "keys are lower case":
		return strings.ToLower(key)
	case m.flaw == "keys end at 255" && len(key) > 255:
		return key[:255]
	}
	return key
}

func (m *mem) lock(key string) chan struct{} {
	if m.flaw == "update locks everything" {
		key = ""
	}
	l, _ := m.locks.LoadOrStore(m.name(key), make(chan struct{}, 1))
	return l.(chan struct{})
}

func (m *mem) get(key string) *record {
	r, _ := m.records.Load(m.name(key))
	rec, _ := r.(*record)
	return rec
}

func (m *mem) value(r *record) []byte {
	switch {
	case r == nil && m.flaw == "load gives an empty slice for nothing":
		return []byte{}
	case r == nil:
		return nil
	case len(r.b) == 0 && m.flaw == "load gives nil for a tombstone":
		return nil
	case m.flaw == "load gives its own slice":
		return r.b
	}
	return append([]byte{}, r.b...)
}

func (m *mem) Load(ctx context.Context, key string) ([]byte, error) {
	if ctx.Err() != nil && m.flaw != "load ignores its context" {
		return nil, ctx.Err()
	}
	if m.flaw == "load takes the lock" {
		select {
		case m.lock(key) <- struct{}{}:
			<-m.lock(key)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return m.value(m.get(key)), nil
}

func (m *mem) Update(ctx context.Context, key string, fn updateFunc) error {
	if ctx.Err() != nil && m.flaw != "update ignores its context" {
		return ctx.Err()
	}
	l := m.lock(key)
	if err := m.enter(ctx, l); err != nil {
		return err
	}
	if m.flaw == "wakes when the lock is taken" {
		m.waiting.wake(m.name(key), m.flaw)
	}
	clean := false
	defer func() {
		r := recover()
		leave := clean || r != nil && m.flaw != "update leaves the lock after a panic" ||
			r == nil && m.flaw != "update leaves the lock after a Goexit"
		if leave && m.flaw != "update does not lock" {
			<-l
			m.wake(key)
		}
		if r != nil {
			panic(r)
		}
	}()
	err := m.call(ctx, key, fn)
	clean = true
	return err
}

func (m *mem) enter(ctx context.Context, l chan struct{}) error {
	done := ctx.Done()
	switch m.flaw {
	case "update does not lock":
		return nil
	case "update waits for ever":
		done = nil
	case "update ignores its context":
		select {
		case l <- struct{}{}:
			return nil
		default:
		}
	}
	select {
	case l <- struct{}{}:
		return nil
	case <-done:
		return fmt.Errorf("waiting for the lock: %w", ctx.Err())
	}
}

func (m *mem) call(ctx context.Context, key string, fn updateFunc) error {
	own, cancel := context.WithCancel(ctx)
	defer cancel()
	m.held.Store(m.name(key), cancel)
	if m.flaw == "update shows fn another context" {
		own = context.WithoutCancel(ctx)
	}
	u := &update{m: m, ctx: own, key: key, seen: m.get(key)}
	old := m.value(u.seen)
	if m.flaw == "update shows fn nothing" {
		old = nil
	}
	err := fn(own, old, u.save)
	if m.flaw == "update saves of its own accord" {
		u.save(old)
	}
	u.ended = true
	for _, b := range u.delayed {
		if err == nil || m.flaw == "save counts when update ends" {
			m.records.Store(m.name(key), &record{b})
		}
	}
	if err != nil && m.flaw == "update wraps fn's error" {
		return fmt.Errorf("fn: %w", err)
	}
	return err
}

// update is one call of Update.
type update struct {
	m       *mem
	ctx     context.Context
	key     string
	seen    *record
	saves   int
	ended   bool
	delayed [][]byte
}

func (u *update) save(b []byte) error {
	switch flaw := u.m.flaw; {
	case u.ended && flaw != "save works for ever":
		return errors.New("too late")
	case u.ctx.Err() != nil && flaw == "save needs a living context":
		return u.ctx.Err()
	case flaw == "save counts when update ends", flaw == "only success counts":
		u.delayed = append(u.delayed, bytes.Clone(b))
		return nil
	case flaw == "only the first save counts" && u.saves > 0:
		return nil
	}
	u.saves++
	return u.store(&record{u.taken(b)})
}

// taken is what is kept of b.
func (u *update) taken(b []byte) []byte {
	switch u.m.flaw {
	case "save keeps the caller's slice":
		return b
	case "save cuts at 64 KiB":
		b = b[:min(len(b), 1<<16)]
	case "save cuts at a zero byte":
		b, _, _ = bytes.Cut(b, []byte{0})
	}
	return append([]byte{}, b...)
}

func (u *update) store(r *record) error {
	now := u.m.get(u.key)
	careless := u.m.flaw == "save overwrites after a loss" ||
		u.m.flaw == "save of a new record after a loss wins" && u.seen == nil
	if now != u.seen && !careless {
		return conflict{errors.New("somebody else has saved")}
	}
	u.m.records.Store(u.m.name(u.key), r)
	u.seen = r
	return nil
}
