package lease

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// fake is a lease that is renewed while answer says so.
func fake(answer func() (bool, error), released *atomic.Int32) *Lease {
	return &Lease{
		Length:  9 * time.Second,
		Until:   time.Now().Add(9 * time.Second),
		Renew:   func(context.Context) (bool, error) { return answer() },
		Release: func(context.Context) error { released.Add(1); return nil },
	}
}

func TestKeepTellsWhenTheLeaseIsLost(t *testing.T) {
	away := errors.New("the engine is away")
	renewals := 0
	renewedTwice := func() (bool, error) {
		if renewals++; renewals > 2 {
			return false, away
		}
		return true, nil
	}
	for name, c := range map[string]struct {
		answer func() (bool, error)
		cause  error
		after  time.Duration
	}{
		"taken":   {func() (bool, error) { return false, nil }, ErrTaken, 3 * time.Second},
		"ran out": {func() (bool, error) { return false, away }, ErrRanOut, 9 * time.Second},
		"late":    {renewedTwice, ErrRanOut, 15 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var released atomic.Int32
				ctx, lost := context.WithCancelCause(t.Context())
				start := time.Now()
				release := fake(c.answer, &released).Keep(ctx, lost)
				<-ctx.Done()
				if took := time.Since(start); took != c.after || context.Cause(ctx) != c.cause {
					t.Errorf("lost after %v: %v", took, context.Cause(ctx))
				}
				release()
				if released.Load() != 1 {
					t.Error("it was not given back")
				}
			})
		})
	}
}

func TestALeaseThatWasTakenLateIsRenewedFirst(t *testing.T) {
	away := errors.New("the engine is away")
	for name, c := range map[string]struct {
		took     time.Duration
		kept     bool
		err      error
		held     bool
		renewals int
	}{
		"in time":           {2 * time.Second, true, nil, true, 0},
		"late":              {3 * time.Second, true, nil, true, 1},
		"over":              {time.Hour, true, nil, true, 1},
		"taken by another":  {time.Hour, false, nil, false, 1},
		"nobody knows":      {time.Hour, false, away, false, 1},
		"in time, unlooked": {2 * time.Second, false, away, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				renewals := 0
				l := fake(func() (bool, error) { renewals++; time.Sleep(time.Second); return c.kept, c.err }, nil)
				time.Sleep(c.took)
				held, err := l.Taken(t.Context())
				want := map[bool]error{true: nil, false: c.err}[c.held]
				if held != c.held || !errors.Is(err, want) || renewals != c.renewals {
					t.Errorf("held %v after %d renewals: %v", held, renewals, err)
				}
				if left := time.Until(l.Until); c.held && left < 6*time.Second {
					t.Errorf("%v are left of it", left)
				}
			})
		})
	}
}

func TestKeepRenewsUntilItIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var released atomic.Int32
		ctx, lost := context.WithCancelCause(t.Context())
		release := fake(func() (bool, error) { return true, nil }, &released).Keep(ctx, lost)
		time.Sleep(time.Hour + time.Second) // not just when it is renewed
		release()
		time.Sleep(time.Hour)
		if ctx.Err() != nil || released.Load() != 1 {
			t.Errorf("lost: %v; released %d times", context.Cause(ctx), released.Load())
		}
	})
}

// A Release that hangs holds nobody up for long.
func TestGiveBackIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &Lease{Release: func(ctx context.Context) error { <-ctx.Done(); return nil }}
		start := time.Now()
		l.GiveBack(t.Context())
		if took := time.Since(start); took != releaseWithin {
			t.Errorf("took %v", took)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		l.GiveBack(ctx)
		if took := time.Since(start); took != releaseWithin {
			t.Errorf("took %v with a context that had ended", took)
		}
		time.Sleep(releaseWithin) // it goes on in the background
	})
}

func TestWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w Waiters
		found := make(chan []string, 1)
		go func() {
			names, _, _ := w.Names(t.Context())
			found <- names
		}()
		synctest.Wait()
		mine, forget := w.Add("mine")
		other, forgetOther := w.Add("other")
		if names := <-found; len(names) == 0 {
			t.Error("nobody is waiting")
		}
		w.Wake("mine")
		w.Wake("mine")
		<-mine
		select {
		case <-mine:
			t.Error("woken twice")
		case <-other:
			t.Error("woken for another's lock")
		default:
		}
		forget()
		forgetOther()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if names, _, err := w.Names(ctx); err == nil {
			t.Errorf("%v still wait", names)
		}
	})
}

func TestCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w Waiters
		calls, proceed := 0, make(chan struct{})
		forget := w.Call("k", func() { calls++; <-proceed })
		for range 3 { // the second is remembered, the third says the same
			w.Wake("k")
			synctest.Wait()
		}
		if calls != 1 {
			t.Errorf("%d calls at a time", calls)
		}
		proceed <- struct{}{}
		synctest.Wait()
		if calls != 2 {
			t.Errorf("%d calls, want one for all that was missed", calls)
		}
		w.Wake("k")
		forget() // does not wait
		forget()
		close(proceed)
		synctest.Wait()
		if calls != 2 || len(w.byName) != 0 {
			t.Errorf("%d calls after it was forgotten; %d wait", calls, len(w.byName))
		}
	})
}
