package redisstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"time"
)

// A lease is the lock of one session, held for a while.
type lease struct {
	store  *Store
	names  names
	holder string    // random: who holds it
	until  time.Time // when it ends unless it is renewed, by this machine's clock and not later than by Redis'
}

var (
	errLeaseTaken  = errors.New("redisstore: the lease is gone: Redis lost it, or it ran out and another process took it")
	errLeaseRanOut = errors.New("redisstore: the lease ran out: Redis could not be reached to renew it, or this process was paused")
)

// acquire waits until it has key's lock, and returns the record read in the same step.
func (s *Store) acquire(ctx context.Context, key string) (*lease, revision, error) {
	l := &lease{store: s, names: s.names(key), holder: rand.Text()}
	woken, forget := s.waiters.add(l.names.tag)
	defer forget()
	for {
		if err := s.listener.settle(ctx); err != nil {
			return nil, revision{}, err
		}
		found, busy, err := l.try(ctx)
		if err != nil {
			l.release(ctx) // the command may have arrived all the same
			return nil, revision{}, err
		}
		if busy == 0 {
			return l, found, nil
		}
		if err := pause(ctx, min(busy, jittered(s.poll)), woken); err != nil {
			return nil, revision{}, fmt.Errorf("another process holds it: %w", err)
		}
	}
}

// try takes the lock if it is free, or says how long its holder's lease lasts.
func (l *lease) try(ctx context.Context) (found revision, busy time.Duration, err error) {
	l.until = time.Now().Add(l.store.lease)
	reply, err := lockScript.Run(ctx, l.store.rdb, []string{l.names.record, l.names.lock}, l.holder, l.store.lease.Milliseconds()).Slice()
	if err != nil {
		return revision{}, 0, err
	}
	if taken, _ := reply[0].(int64); taken == 0 {
		left, _ := reply[1].(int64)
		return revision{}, max(time.Duration(left), 1) * time.Millisecond, nil
	}
	found, err = parse(reply[1:])
	return found, 0, err
}

// keep renews the lease until the function that it returns is called, which releases it. Where it cannot, it calls
// lost. Whether Redis responses or not, lost is called when the lease has run out.
func (l *lease) keep(ctx context.Context, lost context.CancelCauseFunc) (release func()) {
	ctx, stop := context.WithCancel(ctx)
	end := time.AfterFunc(time.Until(l.until), func() { lost(errLeaseRanOut) })
	go l.renew(ctx, end, lost)
	return func() {
		end.Stop()
		stop()
		l.release(context.Background())
	}
}

func (l *lease) renew(ctx context.Context, end *time.Timer, lost context.CancelCauseFunc) {
	for pause(ctx, l.store.lease/3, nil) == nil {
		sent := time.Now()
		kept, err := renewScript.Run(ctx, l.store.rdb, []string{l.names.lock}, l.holder, l.store.lease.Milliseconds()).Int()
		if err != nil {
			continue // it is tried again, until end comes
		}
		if kept == 0 {
			lost(errLeaseTaken)
			return
		}
		end.Reset(l.store.lease - time.Since(sent))
	}
}

// release gives the lock back. It waits for that within a bound, and not beyond the end of ctx: where Redis does not
// response, the lease runs out by itself.
func (l *lease) release(ctx context.Context) {
	bounded, done := context.WithTimeout(context.WithoutCancel(ctx), releaseWithin)
	go func() {
		defer done()
		_ = unlockScript.Run(bounded, l.store.rdb, []string{l.names.lock}, l.holder, l.store.listener.channel, l.names.tag).Err()
	}()
	select {
	case <-bounded.Done():
	case <-ctx.Done():
	}
}

// pause waits for d, until woken, or until ctx ends: only then it returns an error.
func pause(ctx context.Context, d time.Duration, woken <-chan struct{}) error {
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

// jittered is between 75 and 125 % of d, so that waiters do not all look at once.
func jittered(d time.Duration) time.Duration {
	return d*3/4 + mrand.N(d/2+1)
}
