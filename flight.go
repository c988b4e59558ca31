package silentrefresh

import (
	"context"

	"golang.org/x/sync/singleflight"
)

// A flight is what the refreshes of a session have in common, in the words of package singleflight: one is under way at a
// time, and whoever asks meanwhile joins it.
type flight struct {
	group *singleflight.Group
	key   string
}

// A landing is how a flight ended.
type landing struct {
	flew bool   // false if there was nothing to do
	from uint64 // the generation that the flight set out to replace
	err  error
}

// join waits for the flight that is under way, or starts one with fn. A caller whose ctx ends waits no longer, and none does
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

// beginFlight notes that a flight begins, and returns its number, and what is closed when the session is given up.
func (s *session) beginFlight() (no uint64, givenUp <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.schedule.flying = true
	s.refreshes++
	left := make(chan struct{})
	s.left = left
	if s.state.Load().closed() {
		s.giveUpLocked()
	}
	return s.refreshes, left
}

// flightToJoin is the number of the flight that is under way, or of the next.
func (s *session) flightToJoin() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.schedule.flying {
		return s.refreshes
	}
	return s.refreshes + 1
}

// lastFlightSince is the number of the last flight that has begun, if it is first or a later one; else 0.
func (s *session) lastFlightSince(first uint64) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refreshes < first {
		return 0
	}
	return s.refreshes
}

// endFlight notes that the flight has ended.
func (s *session) endFlight() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.schedule.flying, s.left = false, nil
	s.armLocked()
}

// giveUpLocked ends the wait of a flight that has not spent anything yet.
func (s *session) giveUpLocked() {
	if s.left != nil {
		close(s.left)
		s.left = nil
	}
}
