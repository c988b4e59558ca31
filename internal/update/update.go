// Package update has what the Update method of every store needs: a lock for each key within the process, and a
// save function that works only as long as Update runs.
package update

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Func is what Update calls.
type Func = func(ctx context.Context, old []byte, save func([]byte) error) error

// ErrEnded is what save returns after its Update has returned.
var ErrEnded = errors.New("silentrefresh: save was called after Update had ended")

// Call runs fn. The save function that fn gets runs one call at a time, and is of no use once fn has returned:
// a goroutine that fn left behind can't overwrite what somebody else saves under the lock.
func Call(ctx context.Context, old []byte, save func([]byte) error, fn Func) error {
	var mu sync.Mutex
	ended := false
	defer func() {
		mu.Lock()
		defer mu.Unlock()
		ended = true
	}()
	return fn(ctx, old, func(b []byte) error {
		mu.Lock()
		defer mu.Unlock()
		if ended {
			return ErrEnded
		}
		return save(b)
	})
}

// Locks are exclusive locks by key, which can be waited for with a context. The zero value is ready; keys that
// nobody holds or waits for take no memory. It must not be copied.
type Locks struct {
	mu    sync.Mutex
	slots map[string]*slot
}

// slot is the lock of one key: whoever has put its token into it holds it.
type slot struct {
	token chan struct{}
	users int // who hold or wait
}

// Lock waits for key's lock until ctx ends. The lock is held until unlock is called, which must happen once.
func (l *Locks) Lock(ctx context.Context, key string) (unlock func(), err error) {
	s := l.enter(key)
	select {
	case s.token <- struct{}{}:
		return func() { <-s.token; l.leave(key, s) }, nil
	case <-ctx.Done():
		l.leave(key, s)
		return nil, fmt.Errorf("waiting for another use of this session to end: %w", context.Cause(ctx))
	}
}

func (l *Locks) enter(key string) *slot {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.slots == nil {
		l.slots = map[string]*slot{}
	}
	s := l.slots[key]
	if s == nil {
		s = &slot{token: make(chan struct{}, 1)}
		l.slots[key] = s
	}
	s.users++
	return s
}

func (l *Locks) leave(key string, s *slot) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.users--; s.users == 0 {
		delete(l.slots, key)
	}
}
