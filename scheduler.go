package silentrefresh

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/pace"
	"github.com/silentrefresh/silentrefresh/internal/retryafter"
	"github.com/silentrefresh/silentrefresh/internal/wall"
)

// schedule decides when st's token is renewed. c.mu is held.
func (c *Client) schedule(st *state) {
	b := &c.book
	s := st.session()
	b.renewDue = time.Time{}
	if st.err == nil && (st.renewable == nil || c.cfg.Credentials != nil) {
		now := time.Now()
		switch {
		case st.adopted && (st.header == nil || !st.fresh(now)):
			b.renewDue = now // it ended while nobody was here
		case st.header == nil:
			b.renewDue = now.Add(pace.Floor)
		case st.wall != never:
			b.renewDue = now.Add(c.delay(s, now))
		case c.cfg.MaxAge > 0:
			age := max(now.Sub(s.Issued), 0)
			b.renewDue = now.Add(c.cfg.MaxAge - time.Duration(rand.Float64()*0.1*float64(c.cfg.MaxAge)) - age)
		}
	}
	st.renewAt = b.renewDue
	c.arm()
}

// delay is how long to wait before s's token is renewed. It counts down to the renewal that is spread wide. c.mu is
// held.
func (c *Client) delay(s auth.Session, now time.Time) time.Duration {
	left := timeLeft(s, now)
	life := left
	if !s.Issued.IsZero() {
		life = max(s.Expires.Sub(s.Issued), left)
	}
	var due time.Duration
	if c.cfg.RefreshBefore > 0 {
		due = pace.WithMargin(life, c.cfg.RefreshBefore, rand.Float64())
	} else {
		due = pace.Renewal(life, c.book.slow, c.book.wide == 1, rand.Float64())
	}
	if wait := due - (life - left); wait > 0 {
		c.book.wide = max(c.book.wide-1, 0)
		return wait
	}
	return c.soon(left)
}

// soon is when to renew a token that should have been renewed already, or that a refresh has left as it was: half
// way to its end, so that a server that gives no new one yet is not asked over and over.
func (c *Client) soon(left time.Duration) time.Duration {
	return max(pace.Floor, time.Duration(float64(left)*(0.4+0.2*rand.Float64())))
}

// unchanged schedules st's token after a refresh that gave no new one. If the API had refused it, that is taken
// for a peculiarity of the API: to refresh again at once would not help.
func (c *Client) unchanged(st *state, wasRejected bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if wasRejected {
		c.blame(st)
	}
	if st.wall == never {
		return
	}
	c.book.renewDue = time.Now().Add(c.soon(timeLeft(st.session(), time.Now())))
	c.arm()
}

// arm sets the one timer to what is due first. c.mu is held.
func (c *Client) arm() {
	b := &c.book
	due := b.renewDue
	if due.IsZero() || !b.saveDue.IsZero() && b.saveDue.Before(due) {
		due = b.saveDue
	}
	if due.IsZero() {
		c.stopTimer()
		return
	}
	wait := min(max(time.Until(due), 0), pace.LongestDelay)
	if b.timer == nil {
		b.timer = time.AfterFunc(wait, c.fire)
		return
	}
	b.timer.Reset(wait)
}

// disarm forgets what is due. c.mu is held.
func (c *Client) disarm() {
	c.book.renewDue, c.book.saveDue = time.Time{}, time.Time{}
	c.stopTimer()
}

func (c *Client) stopTimer() {
	if c.book.timer != nil {
		c.book.timer.Stop()
	}
}

// fire is what the timer does.
func (c *Client) fire() {
	now := time.Now()
	c.mu.Lock()
	b := &c.book
	st := c.state.Load()
	save := !b.saveDue.IsZero() && !now.Before(b.saveDue)
	renew := !save && st.err == nil && !b.renewDue.IsZero() && !now.Before(b.renewDue)
	switch {
	case st.closed():
	case save:
		b.saveDue = time.Time{}
		c.arm() // the renewal is still due
	case renew && now.Before(b.until):
		b.renewDue, renew = b.until, false
		c.arm()
	case renew && c.idle(now):
		b.renewDue, renew = time.Time{}, false
		c.dozing.Store(true)
	case renew:
		b.renewDue = time.Time{}
	default:
		c.arm()
	}
	c.mu.Unlock()
	switch {
	case save:
		c.saveAgain(context.Background())
	case renew:
		why := TriggerTimer
		if st.adopted && !st.usable(now) {
			why = TriggerStart
		}
		c.renew(context.Background(), st.generation, why)
	}
}

