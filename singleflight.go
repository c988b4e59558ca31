package silentrefresh

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sync/singleflight"
)

// A landing is how a flight ended.
type landing struct {
	flew bool   // false if there was nothing to do
	from uint64 // the generation that the flight set out to replace
	err  error
}

// flight lets one refresh at a time into the air; whoever asks meanwhile joins it.
type flight struct {
	group *singleflight.Group
	key   string
}

// join waits for the flight that is under way, or starts one with fn. Whoever's ctx ends leaves alone, and so do all
// when wake is closed; the flight goes on. fn must not panic.
func (f *flight) join(ctx context.Context, wake <-chan struct{}, fn func() landing) (landing, error) {
	select {
	case r := <-f.group.DoChan(f.key, func() (any, error) { return fn(), nil }):
		return r.Val.(landing), nil
	case <-wake:
		return landing{}, nil
	case <-ctx.Done():
		return landing{}, context.Cause(ctx)
	}
}

// await waits until the flight that is under way now has landed.
func (f *flight) await(ctx context.Context) error {
	_, err := f.join(ctx, nil, func() landing { return landing{} })
	return err
}

// guard runs fn, which calls code that is not ours, on a goroutine of its own: neither a panic nor runtime.Goexit
// in it takes down the process or leaves those who wait for it waiting.
func guard(fn func() error) error {
	done := make(chan error, 1)
	go func() {
		err := errors.New("the exchange ended its goroutine (runtime.Goexit) instead of returning")
		defer func() {
			if p := recover(); p != nil {
				err = panicked(p)
			}
			done <- err
		}()
		err = fn()
	}()
	return <-done
}

// panicked says what panicked; of a value that is not the runtime's own only the type, since it may hold a secret.
func panicked(p any) error {
	if err, ok := p.(runtime.Error); ok {
		return fmt.Errorf("the exchange panicked: %w", err)
	}
	return fmt.Errorf("the exchange panicked with a %T", p)
}
