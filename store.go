package silentrefresh

import (
	"bytes"
	"context"
	"fmt"
	"sync"
)

// A Store keeps sessions where other processes, or the next start of this one, find them. Its methods use only
// standard types, so an implementation need not import this package; package storetest checks one.
//
// A record is opaque bytes under a key. Implementations are safe for concurrent use.
type Store interface {
	// Load returns what was saved last under key, without waiting for any lock: nil if nothing was ever saved,
	// an empty slice that is not nil for a tombstone. A record that cannot be read is an error, never nil.
	Load(ctx context.Context, key string) ([]byte, error)

	// Update calls fn while it holds key's lock, which excludes every other Update of key, in other processes
	// too. It waits for the lock until ctx ends. old is what Load would return.
	//
	// save makes its argument the record, durably, before it returns; it may be called several times, and each
	// call counts on its own, whatever fn returns. Saving nil or an empty slice leaves a tombstone. fn's context
	// ends if the lock is lost; a save that meets a record changed by somebody else fails with an error that has
	// a method Conflict() bool returning true, and changes nothing. fn's error is returned as it is.
	Update(ctx context.Context, key string, fn func(ctx context.Context, old []byte, save func([]byte) error) error) error
}

// conflicted reports whether err says that a record was changed by somebody else since it was read.
func conflicted(err error) bool {
	c, ok := asType[interface {
		error
		Conflict() bool
	}](err)
	return ok && c.Conflict()
}

// keyedLocks is a lock for each key that can be waited for with a context.
type keyedLocks struct {
	mu    sync.Mutex
	slots map[string]chan struct{}
}

func (l *keyedLocks) slot(key string) chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.slots == nil {
		l.slots = map[string]chan struct{}{}
	}
	s := l.slots[key]
	if s == nil {
		s = make(chan struct{}, 1)
		l.slots[key] = s
	}
	return s
}

// with runs fn while holding slot.
func with(ctx context.Context, slot chan struct{}, fn func() error) error {
	select {
	case slot <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("waiting for another use of this session to end: %w", context.Cause(ctx))
	}
	defer func() { <-slot }()
	return fn()
}

// MemoryStore is a Store that lives as long as the process: for tests, and for several Clients that share
// sessions within one process. The zero value is empty and ready. It must not be copied.
type MemoryStore struct {
	locks   keyedLocks
	records sync.Map // string -> []byte
}

// Load implements Store.
func (m *MemoryStore) Load(ctx context.Context, key string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return m.load(key), nil
}

func (m *MemoryStore) load(key string) []byte {
	v, ok := m.records.Load(key)
	if !ok {
		return nil
	}
	return append([]byte{}, v.([]byte)...)
}

// Update implements Store.
func (m *MemoryStore) Update(ctx context.Context, key string, fn func(context.Context, []byte, func([]byte) error) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return with(ctx, m.locks.slot(key), func() error {
		var mu sync.Mutex
		open := true
		defer func() { mu.Lock(); open = false; mu.Unlock() }()
		return fn(ctx, m.load(key), func(b []byte) error {
			mu.Lock()
			defer mu.Unlock()
			if !open {
				return errSavedLate
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			m.records.Store(key, bytes.Clone(append([]byte{}, b...)))
			return nil
		})
	})
}

// noStore stands in where no Store is set: it keeps nothing, and its Update still lets one use in at a time.
type noStore struct{ slot chan struct{} }

func (noStore) Load(context.Context, string) ([]byte, error) { return nil, nil }

func (s noStore) Update(ctx context.Context, _ string, fn func(context.Context, []byte, func([]byte) error) error) error {
	return with(ctx, s.slot, func() error { return fn(ctx, nil, func([]byte) error { return nil }) })
}
