package update

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestCallEndsSaveWithFn(t *testing.T) {
	var saved []string
	var late func([]byte) error
	keep := func(b []byte) error { saved = append(saved, string(b)); return nil }
	err := Call(t.Context(), []byte("old"), keep, func(_ context.Context, old []byte, save func([]byte) error) error {
		late = save
		return save(append(old, " and new"...))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := late([]byte("late")); !errors.Is(err, ErrEnded) {
		t.Errorf("save after Call: %v, want ErrEnded", err)
	}
	if len(saved) != 1 || saved[0] != "old and new" {
		t.Errorf("saved %q, want only what was saved in time", saved)
	}
}

func TestCallWaitsForSaveInFlight(t *testing.T) {
	began, finish, finished := make(chan struct{}), make(chan struct{}), false
	slow := func([]byte) error {
		close(began)
		<-finish
		finished = true
		return nil
	}
	Call(t.Context(), nil, slow, func(_ context.Context, _ []byte, save func([]byte) error) error {
		go save(nil)
		<-began
		go close(finish)
		return nil
	})
	if !finished { // the race detector too would notice that nothing orders the two
		t.Error("Call returned while a save was still writing")
	}
}

func TestLocksTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Locks
		var order []int
		first, _ := l.Lock(t.Context(), "key")
		for i := range 3 {
			go func() {
				unlock, err := l.Lock(t.Context(), "key")
				if err != nil {
					t.Error(err)
				}
				order = append(order, i)
				unlock()
			}()
			synctest.Wait()
		}
		if len(order) != 0 {
			t.Fatal("somebody was let in while the lock was held")
		}
		other, err := l.Lock(t.Context(), "other key")
		if err != nil {
			t.Fatal(err)
		}
		other()
		first()
		synctest.Wait()
		if len(order) != 3 || order[0] != 0 || order[1] != 1 || order[2] != 2 {
			t.Errorf("let in %v, want the order in which they came", order)
		}
		if len(l.slots) != 0 {
			t.Errorf("%d slots are kept although nobody holds or waits", len(l.slots))
		}
	})
}

func TestLockGivesUpWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Locks
		unlock, _ := l.Lock(t.Context(), "key")
		why := errors.New("nobody is interested any more")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Hour, why)
		defer cancel()
		if _, err := l.Lock(ctx, "key"); !errors.Is(err, why) {
			t.Errorf("Lock returned %v, want the cause of the context's end", err)
		}
		unlock()
		again, err := l.Lock(t.Context(), "key")
		if err != nil {
			t.Fatal(err)
		}
		again()
		if len(l.slots) != 0 {
			t.Error("whoever gave up waiting still takes memory")
		}
	})
}