// comeBack schedules a renewal that found no slot. A goroutine that queued for one would cost memory.
func (c *Client) comeBack(seen uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if st := c.state.Load(); st.err == nil && st.generation <= seen {
		c.book.renewDue = time.Now().Add(pace.Floor + time.Duration(rand.Float64()*float64(3*time.Second)))
		c.arm()
	}
}

// idle reports whether renewals in the background have to stop. c.mu is held.
func (c *Client) idle(now time.Time) bool {
	return c.cfg.IdleTimeout > 0 && wall.Of(now)-c.lastly.Load() > int64(c.cfg.IdleTimeout)
}

// touch notes that the session is in use. Only with IdleStop does anybody want to know.
func (c *Client) touch() {
	if c.cfg.IdleTimeout == 0 {
		return
	}
	c.lastly.Store(wall.Of(time.Now()))
	if c.dozing.Load() && c.dozing.CompareAndSwap(true, false) {
		c.mu.Lock()
		st := *c.state.Load() // others are reading that one
		c.schedule(&st)
		c.state.Store(&st)
		c.mu.Unlock()
	}
}

// settled forgets the failures. c.mu is held.
func (c *Client) settled() {
	b := &c.book
	b.failures, b.refused, b.until, b.pulled, b.failure, b.doubt = 0, time.Time{}, time.Time{}, false, nil, false
}

// failed schedules the next attempt after a failure that may pass.
func (c *Client) failed(epoch uint64, re *auth.Error, why Trigger) {
	now := time.Now()
	c.mu.Lock()
	st := c.state.Load()
	if st.epoch != epoch || st.closed() {
		c.mu.Unlock()
		return
	}
	b := &c.book
	b.failures++
	switch {
	case re.Until.IsZero():
		b.refused = time.Time{}
	case b.refused.IsZero():
		b.refused = now
	}
	var left time.Duration // for as long as the token serves on
	if st.usable(now) && st.wall != never {
		left = timeLeft(st.session(), now)
	}
	wait := pace.Backoff(int(b.failures), rand.Float64())
	switch {
	case !b.refused.IsZero():
		asked, refused, r := min(re.Until.Sub(now), retryafter.Longest), now.Sub(b.refused), rand.Float64()
		wait = pace.Postponed(asked, left, refused, r)
		b.early = wait - pace.PostponedFor(asked, refused, r)
	case left > 0: // try again before the token ends
		wait = min(wait, max(pace.Floor, left/2))
	}
	b.until, b.pulled, b.failure, b.wide = now.Add(wait), false, re, 1
	b.doubt = re.Doubtful
	if st.err == nil {
		b.renewDue = b.until
		c.arm()
	}
	ev := Event{Kind: EventRetrying, Trigger: why, Attempt: int(b.failures), Err: re, Next: b.until}
	c.wakeAll()
	c.mu.Unlock()
	c.counted.failures.Add(1)
	c.tell(ev)
}

// count counts a trade that succeeded, and learns how long one takes.
func (c *Client) count(adopted bool, took time.Duration) {
	if adopted {
		c.counted.adopted.Add(1)
		return
	}
	c.counted.refreshes.Add(1)
	c.mu.Lock()
	c.book.slow = max(took, c.book.slow-c.book.slow/8)
	c.mu.Unlock()
}

// patience is until when a caller waits through a backoff; zero: not at all.
func (c *Client) patience(ctx context.Context) time.Time {
	if !auth.Foreground(ctx) || c.cfg.MaxWait < 0 {
		return time.Time{}
	}
	return time.Now().Add(c.cfg.MaxWait)
}

// pause waits through a backoff, until the caller's patience ends: then it says until when the refresh is
// postponed. It reports whether it has waited, so that things may have changed.
func (c *Client) pause(ctx context.Context, patience time.Time, wake <-chan struct{}) (bool, error) {
	now := time.Now()
	c.mu.Lock()
	b := &c.book
	if !now.Before(b.until) {
		c.mu.Unlock()
		return false, nil
	}
	if !now.Before(patience) {
		err := b.postponed()
		c.mu.Unlock()
		return false, err
	}
	soon := now.Add(pace.Demanded(c.cfg.MaxWait, rand.Float64()))
	if !b.refused.IsZero() {
		soon = b.until.Add(-b.early)
	}
	if !b.pulled && b.until.After(soon) {
		b.until, b.pulled = soon, true
		if c.state.Load().err == nil {
			b.renewDue = soon // so that what Status announces is what happens
			c.arm()
		}
	}
	until := b.until
	c.mu.Unlock()
	if until.After(patience) {
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

// postponed is the last failure with the time of the next attempt.
func (b *book) postponed() error {
	re := *asRefreshError(auth.KindRefresh, b.failure)
	re.Until = b.until
	return &re
}
