package sim

import (
	"context"
	"sync"

	"github.com/silentrefresh/silentrefresh"
)

// Memory is the simulation's own kind of Store. A crash frees the locks of its process at once, as that of a process
// does whose locks are the operating system's.
var Memory = Stores{New: func() (Shelf, error) {
	return &memory{records: map[string][]byte{}, locks: map[string]*lock{}, crashed: map[*Process]bool{}}, nil
}}

// A memory is a Shelf in memory.
type memory struct {
	mu      sync.Mutex // guards all that follows; never held while anybody waits
	records map[string][]byte
	locks   map[string]*lock
	crashed map[*Process]bool
}

// A lock is held by the process whose token is in it.
type lock struct {
	token  chan struct{}
	holder *Process // the memory's mutex guards it
}

// Open implements Shelf.
func (m *memory) Open(p *Process) (silentrefresh.Store, error) { return &memoryStore{m, p}, nil }

// Crash implements Shelf.
func (m *memory) Crash(p *Process) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.crashed[p] = true
	for _, l := range m.locks {
		l.release(p)
	}
}

// Close implements Shelf.
func (m *memory) Close() error { return nil }

// release frees the lock if p holds it. The memory's mutex is held.
func (l *lock) release(p *Process) {
	if l.holder == p {
		l.holder = nil
		<-l.token
	}
}

func (m *memory) read(key string) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.records[key]
}

func (m *memory) lock(key string) *lock {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.locks[key]
	if l == nil {
		l = &lock{token: make(chan struct{}, 1)}
		m.locks[key] = l
	}
	return l
}

// A memoryStore is the Store of one process.
type memoryStore struct {
	m *memory
	p *Process
}

// Load implements silentrefresh.Store.
func (s *memoryStore) Load(ctx context.Context, key string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.m.read(key), nil
}

// Update implements silentrefresh.Store.
func (s *memoryStore) Update(ctx context.Context, key string, fn silentrefresh.UpdateFunc) error {
	unlock, err := s.acquire(ctx, key)
	if err != nil {
		return err
	}
	defer unlock()
	return fn(ctx, s.m.read(key), func(b []byte) error {
		s.m.mu.Lock()
		defer s.m.mu.Unlock()
		s.m.records[key] = b
		return nil
	})
}

func (s *memoryStore) acquire(ctx context.Context, key string) (unlock func(), err error) {
	l := s.m.lock(key)
	select {
	case l.token <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	s.m.mu.Lock()
	gone := s.m.crashed[s.p]
	if l.holder = s.p; gone {
		l.release(s.p)
	}
	s.m.mu.Unlock()
	if gone {
		return nil, s.p.Reach(ctx, func() error { return nil })
	}
	return func() {
		s.m.mu.Lock()
		defer s.m.mu.Unlock()
		l.release(s.p)
	}, nil
}
