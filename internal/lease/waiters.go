package lease

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// Waiters are those in this process who wait for locks, by the name of the lock. The zero value is ready; it is safe
// for concurrent use.
type Waiters struct {
	mu      sync.Mutex
	byName  map[string]map[chan struct{}]struct{}
	arrived chan struct{} // closed when the next waiter comes; nil if nobody wants to know
}

// Add returns a channel that is sent to when name's lock is set free, until forget is called.
func (w *Waiters) Add(name string) (woken <-chan struct{}, forget func()) {
	c := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byName == nil {
		w.byName = map[string]map[chan struct{}]struct{}{}
	}
	if w.byName[name] == nil {
		w.byName[name] = map[chan struct{}]struct{}{}
	}
	w.byName[name][c] = struct{}{}
	if w.arrived != nil {
		close(w.arrived)
		w.arrived = nil
	}
	return c, func() { w.remove(name, c) }
}

func (w *Waiters) remove(name string, c chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.byName[name], c)
	if len(w.byName[name]) == 0 {
		delete(w.byName, name)
	}
}

// Wake wakes all who wait for name's lock. One that is woken already stays so.
func (w *Waiters) Wake(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.byName[name] {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// Names returns the locks that somebody waits for, and what is closed when the next waiter comes. While there are none
// it waits, until ctx ends.
func (w *Waiters) Names(ctx context.Context) (names []string, arrived <-chan struct{}, err error) {
	for {
		names, arrived := w.names()
		if len(names) > 0 {
			return names, arrived, nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		}
	}
}

func (w *Waiters) names() (names []string, arrived <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.arrived == nil {
		w.arrived = make(chan struct{})
	}
	return slices.Collect(maps.Keys(w.byName)), w.arrived
}

// Call calls call, never twice at a time, whenever name's lock is set free, until forget is called, which does not
// wait for a call that runs.
func (w *Waiters) Call(name string, call func()) (forget func()) {
	woken, remove := w.Add(name)
	done := make(chan struct{})
	go func() {
		defer remove()
		for {
			select {
			case <-woken:
			case <-done:
				return
			}
			select {
			case <-done: // both were ready
				return
			default:
				call()
			}
		}
	}()
	return sync.OnceFunc(func() { close(done) })
}
