package redisstore

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/silentrefresh/silentrefresh/internal/lease"
)

// noRetries is a client on w that gives up after one attempt.
func noRetries(e *engine, w *wire) *redis.Client {
	return e.client(w, func(o *redis.Options) { o.MaxRetries = -1 })
}

// holding starts an Update that holds key until the function it returns is called, which waits for its end.
func holding(t *testing.T, s *Store, key string) (release func()) {
	t.Helper()
	held, end, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- s.Update(t.Context(), key, func(context.Context, []byte, func([]byte) error) error {
			close(held)
			<-end
			return nil
		})
	}()
	<-held
	return func() {
		close(end)
		must(t, <-ended)
	}
}

// entering starts an Update that does nothing, and says when it has had the lock and given it back.
func entering(t *testing.T, s *Store, key string) <-chan error {
	done := make(chan error, 1)
	go func() {
		done <- s.Update(t.Context(), key, func(context.Context, []byte, func([]byte) error) error { return nil })
	}()
	return done
}

func TestLeaseIsRenewedWhileItIsHeld(t *testing.T) {
	onEngines(t, func(t *testing.T, e *engine) {
		holder, waiter := e.store(), e.store()
		var entered <-chan error
		must(t, holder.Update(t.Context(), "k", func(ctx context.Context, _ []byte, save func([]byte) error) error {
			entered = entering(t, waiter, "k")
			select {
			case <-entered:
				t.Error("another Update came in")
			case <-ctx.Done():
				t.Error(context.Cause(ctx))
			case <-time.After(4 * e.lease):
			}
			return save([]byte("done"))
		}))
		must(t, <-entered)
		want(t, waiter, "k", "done")
	})
}

func TestF36_DeadHoldersLeaseRunsOut(t *testing.T) {
	onEngines(t, func(t *testing.T, e *engine) {
		s := e.store()
		start := time.Now() // before the lease starts
		must(t, e.rdb.SetNX(t.Context(), s.names("k").lock, "a process that was killed", e.lease).Err())
		must(t, <-entering(t, s, "k"))
		if took := time.Since(start); took < e.lease*9/10 || took > 3*e.lease {
			t.Errorf("the lock was had after %v, the lease is %v", took, e.lease)
		}
	})
}

func TestLostLeaseEndsTheContext(t *testing.T) {
	onEngines(t, func(t *testing.T, e *engine) {
		s := e.store()
		must(t, s.Update(t.Context(), "k", func(ctx context.Context, _ []byte, save func([]byte) error) error {
			e.drop(s, "k")
			<-ctx.Done()
			if cause := context.Cause(ctx); !errors.Is(cause, lease.ErrTaken) {
				t.Errorf("the cause is %v", cause)
			}
			return save([]byte("nobody else has saved"))
		}))
		want(t, s, "k", "nobody else has saved")
	})
}

// The bubble's clock makes this exact: the context ends with the lease, although Redis never responses again.
func TestUnreachableRedisEndsTheContextWithTheLease(t *testing.T) {
	inBubble(t, func(t *testing.T, e *engine) {
		w := &wire{}
		s := e.wired(w)
		put(t, s, "k", "first")
		err := s.Update(t.Context(), "k", func(ctx context.Context, _ []byte, save func([]byte) error) error {
			start := time.Now()
			w.set(true)
			<-ctx.Done()
			if took, cause := time.Since(start), context.Cause(ctx); took != e.lease || !errors.Is(cause, lease.ErrRanOut) {
				t.Errorf("the context ended after %v: %v", took, cause)
			}
			if err := save([]byte("second")); !errors.Is(err, errCut) || isConflict(err) {
				t.Errorf("save gave %v", err)
			}
			w.set(false)
			return save([]byte("second"))
		})
		must(t, err)
		want(t, s, "k", "second")
	})
}

// A lateLock has the response to the first request for the lock come late.
type lateLock struct {
	by   time.Duration
	once sync.Once
}

func (*lateLock) DialHook(next redis.DialHook) redis.DialHook { return next }

func (*lateLock) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (l *lateLock) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if len(cmd.Args()) > 1 && cmd.Args()[1] == lockScript.Hash() && err == nil {
			l.once.Do(func() { time.Sleep(l.by) })
		}
		return err
	}
}

