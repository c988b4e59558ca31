package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/silentrefresh/silentrefresh/internal/lease"
	"github.com/silentrefresh/silentrefresh/sqlstore/sqlite"
)

func TestLeaseIsRenewedWhileItIsHeld(t *testing.T) {
	onEngines(t, func(t *testing.T, e *base) {
		holder, waiter := e.store(), e.store()
		var entered <-chan error
		must(t, holder.Update(t.Context(), "k", func(ctx context.Context, _ []byte, save func([]byte) error) error {
			entered = entering(t, waiter, "k")
			select {
			case <-entered:
				t.Error("another Update came in")
			case <-ctx.Done():
				t.Error(context.Cause(ctx))
			case <-time.After(3 * e.lease):
			}
			return save([]byte("done"))
		}))
		must(t, <-entered)
		want(t, waiter, "k", "done")
	})
}

// Whoever has waited for the database longer than a lease lasts, because somebody else was writing, has a whole lease.
func TestF38_TheWaitForTheDatabaseDoesNotCountAsLease(t *testing.T) {
	onEngines(t, func(t *testing.T, e *base) {
		s := e.store()
		put(t, s, "k", "value")
		unblock := e.block()
		time.AfterFunc(3*e.lease/2, unblock)
		must(t, s.Update(t.Context(), "k", func(ctx context.Context, _ []byte, _ func([]byte) error) error {
			return context.Cause(ctx)
		}))
	})
}

// A process that was stopped in the middle of a write keeps the file's lock for as long as nobody does anything about it.
func TestF38_AHungWriterIsSaid(t *testing.T) {
	e := newSQLite(t)
	put(t, e.store(), "k", "value")
	impatient, err := sql.Open("sqlite", "file:"+e.path+"?_pragma=busy_timeout(50)")
	must(t, err)
	defer impatient.Close()
	s := e.store(func(c *Config) { c.SQLite = impatient })
	unblock := e.block()
	err = <-entering(t, s, "k")
	if err == nil || !strings.Contains(err.Error(), "if it hangs, end it") {
		t.Errorf("Update gave %v", err)
	}
	want(t, s, "k", "value")
	unblock()
	must(t, <-entering(t, s, "k"))
}

// block lets nobody write until the function it returns is called, as somebody else's transaction does.
func (e *base) block() (unblock func()) {
	e.t.Helper()
	begin, db := "BEGIN IMMEDIATE", (*sql.DB)(nil)
	if e.url != "" {
		begin = "BEGIN; LOCK TABLE " + quoted(e.table) + " IN EXCLUSIVE MODE"
		db = stdlib.OpenDBFromPool(e.pool())
	} else {
		var err error
		db, err = sqlite.Open(e.path)
		must(e.t, err)
	}
	e.t.Cleanup(func() { db.Close() })
	conn, err := db.Conn(e.t.Context())
	must(e.t, err)
	_, err = conn.ExecContext(e.t.Context(), begin)
	must(e.t, err)
	return func() {
		_, err := conn.ExecContext(context.Background(), "ROLLBACK")
		if err := errors.Join(err, conn.Close()); err != nil {
			e.t.Error(err)
		}
	}
}

func TestLostLeaseEndsTheContext(t *testing.T) {
	onEngines(t, func(t *testing.T, e *base) {
		s := e.store()
		must(t, s.Update(t.Context(), "k", func(ctx context.Context, _ []byte, save func([]byte) error) error {
			s.drop(t, "k")
			<-ctx.Done()
			if cause := context.Cause(ctx); !errors.Is(cause, lease.ErrTaken) {
				t.Errorf("the cause is %v", cause)
			}
			return save([]byte("nobody else has saved"))
		}))
		want(t, s, "k", "nobody else has saved")
	})
}

func TestReleaseOfOthersLockDoesNothing(t *testing.T) {
	onEngines(t, func(t *testing.T, e *base) {
		late, other := e.store(), e.store()
		releaseLate := holding(t, late, "k")
		late.drop(t, "k")
		releaseOther := holding(t, other, "k")
		releaseLate()
		if _, busy, err := other.look(t.Context(), "k"); err != nil || busy == 0 {
			t.Errorf("the other's lock is gone (%v)", err)
		}
		releaseOther()
	})
}

// A clock that was set back, as a failover to another machine may do, must not make a dead holder's lease last.
func TestF36_LeaseEndsAlthoughTheClockWasSetBack(t *testing.T) {
	onEngines(t, func(t *testing.T, e *base) {
		s := e.store()
		put(t, s, "k", "value")
		s.exec(t, "UPDATE TABLE SET holder = 'a process that was killed', held_until = $1", time.Now().Add(time.Hour).UnixMilli())
		ctx, cancel := context.WithTimeout(t.Context(), 3*e.lease)
		defer cancel()
		must(t, s.Update(ctx, "k", func(context.Context, []byte, func([]byte) error) error { return nil }))
	})
}

func TestF38_WaitersAreWoken(t *testing.T) {
	onEngines(t, func(t *testing.T, e *base) {
		e.lease = time.Minute
		holder, waiter := e.store(), e.store()
		waiter.poll = time.Hour
		release := holding(t, holder, "k")
		entered := entering(t, waiter, "k")
		e.listening(waiter)
		start := time.Now()
		release()
		must(t, <-entered)
		if took := time.Since(start); took > 10*time.Second { // a lease lasts a minute
			t.Errorf("woken after %v", took)
		}
	})
}

// listening returns once s hears of locks that are set free.
func (e *base) listening(s *Store) {
	e.t.Helper()
	heard := make(chan struct{}, 1)
	defer s.WhenFree("to be heard", func() {
		select {
		case heard <- struct{}{}:
		default:
		}
	})()
	other := e.store()
	for range 100 {
		holding(e.t, other, "to be heard")()
		select {
		case <-heard:
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
	e.t.Fatal("nothing is heard")
}

func TestWaitersLookWhereNothingWakesThem(t *testing.T) {
	onEngines(t, func(t *testing.T, e *base) {
		e.lease = time.Minute
		holder, waiter := e.store(), e.store()
		must(t, waiter.Close())
		release := holding(t, holder, "k")
		entered := entering(t, waiter, "k")
		release()
		select {
		case err := <-entered:
			must(t, err)
		case <-time.After(10 * time.Second):
			t.Error("waits for the end of the lease")
		}
	})
}

// A pool of one connection serves many who wait, and the holder too.
func TestWaitingHoldsNoConnection(t *testing.T) {
	onEngines(t, func(t *testing.T, e *base) {
		s := e.store()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var all sync.WaitGroup
		must(t, s.Update(t.Context(), "k", func(held context.Context, _ []byte, save func([]byte) error) error {
			for range 20 {
				other := e.store(sharing(s))
				all.Go(func() {
					if err := other.Update(ctx, "k", addOne); !errors.Is(err, context.Canceled) {
						t.Errorf("Update gave %v", err)
					}
				})
			}
			for range 20 {
				must(t, save([]byte("value")))
				want(t, s, "k", "value")
			}
			cancel()
			all.Wait()
			return held.Err()
		}))
	})
}

// sharing makes a Store use the pool of s.
func sharing(s *Store) func(*Config) {
	return func(c *Config) {
		switch on := s.engine.(type) {
		case *onPostgres:
			c.Postgres = on.pool
		case *onSQLite:
			c.SQLite = on.db
		}
	}
}
