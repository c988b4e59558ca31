package storetest

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// waker is what a store may be able to do beside its two methods: to tell when a lock was set free.
type waker interface {
	Store
	WhenFree(key string, call func()) (forget func())
}

// wakes makes a check of two handles that tell one of any two: it is skipped where they tell nothing.
func wakes(check func(t *testing.T, a, b waker)) func(t *testing.T, a, b Store) {
	return func(t *testing.T, a, b Store) {
		first, ok := a.(waker)
		second, too := b.(waker)
		if !ok || !too {
			t.Skip("the store has no method WhenFree, which it need not have")
		}
		check(t, first, second)
	}
}

// heard sets key's lock free until called says that this was told. The first times may be missed, because a store may
// begin to listen only when somebody wants to hear.
func heard(t *testing.T, s Store, key string, called <-chan struct{}) {
	t.Helper()
	for late := time.After(patience); ; {
		hold(t, s, key)()
		select {
		case <-called:
			return
		case <-time.After(glimpse):
		case <-late:
			t.Fatalf("call was not called within %v, although the lock was set free again and again", patience)
		}
	}
}

// signal returns a function that says on a channel that it was called.
func signal() (call func(), called <-chan struct{}) {
	c := make(chan struct{}, 1)
	return func() {
		select {
		case c <- struct{}{}:
		default:
		}
	}, c
}

// wakesEach checks that all who wait at b are told that a has set the lock free, and then see what a has saved.
func wakesEach(t *testing.T, a, b waker) {
	ctx := within(t)
	var all []<-chan struct{}
	for range 3 {
		call, called := signal()
		see, seen := signal()
		defer b.WhenFree("key", func() {
			call()
			if v, err := b.Load(ctx, "key"); err == nil && string(v) == "value" {
				see()
			}
		})()
		heard(t, a, "key", called)
		all = append(all, seen)
	}
	err := a.Update(ctx, "key", func(_ context.Context, _ []byte, save func([]byte) error) error {
		time.Sleep(glimpse) // whoever is told now sees nothing yet
		return save([]byte("value"))
	})
	if err != nil {
		t.Fatalf("Update: %v", err)
	}
	for _, seen := range all {
		await(t, "call to be called when what was saved under the lock can be loaded", seen)
	}
}

// neverTwiceAtATime sets the lock free again and again while call runs.
func neverTwiceAtATime(t *testing.T, a, b waker) {
	var running, twice atomic.Int32
	call, called := signal()
	defer b.WhenFree("key", func() {
		if running.Add(1) != 1 {
			twice.Add(1)
		}
		defer running.Add(-1)
		call()
		time.Sleep(glimpse)
	})()
	heard(t, a, "key", called)
	for range 10 {
		hold(t, a, "key")()
	}
	await(t, "call to be called again", called)
	if n := twice.Load(); n != 0 {
		t.Errorf("call was called %d times while it was running", n)
	}
}

// forgetEnds checks that forget ends the calls, and does not wait for one that runs: it may be called from there.
func forgetEnds(t *testing.T, a, b waker) {
	var calls atomic.Int32
	running, leave, left := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var first sync.Once
	forget := b.WhenFree("key", func() {
		calls.Add(1)
		first.Do(func() {
			close(running)
			<-leave
			close(left)
		})
	})
	heard(t, a, "key", running)
	forgot := make(chan struct{})
	go func() {
		forget()
		close(forgot)
	}()
	await(t, "forget to return although call was running", forgot)
	close(leave)
	await(t, "call to return", left)
	for range 3 {
		hold(t, a, "key")()
	}
	time.Sleep(glimpse)
	if n := calls.Load(); n != 1 {
		t.Errorf("call was called %d times after forget", n-1)
	}
}
