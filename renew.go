package silentrefresh

import (
	"context"
	"errors"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"golang.org/x/sync/singleflight"
)

// renew makes sure that there is a usable token of a later generation than seen, or that an exchange has completed
// since. However it is triggered, one flight at a time does the work, and all who ask meanwhile share it.
func (c *Client) renew(ctx context.Context, seen uint64, why Trigger) error {
	patience := c.patience(ctx)
	most := later(time.Now(), patience).Add(c.cfg.Timeout) // for one flight after the other, each of which hangs
	for joined := false; ; {
		wake := c.waker() // before we look, so that no change is missed
		st := c.state.Load()
		if st.ending && st.usable(time.Now()) {
			return st.deadEnd // the token serves until it ends
		} else if st.ending {
			c.end(st, st.record, Event{Err: st.deadEnd}, false)
			continue
		}
		if st.err != nil && c.lookAgain(ctx) {
			continue // another process has logged in
		}
		if st.err != nil && !c.mayLogIn(st) {
			return st.err
		}
		if st.generation > seen && (st.usable(time.Now()) || joined && st.header != nil && st.rejected == nil) {
			return nil // what has come may have ended; its flight has not landed yet, and the next one would be joined
		}
		if waited, err := c.pause(ctx, patience, wake); err != nil {
			if st := c.state.Load(); st.generation > seen && st.usable(time.Now()) {
				return nil // published since we looked
			}
			return err
		} else if waited {
			continue
		}
		waiting, cancel := ctx, context.CancelFunc(func() {})
		if joined && auth.Foreground(ctx) {
			waiting, cancel = context.WithDeadlineCause(ctx, most, errStillWaiting)
		}
		l, err := c.flight.join(waiting, wake, func() landing { return c.fly(ctx, seen, why) })
		cancel()
		joined = true
		switch {
		case err != nil:
			return err
		case !l.flew || l.from < seen || errors.Is(l.err, errTooSoon):
			continue // it was not for us, or something has changed
		case errors.Is(l.err, errBusy) && !auth.Foreground(ctx):
			c.comeBack(seen) // here and not in the flight: a timer may have joined a flight that had scheduled it already
			return l.err
		case l.err == nil || !transient(l.err):
			return l.err
		}
	}
}

// errStillWaiting: MaxWait and the deadline of an exchange have passed, and there is still no outcome.
var errStillWaiting = &auth.Error{Op: auth.KindRefresh, Unsent: true, Err: errors.New("one refresh after the other has been waited for"),
	Hint: "try again; if that does not help, look for a process that hangs with the session"}

// patience is until when a caller waits through a backoff; zero: not at all.
func (s *shared) patience(ctx context.Context) time.Time {
	if !auth.Foreground(ctx) || s.cfg.MaxWait < 0 {
		return time.Time{}
	}
	return time.Now().Add(s.cfg.MaxWait)
}

