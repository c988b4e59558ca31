package storetest

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// excludes checks that b's Update of a key waits for a's, and then sees what a saved.
func excludes(t *testing.T, a, b Store) {
	entered, done := make(chan []byte, 1), make(chan error, 1)
	ctx := within(t)
	err := a.Update(ctx, "key", func(_ context.Context, _ []byte, save func([]byte) error) error {
		go func() {
			done <- b.Update(ctx, "key", func(_ context.Context, old []byte, _ func([]byte) error) error {
				entered <- old
				return nil
			})
		}()
		select {
		case <-entered:
			t.Fatal("a second Update of the key was let in while the first was still running")
		case <-time.After(glimpse):
		}
		return save([]byte("by the first"))
	})
	if err != nil {
		t.Fatalf("the first Update: %v", err)
	}
	same(t, "old of the second Update", await(t, "the second Update to be let in", entered), []byte("by the first"))
	if err := await(t, "the second Update to return", done); err != nil {
		t.Fatalf("the second Update: %v", err)
	}
}

func otherKeysGoOn(t *testing.T, s Store) {
	release := hold(t, s, oddKeys[0])
	for _, key := range oddKeys[1:] {
		put(t, s, key, []byte("value"))
	}
	release()
}

func updateRefusesEndedContext(t *testing.T, s Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := s.Update(ctx, "key", func(_ context.Context, _ []byte, save func([]byte) error) error {
		t.Error("fn was called although the context had ended before")
		return save([]byte("value"))
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("Update with a cancelled context returned %v, want context.Canceled", err)
	}
	holds(t, s, "key", nil)
}

// waitingEnds checks that b gives up waiting for a's lock when its context ends.
func waitingEnds(t *testing.T, a, b Store) {
	release := hold(t, a, "key")
	ctx, cancel := context.WithTimeout(t.Context(), glimpse)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		done <- b.Update(ctx, "key", func(context.Context, []byte, func([]byte) error) error {
			t.Error("fn was called although another Update held the lock")
			return nil
		})
	}()
	if err := await(t, "Update to return after its context had ended", done); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Update returned %v after its context had ended, want context.DeadlineExceeded", err)
	}
	release()
	put(t, b, "key", []byte("value")) // whoever gave up waiting has left no lock behind
}

func waiterGetsLock(t *testing.T, s Store) {
	release := hold(t, s, "key")
	ctx := within(t)
	done := make(chan error, 1)
	go func() { done <- s.Update(ctx, "key", saving([]byte("value"))) }()
	release()
	if err := await(t, "the waiting Update to return", done); err != nil {
		t.Fatalf("the waiting Update: %v", err)
	}
	holds(t, s, "key", []byte("value"))
}

func fnContextEnds(t *testing.T, s Store) {
	ctx, cancel := context.WithCancel(within(t))
	err := s.Update(ctx, "key", func(ctx context.Context, _ []byte, _ func([]byte) error) error {
		if ctx.Err() != nil {
			t.Fatalf("fn was called with a context that had ended: %v", ctx.Err())
		}
		cancel()
		await(t, "fn's context to end with the caller's", ctx.Done())
		return nil
	})
	if err != nil {
		t.Fatalf("Update returned %v, want what fn returned: nil", err)
	}
}

func panicReleases(t *testing.T, s Store) {
	func() {
		defer func() {
			if r := recover(); r != "oops" {
				t.Errorf("Update let through the panic %v, want fn's own", r)
			}
		}()
		s.Update(within(t), "key", func(_ context.Context, _ []byte, save func([]byte) error) error {
			if err := save([]byte("before")); err != nil {
				t.Errorf("save: %v", err)
			}
			panic("oops")
		})
	}()
	holds(t, s, "key", []byte("before"))
	put(t, s, "key", []byte("after"))
}

func goexitReleases(t *testing.T, s Store) {
	ctx, done := within(t), make(chan struct{})
	go func() {
		defer close(done)
		s.Update(ctx, "key", func(context.Context, []byte, func([]byte) error) error {
			runtime.Goexit()
			return nil
		})
	}()
	await(t, "the goroutine to end", done)
	put(t, s, "key", []byte("after"))
}

// crowd is how many goroutines try at once.
const crowd = 64

// count has a crowd add one to the same record, half of it through each store.
func count(t *testing.T, a, b Store) {
	ctx, start := within(t), make(chan struct{})
	var inside atomic.Int32
	var all sync.WaitGroup
	for i := range crowd {
		s := []Store{a, b}[i%2]
		all.Go(func() {
			<-start
			err := s.Update(ctx, "key", func(_ context.Context, old []byte, save func([]byte) error) error {
				if inside.Add(1) != 1 {
					t.Error("two Updates of the key were inside fn at the same time")
				}
				defer inside.Add(-1)
				n, _ := strconv.Atoi(string(old))
				return save(strconv.AppendInt(nil, int64(n+1), 10))
			})
			if err != nil {
				t.Errorf("Update: %v", err)
			}
		})
		all.Go(func() {
			<-start
			v, err := s.Load(ctx, "key")
			if _, bad := strconv.Atoi(string(v)); err != nil || v != nil && bad != nil {
				t.Errorf("Load in a crowd gave %s and %v, want one of the values saved", show(v), err)
			}
		})
	}
	close(start)
	all.Wait()
	holds(t, a, "key", strconv.AppendInt(nil, crowd, 10))
}
