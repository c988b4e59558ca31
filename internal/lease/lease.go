// Package lease has what stores need whose locks are leases: locks that end by themselves unless their holder renews
// them. Where a lease is kept is left to the store.
package lease

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// Why a lease was lost.
var (
	ErrTaken  = errors.New("the lease is gone: the engine lost it, or it ran out and another process took it")
	ErrRanOut = errors.New("the lease ran out: the engine could not be reached to renew it, or this process was paused")
)

// releaseWithin bounds how long giving a lock back is waited for.
const releaseWithin = 2 * time.Second

// A Lease is a lock that was taken.
type Lease struct {
	// Length is how long it lasts unless it is renewed.
	Length time.Duration
	// Until is when it ends, by this machine's clock and not later than by the engine's: Length after the request
	// was sent.
	Until time.Time
	// Renew makes it last anew; kept is false if somebody else has it. An error says nothing: it is tried again.
	Renew func(ctx context.Context) (kept bool, err error)
	// Release gives it back. Nobody hears of its errors, because a lease that was not given back runs out.
	Release func(ctx context.Context) error
}

// Taken reports whether the lease that the engine has just given is still there. A request may have waited there longer
// than the lease lasts, for somebody else who was writing. Where a third of it or more may be over, it is renewed first.
func (l *Lease) Taken(ctx context.Context) (held bool, err error) {
	if time.Until(l.Until) > l.Length*2/3 {
		return true, nil
	}
	sent := time.Now()
	held, err = l.Renew(ctx)
	if held && err == nil {
		l.Until = sent.Add(l.Length)
	}
	return held, err
}

// Keep renews the lease three times in its length until the function that it returns is called, which releases it.
// Where it is lost, it calls lost. Whether the engine responds or not, lost is called when the lease has run out.
func (l *Lease) Keep(ctx context.Context, lost context.CancelCauseFunc) (release func()) {
	ctx, stop := context.WithCancel(ctx)
	end := time.AfterFunc(time.Until(l.Until), func() { lost(ErrRanOut) })
	go l.renew(ctx, end, lost)
	return func() {
		end.Stop()
		stop()
		l.GiveBack(context.Background())
	}
}

func (l *Lease) renew(ctx context.Context, end *time.Timer, lost context.CancelCauseFunc) {
	for Pause(ctx, l.Length/3, nil) == nil {
		sent := time.Now()
		kept, err := l.Renew(ctx)
		if err != nil {
			continue // it is tried again, until end comes
		}
		if !kept {
			lost(ErrTaken)
			return
		}
		end.Reset(l.Length - time.Since(sent))
	}
}

// GiveBack releases the lease. It waits for that within a bound, and not beyond the end of ctx.
func (l *Lease) GiveBack(ctx context.Context) {
	bounded, done := context.WithTimeout(context.WithoutCancel(ctx), releaseWithin)
	go func() {
		defer done()
		_ = l.Release(bounded)
	}()
	select {
	case <-bounded.Done():
	case <-ctx.Done():
	}
}

// Pause waits for d, until woken, or until ctx ends: only then it returns an error.
func Pause(ctx context.Context, d time.Duration, woken <-chan struct{}) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-woken:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// Jittered is between 75 and 125 % of d, so that waiters do not all look at once.
func Jittered(d time.Duration) time.Duration {
	return d*3/4 + rand.N(d/2+1)
}
