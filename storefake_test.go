package silentrefresh

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/silentrefresh/silentrefresh/internal/record"
)

// in makes a Config keep its session in store.
func in(store Store) func(*Config) { return func(cfg *Config) { cfg.Store = store } }

var errFull = errors.New("no space left on device")

// hookStore is a MemoryStore whose saves and locks can be tampered with.
type hookStore struct {
	MemoryStore
	full   atomic.Bool               // saves fail with errFull
	save   func(b []byte) error      // before a save; an error is the save's
	locked func(ctx context.Context) // after the lock was taken
	saves  atomic.Int64
	loads  atomic.Int64
	locks  atomic.Int64
}

func (s *hookStore) Load(ctx context.Context, key string) ([]byte, error) {
	s.loads.Add(1)
	return s.MemoryStore.Load(ctx, key)
}

func (s *hookStore) Update(ctx context.Context, key string, fn func(context.Context, []byte, func([]byte) error) error) error {
	return s.MemoryStore.Update(ctx, key, func(ctx context.Context, old []byte, save func([]byte) error) error {
		s.locks.Add(1)
		if s.locked != nil {
			s.locked(ctx)
		}
		return fn(ctx, old, func(b []byte) error {
			if s.full.Load() {
				return errFull
			}
			if s.save != nil {
				if err := s.save(b); err != nil {
					return err
				}
			}
			s.saves.Add(1)
			return save(b)
		})
	})
}

// stored is the record that s has of c's session.
func stored(t *testing.T, s Store, c *Client) *record.Record {
	t.Helper()
	b, err := s.Load(context.Background(), c.key)
	if err != nil {
		t.Fatal(err)
	}
	r, err := record.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// conflictStore fails the save after the exchange, as a store does whose lease ran out.
type conflictStore struct {
	MemoryStore
	mu      sync.Mutex
	meddle  func() // what somebody else does meanwhile
	saves   int
	failing int // the save that meets a conflict
}

type meddledError struct{}

func (meddledError) Error() string { return "the record was changed by somebody else" }

func (meddledError) Conflict() bool { return true }

func (s *conflictStore) Update(ctx context.Context, key string, fn func(context.Context, []byte, func([]byte) error) error) error {
	return s.MemoryStore.Update(ctx, key, func(ctx context.Context, old []byte, save func([]byte) error) error {
		return fn(ctx, old, func(b []byte) error {
			s.mu.Lock()
			s.saves++
			failing := s.saves == s.failing
			s.mu.Unlock()
			if failing {
				if s.meddle != nil {
					s.meddle()
				}
				return meddledError{}
			}
			return save(b)
		})
	})
}

// heldStore is a MemoryStore with a lock that is never free. It tells of one when freed is called.
type heldStore struct {
	MemoryStore
	mu    sync.Mutex
	calls map[int]func()
	n     int
}

func (s *heldStore) Update(ctx context.Context, _ string, _ func(context.Context, []byte, func([]byte) error) error) error {
	<-ctx.Done()
	return ctx.Err()
}

func (s *heldStore) WhenFree(_ string, call func()) (forget func()) {
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

// freed calls those who wait, and returns how many there were.
func (s *heldStore) freed() int {
	s.mu.Lock()
	calls := slices.Collect(maps.Values(s.calls))
	s.mu.Unlock()
	for _, call := range calls {
		call()
	}
	return len(calls)
}

// credential is the refresh token that c goes on with.
func credential(c *Client) string { return c.state.Load().session().RefreshToken.Reveal() }
