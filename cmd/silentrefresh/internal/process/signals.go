package process

import (
	"context"
	"os"
	"os/signal"
	"slices"
)

// A SignalError is why a context has ended.
type SignalError struct{ Signal os.Signal }

// Error implements error.
func (e *SignalError) Error() string { return "interrupted" }

// UntilSignal returns a context that ends with the first signal that asks the program to end. A second one ends the
// program at once.
func UntilSignal(ctx context.Context) context.Context {
	signals := Heeded(toEnd...)
	if len(signals) == 0 {
		return ctx // Notify would take that for all signals
	}
	ctx, end := context.WithCancelCause(ctx)
	received := make(chan os.Signal, 1)
	signal.Notify(received, signals...)
	go func() {
		s := <-received
		signal.Stop(received)
		end(&SignalError{s})
	}()
	return ctx
}

// Heeded returns those of signals that were not ignored when the program was started: what is (by nohup, or by a shell for
// what runs in the background) stays ignored, here and in commands that are started.
func Heeded(signals ...os.Signal) []os.Signal {
	return slices.DeleteFunc(slices.Clone(signals), signal.Ignored)
}
