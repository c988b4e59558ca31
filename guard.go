package silentrefresh

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"
)

// This file is the one place through which code of a user's is called: an Exchanger, a Store, Credentials, an observer,
// a check. No mutex is held meanwhile, though the record's lock may be; a panic and runtime.Goexit in it become errors;
// and where there is a deadline, nobody waits longer for code that does not heed it.

// afterDeadline is how long code that was told to end is waited for: what it has to say is worth a moment.
const afterDeadline = time.Second

// errAbandoned: the call goes on, and nobody waits for it any more.
var errAbandoned = errors.New("it did not return when it was told to")

// guarded runs fn on a goroutine of its own and returns what it returns. When ctx ends, fn has a moment to return; then
// it is left behind. What it returns after all is given to late, which may be nil.
func guarded[T any](ctx context.Context, what string, fn func() (T, error), late func(T, error)) (T, error) {
	g := &guardedCall[T]{what: what, done: make(chan struct{})}
	go g.run(fn)
	if g.wait(ctx) {
		return g.value, g.err
	}
	if late != nil {
		go func() {
			<-g.done
			late(g.value, g.err)
		}()
	}
	var none T
	return none, fmt.Errorf("%s: %w (%w)", what, errAbandoned, context.Cause(ctx))
}

// A guardedCall is one call of a user's code, which may outlive those who wait for it.
type guardedCall[T any] struct {
	what  string
	done  chan struct{} // closed when value and err are set
	value T
	err   error
}

func (g *guardedCall[T]) run(fn func() (T, error)) {
	g.err = fmt.Errorf("%s ended its goroutine (runtime.Goexit) instead of returning", g.what)
	defer func() {
		if p := recover(); p != nil {
			g.err = panicked(g.what, p)
		}
		close(g.done)
	}()
	g.value, g.err = fn()
}

// wait waits for the call until ctx has ended and a moment has passed. It reports whether the call has returned.
func (g *guardedCall[T]) wait(ctx context.Context) bool {
	select {
	case <-g.done:
		return true
	case <-ctx.Done():
	}
	timer := time.NewTimer(afterDeadline)
	defer timer.Stop()
	select {
	case <-g.done:
		return true
	case <-timer.C:
		return false
	}
}

// shielded runs fn on the caller's goroutine, and turns a panic in it into an error.
func shielded(what string, fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(what, p)
		}
	}()
	return fn()
}

// panicked says what panicked; of a value that is not the runtime's own only the type, since it may hold a secret.
func panicked(what string, p any) error {
	if err, ok := p.(runtime.Error); ok {
		return fmt.Errorf("%s panicked: %w", what, err)
	}
	return fmt.Errorf("%s panicked with a %T", what, p)
}