// Whoever has waited for Redis longer than a lease lasts has a whole one.
func TestF38_TheWaitForRedisDoesNotCountAsLease(t *testing.T) {
	for _, by := range []time.Duration{5 * time.Second, 15 * time.Second} {
		inBubble(t, func(t *testing.T, e *engine) {
			rdb := e.client(&wire{})
			s := e.store(func(c *Config) { c.Client = rdb })
			put(t, s, "k", "value")
			rdb.AddHook(&lateLock{by: by})
			must(t, s.Update(t.Context(), "k", func(ctx context.Context, _ []byte, _ func([]byte) error) error {
				if left := e.rdb.PTTL(ctx, s.names("k").lock).Val(); left < e.lease*2/3 {
					t.Errorf("after %v, %v are left of the lease", by, left)
				}
				return context.Cause(ctx)
			}))
		})
	}
}

func TestReleaseOfOthersLockDoesNothing(t *testing.T) {
	onEngines(t, func(t *testing.T, e *engine) {
		late, other := e.store(), e.store()
		releaseLate := holding(t, late, "k")
		e.drop(late, "k")
		releaseOther := holding(t, other, "k")
		releaseLate()
		if n, err := e.rdb.Exists(t.Context(), other.names("k").lock).Result(); err != nil || n != 1 {
			t.Errorf("the other's lock is gone (%v)", err)
		}
		releaseOther()
	})
}

func TestF38_WaitersAreWokenAndDoNotPoll(t *testing.T) {
	onEngines(t, func(t *testing.T, e *engine) {
		holder, waiter := e.store(func(c *Config) { c.Lease = time.Minute }), e.store()
		waiter.poll = time.Hour
		must(t, <-entering(t, waiter, "warm-up")) // the listener has started
		release := holding(t, holder, "k")
		entered := entering(t, waiter, "k")
		e.waiting(waiter, "k")
		start := time.Now()
		release()
		must(t, <-entered)
		if took := time.Since(start); took > 5*time.Second { // in a bubble it is 0; a lease lasts a minute
			t.Errorf("woken after %v", took)
		}
	})
}

// waitingAt are the locks that somebody waits for.
func waitingAt(s *Store) []string {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	names, _, _ := s.waiters.Names(now)
	return names
}

// waiting returns once s waits for key's lock and hears of it.
func (e *engine) waiting(s *Store, key string) {
	e.t.Helper()
	for range 1000 {
		s.listener.mu.Lock()
		heard := s.listener.heard
		s.listener.mu.Unlock()
		if heard && slices.Contains(waitingAt(s), s.names(key).tag) {
			return
		}
		<-time.After(time.Millisecond)
	}
	e.t.Fatal("nobody waits")
}

func TestWaitersPollWhereNothingWakesThem(t *testing.T) {
	inBubble(t, func(t *testing.T, e *engine) {
		holder, waiter := e.store(), e.store()
		waiter.Close()
		release := holding(t, holder, "k")
		entered := entering(t, waiter, "k")
		<-time.After(time.Millisecond)
		start := time.Now()
		release()
		must(t, <-entered)
		if took := time.Since(start); took == 0 || took > 2*pollEvery {
			t.Errorf("had the lock after %v", took)
		}
	})
}

func TestWaitingEndsWithItsContext(t *testing.T) {
	onEngines(t, func(t *testing.T, e *engine) {
		holder, waiter := e.store(), e.store()
		release := holding(t, holder, "k")
		defer release()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		err := waiter.Update(ctx, "k", func(context.Context, []byte, func([]byte) error) error {
			t.Error("fn was called")
			return nil
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Update gave %v", err)
		}
		if left := waitingAt(waiter); len(left) != 0 {
			t.Errorf("%q are still waited for", left)
		}
	})
}

func TestPanicReleasesTheLock(t *testing.T) {
	onEngines(t, func(t *testing.T, e *engine) {
		s := e.store()
		func() {
			defer func() { recover() }()
			s.Update(t.Context(), "k", func(context.Context, []byte, func([]byte) error) error { panic("fn") })
		}()
		put(t, s, "k", "after")
	})
}
