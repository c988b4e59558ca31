package chance

import (
	"sync"
	"sync/atomic"
)

var yield atomic.Pointer[func()]

// A Mutex is a sync.Mutex after whose Unlock a simulation may let other goroutines go first: what happens between two
// critical sections is where the order of things is left to chance.
type Mutex struct{ mu sync.Mutex }

// Lock locks m.
func (m *Mutex) Lock() { m.mu.Lock() }

// Unlock unlocks m.
func (m *Mutex) Unlock() {
	m.mu.Unlock()
	if f := yield.Load(); f != nil {
		(*f)()
	}
}

// Yield makes every Unlock call f, which must be safe for concurrent use, until restore is called. It holds for the
// process.
func Yield(f func()) (restore func()) {
	old := yield.Swap(&f)
	return func() { yield.Store(old) }
}
