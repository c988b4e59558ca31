package storetest

import (
	"bytes"
	"context"
	"testing"
	"time"
)

// patience is how long something may take that has to happen: a store that hangs fails instead.
var patience = 20 * time.Second

// glimpse is how long the suite looks out for something that must not happen. A store that keeps its promises
// passes however short it is; one that breaks them is caught unless it is slower than that.
const glimpse = 50 * time.Millisecond

// updateFunc is what Update calls.
type updateFunc = func(ctx context.Context, old []byte, save func([]byte) error) error

// within is the test's context, cut short where a store hangs.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// saving makes an updateFunc of values to save in turn.
func saving(values ...[]byte) updateFunc {
	return func(_ context.Context, _ []byte, save func([]byte) error) error {
		for _, v := range values {
			if err := save(v); err != nil {
				return err
			}
		}
		return nil
	}
}

func put(t *testing.T, s Store, key string, value []byte) {
	t.Helper()
	if err := s.Update(within(t), key, saving(value)); err != nil {
		t.Fatalf("Update(%.60q) saving %d bytes: %v", key, len(value), err)
	}
}

// holds checks what Load returns: nil, empty and full are three different things.
func holds(t *testing.T, s Store, key string, want []byte) {
	t.Helper()
	got, err := s.Load(within(t), key)
	if err != nil {
		t.Fatalf("Load(%.60q): %v", key, err)
	}
	same(t, "Load", got, want)
}

func same(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) || (got == nil) != (want == nil) {
		t.Fatalf("%s gave %s, want %s", what, show(got), show(want))
	}
}

func show(b []byte) string {
	switch {
	case b == nil:
		return "nil"
	case len(b) == 0:
		return "an empty slice"
	case len(b) > 40:
		return string(b[:40]) + "..."
	}
	return string(b)
}

// await waits for ch, which has to be closed or to give a value.
func await[T any](t *testing.T, what string, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("%s: not within %v", what, patience)
		panic("unreachable")
	}
}

// hold starts an Update that keeps key's lock until release is called, which waits until the lock is free.
func hold(t *testing.T, s Store, key string) (release func()) {
	t.Helper()
	held, leave, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	ctx := within(t)
	go func() {
		done <- s.Update(ctx, key, func(context.Context, []byte, func([]byte) error) error {
			close(held)
			<-leave
			return nil
		})
	}()
	select {
	case <-held:
	case err := <-done:
		t.Fatalf("Update of a free key: %v", err)
	}
	return func() {
		close(leave)
		if err := await(t, "the holder's Update to return", done); err != nil {
			t.Fatalf("the holder's Update: %v", err)
		}
	}
}