// pause waits until the next exchange may be made. When the caller's patience ends before, it says until when the
// exchange is postponed. It reports whether it has waited, so that things may have changed.
func (c *Client) pause(ctx context.Context, patience time.Time, wake <-chan struct{}) (waited bool, err error) {
	patient := time.Now().Before(patience)
	if patient {
		c.hasten()
	}
	until, failure := c.gate()
	switch {
	case until.IsZero():
		return false, nil
	case !patient:
		return false, postponed(failure, until)
	case until.After(patience):
		until = patience
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-wake:
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	return true, nil
}

// errTooSoon: an exchange now would be one more than the governor allows.
var errTooSoon = errors.New("the session has been refreshed as often lately as is good for a server")

// postponed says until when the next exchange has to wait: what failed last, or else that there were too many.
func postponed(failure *auth.Error, until time.Time) *auth.Error {
	e := &auth.Error{Op: auth.KindRefresh, Unsent: true, Err: errTooSoon}
	if failure != nil {
		last := *failure
		e = &last
	}
	e.Until = until
	return e
}

// fire is what the timer does.
func (c *Client) fire() {
	switch what, st := c.expire(); what {
	case saving:
		c.saveAgain(context.Background())
	case ending:
		c.end(st, st.record, Event{Err: st.deadEnd}, false)
	case renewing:
		defer c.done()
		why := TriggerTimer
		if st.adopted && !st.usable(time.Now()) {
			why = TriggerStart
		}
		c.renew(context.Background(), st.generation, why)
	}
}

// fly is one flight. It takes from the leader's ctx only whether somebody waits. It must not panic: what is not ours is
// guarded.
func (c *Client) fly(leader context.Context, seen uint64, why Trigger) landing {
	st := c.state.Load()
	if st.closed() {
		return landing{flew: true, from: st.generation, err: ErrClosed}
	}
	if st.generation > seen && st.usable(time.Now()) {
		return landing{} // published after we looked and before this flight began
	}
	if until, _ := c.gate(); !until.IsZero() {
		return landing{} // another flight has failed since we looked, or has used the budget up
	}
	ctx := context.Background()
	if auth.Foreground(leader) {
		ctx = auth.WithForeground(ctx)
	}
	t := &refresh{c: c, ctx: ctx, why: why, st: st, began: time.Now()}
	err := t.run()
	t.gone.Store(true)
	if err != nil {
		err = t.failed(err)
	}
	return landing{flew: true, from: st.generation, err: err}
}

// wait is renew for a caller that waits for a token: that is counted, and told.
func (c *Client) wait(ctx context.Context, seen uint64, why Trigger) error {
	w := Wait{Name: c.name, Trigger: why}
	over := c.observeWait(ctx, w)
	first, began := c.flightToJoin(), time.Now()
	w.Err = c.renew(ctx, seen, why)
	w.Refresh, w.Took = c.lastFlightSince(first), time.Since(began)
	if w.Err == nil || w.Took > time.Millisecond {
		c.counted.waitedFor(w.Took)
	}
	over(w)
	return w.Err
}

// usableState waits for a state that requests may be sent with, and that is of the account that first had.
func (c *Client) usableState(ctx context.Context, first *state) (*state, error) {
	ctx = auth.WithForeground(ctx)
	most := later(time.Now(), c.patience(ctx)).Add(c.cfg.Timeout)
	for again := range 3 { // what was waited for may have ended by the time it is looked at
		st := c.state.Load()
		if first.replacedBy(st) {
			return nil, overError("another account has logged in since")
		}
		if st.usable(time.Now()) {
			return st, nil
		}
		waiting, cancel := ctx, context.CancelFunc(func() {})
		if again > 0 {
			waiting, cancel = context.WithDeadlineCause(ctx, most, errStillWaiting)
		}
		err := c.wait(waiting, st.generation, TriggerExpired)
		cancel()
		if err != nil {
			return nil, err
		}
	}
	st := c.state.Load()
	if st.usable(time.Now()) {
		return st, nil
	}
	if st.err != nil {
		return nil, st.err
	}
	return nil, &auth.Error{Op: auth.KindRefresh, Err: errors.New("what the auth server gives is not usable when it comes"),
		Hint: "look at the lifetime of its tokens, and at this machine's clock"}
}

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

// errBusy ends a flight that nobody waits for, because as many exchanges run as may.
var errBusy = errors.New("silentrefresh: as many exchanges are running as MaxExchanges allows")

// slot waits until one more exchange may run, or the session is given up; where nobody waits for it, it does not wait either.
func (s *shared) slot(ctx context.Context, givenUp <-chan struct{}) (release func(), err error) {
	if s.slots == nil {
		return func() {}, nil
	}
	release = func() { <-s.slots }
	select {
	case s.slots <- struct{}{}:
		return release, nil
	default:
	}
	if !auth.Foreground(ctx) {
		return nil, errBusy
	}
	select {
	case s.slots <- struct{}{}:
		return release, nil
	case <-givenUp:
		return nil, errGone
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
