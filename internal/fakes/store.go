package fakes

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/silentrefresh/silentrefresh/internal/update"
)

// Memory is a Store in memory.
type Memory struct {
	locks   update.Locks
	records sync.Map
}

// Put makes b the record, as somebody else does.
func (m *Memory) Put(key string, b []byte) { m.records.Store(key, slices.Clone(b)) }

// Load implements Store.
func (m *Memory) Load(ctx context.Context, key string) ([]byte, error) {
	if v, ok := m.records.Load(key); ok {
		return append([]byte{}, v.([]byte)...), ctx.Err()
	}
	return nil, ctx.Err()
}

// Update implements Store.
func (m *Memory) Update(ctx context.Context, key string, fn update.Func) error {
	unlock, err := m.locks.Lock(ctx, key)
	if err != nil {
		return err
	}
	defer unlock()
	old, err := m.Load(ctx, key)
	if err != nil {
		return err
	}
	return update.Call(ctx, old, func(b []byte) error {
		m.records.Store(key, append([]byte{}, b...))
		return nil
	}, fn)
}

var ErrFull = errors.New("no space left on device")

// HookStore is a Memory whose saves and locks can be tampered with.
type HookStore struct {
	Memory
	Full   atomic.Bool               // saves fail with errFull
	Save   func(b []byte) error      // before a save; an error is the save's
	Locked func(ctx context.Context) // after the lock was taken
	Saves  atomic.Int64
	loads  atomic.Int64
	Locks  atomic.Int64
}

func (s *HookStore) Load(ctx context.Context, key string) ([]byte, error) {
	s.loads.Add(1)
	return s.Memory.Load(ctx, key)
}

func (s *HookStore) Update(ctx context.Context, key string, fn func(context.Context, []byte, func([]byte) error) error) error {
	return s.Memory.Update(ctx, key, func(ctx context.Context, old []byte, save func([]byte) error) error {
		s.Locks.Add(1)
		if s.Locked != nil {
			s.Locked(ctx)
		}
		return fn(ctx, old, func(b []byte) error {
			if s.Full.Load() {
				return ErrFull
			}
			if s.Save != nil {
				if err := s.Save(b); err != nil {
					return err
				}
			}
			s.Saves.Add(1)
			return save(b)
		})
	})
}

// ConflictStore fails the save after the exchange, as a store does whose lease ran out.
type ConflictStore struct {
	Memory
	mu      sync.Mutex
	Meddle  func() // what somebody else does meanwhile
	saves   int
	Failing int // the save that meets a conflict
}

type meddledError struct{}

func (meddledError) Error() string { return "the record was changed by somebody else" }

func (meddledError) Conflict() bool { return true }

func (s *ConflictStore) Update(ctx context.Context, key string, fn func(context.Context, []byte, func([]byte) error) error) error {
	return s.Memory.Update(ctx, key, func(ctx context.Context, old []byte, save func([]byte) error) error {
		return fn(ctx, old, func(b []byte) error {
			s.mu.Lock()
			s.saves++
			failing := s.saves == s.Failing
			s.mu.Unlock()
			if failing {
				if s.Meddle != nil {
					s.Meddle()
				}
				return meddledError{}
			}
			return save(b)
		})
	})
}

// HeldStore is a Memory with a lock that is never free. It tells of one when freed is called.
type HeldStore struct {
	Memory
	mu    sync.Mutex
	calls map[int]func()
	n     int
}

func (s *HeldStore) Update(ctx context.Context, _ string, _ func(context.Context, []byte, func([]byte) error) error) error {
	<-ctx.Done()
	return ctx.Err()
}

func (s *HeldStore) WhenFree(_ string, call func()) (forget func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls == nil {
		s.calls = map[int]func(){}
	}
	s.n++
	n := s.n
	s.calls[n] = call
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.calls, n)
	}
}

// Freed calls those who wait, and returns how many there were.
func (s *HeldStore) Freed() int {
	s.mu.Lock()
	calls := slices.Collect(maps.Values(s.calls))
	s.mu.Unlock()
	for _, call := range calls {
		call()
	}
	return len(calls)
}
