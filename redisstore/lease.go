package redisstore

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/lease"
)

// acquire waits until it has key's lock, and returns the record read in the same step.
func (s *Store) acquire(ctx context.Context, key string) (*lease.Lease, revision, error) {
	n, holder := s.names(key), rand.Text()
	woken, forget := s.waiters.Add(n.tag)
	defer forget()
	for {
		if err := s.listener.settle(ctx); err != nil {
			return nil, revision{}, err
		}
		l := s.leaseOf(n, holder)
		found, busy, err := s.try(ctx, n, holder)
		held := busy == 0
		if held && err == nil {
			held, err = l.Taken(ctx)
		}
		if err != nil {
			l.GiveBack(ctx) // the command may have arrived all the same
			return nil, revision{}, err
		}
		if held {
			return l, found, nil
		}
		if err := lease.Pause(ctx, min(busy, lease.Jittered(s.poll)), woken); err != nil {
			return nil, revision{}, fmt.Errorf("another process holds it: %w", err)
		}
	}
}

// leaseOf is the lease that holder is about to ask for.
func (s *Store) leaseOf(n names, holder string) *lease.Lease {
	return &lease.Lease{
		Length: s.lease,
		Until:  time.Now().Add(s.lease),
		Renew: func(ctx context.Context) (kept bool, err error) {
			n, err := renewScript.Run(ctx, s.rdb, []string{n.lock}, holder, s.lease.Milliseconds()).Int()
			return n == 1, err
		},
		Release: func(ctx context.Context) error {
			return unlockScript.Run(ctx, s.rdb, []string{n.lock}, holder, s.listener.channel, n.tag).Err()
		},
	}
}

// try takes the lock if it is free, or says how long its holder's lease lasts.
func (s *Store) try(ctx context.Context, n names, holder string) (found revision, busy time.Duration, err error) {
	reply, err := lockScript.Run(ctx, s.rdb, []string{n.record, n.lock}, holder, s.lease.Milliseconds()).Slice()
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
