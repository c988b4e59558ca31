package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/lease"
)

const (
	// pollEvery is how often a waiter looks whether the lock is free although nothing woke it.
	pollEvery = 500 * time.Millisecond
	// listenAgainAfter is the pause before listening again after the connection broke.
	listenAgainAfter = time.Second
)

// acquire waits until holder has the lock of the session name, and returns the record read in the same step. It
// looks before it tries, so that waiting writes nothing.
func (s *Store) acquire(ctx context.Context, name, holder string) (*lease.Lease, revision, error) {
	woken, forget := s.waiters.Add(name)
	defer forget()
	for {
		_, busy, err := s.look(ctx, name)
		if err != nil {
			return nil, revision{}, err
		}
		if busy == 0 {
			l, found, err := s.try(ctx, name, holder)
			if err != nil || l != nil {
				return l, found, err
			}
			continue // somebody else was faster
		}
		if err := lease.Pause(ctx, min(busy, lease.Jittered(s.poll)), woken); err != nil {
			return nil, revision{}, fmt.Errorf("another process holds it: %w", err)
		}
	}
}

// try takes the lock if it is free; l is nil if it is not.
func (s *Store) try(ctx context.Context, name, holder string) (l *lease.Lease, found revision, err error) {
	var one int
	mine := []any{name, holder}
	timed := append(mine[:2:2], s.lease.Milliseconds())
	l = &lease.Lease{
		Length: s.lease,
		Until:  time.Now().Add(s.lease),
		Renew:  func(ctx context.Context) (bool, error) { return s.row(ctx, s.sql.renew, timed, &one) },
		Release: func(ctx context.Context) error {
			var one int
			_, err := s.row(ctx, s.sql.free, mine, &one)
			return err
		},
	}
	taken, err := s.row(ctx, s.sql.lock, timed, &found.version, &found.id, &found.data)
	if taken && err == nil {
		taken, err = l.Taken(ctx)
	}
	if err != nil {
		l.GiveBack(ctx) // the statement may have arrived all the same
		return nil, revision{}, err
	}
	if !taken {
		return nil, revision{}, nil
	}
	return l, found, nil
}

// listen has those who wait woken, until ctx ends. While it fails, they look by themselves.
func (s *Store) listen(ctx context.Context) {
	defer close(s.stopped)
	for ctx.Err() == nil {
		_ = s.engine.listen(ctx, &s.waiters)
		_ = lease.Pause(ctx, lease.Jittered(listenAgainAfter), nil)
	}
}
