package silentrefresh

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/lifetime"
	"github.com/silentrefresh/silentrefresh/internal/pace"
	"github.com/silentrefresh/silentrefresh/internal/record"
	"github.com/silentrefresh/silentrefresh/internal/wall"
)

// state is what the request path sees of the session: one immutable snapshot behind an atomic pointer.
type state struct {
	generation uint64 // counts the tokens that were published
	epoch      uint64 // counts logins and logouts: what began under another one is not published
	record     *record.Record
	err        error // why there is no session; nil if there is one
	final      bool  // logged out here: Credentials do not begin a new one

	header    []string  // the value of the header that carries the token, made once
	jar       *auth.Jar // the cookies that go to the API; nil for none
	mono      time.Time
	wall      int64 // the end by the wall clock; mono is the end by the monotonic one
	renewAt   time.Time
	renewable error // why nothing will renew the session; nil if something will
	rejected  bool  // the API has refused this generation
	adopted   bool  // it came from another process
}

const never = math.MaxInt64

// usable reports whether requests may be sent with this state's token: it is there, was not refused, and neither
// clock says that it has ended. The monotonic clock stands still while a laptop sleeps; the wall clock can be set.
func (st *state) usable(now time.Time) bool {
	return st.err == nil && !st.rejected && st.header != nil && st.fresh(now)
}

func (st *state) fresh(now time.Time) bool {
	return st.wall == never || wall.Of(now) < st.wall && now.Before(st.mono)
}

func (st *state) closed() bool { return st.err == ErrClosed }

func (st *state) session() auth.Session {
	if st.record == nil {
		return auth.Session{}
	}
	return st.record.Session
}

func (st *state) expires() time.Time {
	if st.wall == never || st.header == nil {
		return time.Time{}
	}
	return time.Unix(0, st.wall)
}

// stateOf is the next state after old: r published.
func (c *Client) stateOf(old *state, r *record.Record, now time.Time) *state {
	st := &state{generation: old.generation + 1, epoch: old.epoch, record: r, wall: never, renewable: c.renewable(r.Session)}
	token := r.Session.AccessToken.Reveal()
	if token == "" {
		return st
	}
	_, value := c.cfg.Attach.Value(token)
	st.header = []string{value}
	shared := *r // one copy of the token in memory, not two
	shared.Session.AccessToken = auth.NewSecret(value[len(value)-len(token):])
	st.record = &shared
	if c.cfg.Attach.Cookies || c.tokenCookie != "" {
		st.jar = auth.NewJar(r.Session.Cookies...)
	}
	if end := r.Session.Expires; !end.IsZero() {
		left := max(timeLeft(r.Session, now), 0)
		st.mono = now.Add(left)
		st.wall = wall.Of(now) + int64(left)
	}
	return st
}

// timeLeft is what is left of s's token: by the monotonic clock where s has its reading, else by the wall clock; and
// never more than its whole life, in case that clock was set back since.
func timeLeft(s auth.Session, now time.Time) time.Duration {
	end := s.Expires
	if least := s.Issued.Add(pace.ShortestLife); !s.Issued.IsZero() && end.Before(least) {
		end = least
	}
	left := end.Sub(now)
	if !s.Issued.IsZero() {
		left = min(left, end.Sub(s.Issued))
	}
	return min(left, lifetime.Longest)
}

// swap replaces the state. Those who wait for a change look again. c.mu is held.
func (c *Client) swap(st *state) {
	c.state.Store(st)
	c.wakeAll()
}

// wakeAll lets those who wait look again. c.mu is held.
func (c *Client) wakeAll() {
	if c.book.wake != nil {
		close(c.book.wake)
		c.book.wake = nil
	}
}

// waker is closed at the next change of the state or of the backoff.
func (c *Client) waker() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.book.wake == nil {
		c.book.wake = make(chan struct{})
	}
	return c.book.wake
}

// untilGone sets what a flight that waits for the lock is called off with, when the session is given up; nil: it
// waits no longer.
func (c *Client) untilGone(giveUp context.CancelCauseFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.book.giveUp = giveUp
	if st := c.state.Load(); giveUp != nil && st.closed() {
		giveUp(ErrClosed)
	}
}

// callOff ends the wait for the lock. c.mu is held.
func (c *Client) callOff(why error) {
	if c.book.giveUp != nil {
		c.book.giveUp(why)
		c.book.giveUp = nil
	}
}

// publish makes r's token the present one if the epoch is still the one that r was made under, and schedules the
// next renewal.
func (c *Client) publish(r *record.Record, epoch uint64, adopted bool) (*state, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.state.Load()
	if old.epoch != epoch {
		if old.final {
			c.book.stray = r // a Logout that waits for us revokes it
		}
		return old, false
	}
	if old.closed() {
		return old, false
	}
	st := c.stateOf(old, r, time.Now())
	st.adopted = adopted
	c.settled()
	c.schedule(st)
	c.swap(st)
	return st, true
}

// install is publish for a new login: it raises the epoch, so that nothing of the old session is published after.
func (c *Client) install(r *record.Record, epoch uint64, ev Event) (*state, error) {
	c.mu.Lock()
	old := c.state.Load()
	switch {
	case old.closed():
		c.mu.Unlock()
		return nil, ErrClosed
	case old.epoch != epoch:
		c.mu.Unlock()
		return nil, errors.New("silentrefresh: another Login or a Logout came first; this login was given up")
	}
	st := c.stateOf(old, r, time.Now())
	st.epoch++
	c.book = book{wide: 1, timer: c.book.timer, wake: c.book.wake, giveUp: c.book.giveUp}
	if ev.Kind == EventLoggedIn {
		c.book.wide = 2 // a person sees the usual schedule first, and a fleet that logs in together spreads later
	}
	c.schedule(st)
	c.swap(st)
	c.mu.Unlock()
	c.tell(ev)
	return st, nil
}

// end latches: only a login helps, and if final no Credentials either. err is what requests get from now on.
func (c *Client) end(from *state, r *record.Record, err error, final bool) {
	c.mu.Lock()
	old := c.state.Load()
	if old.epoch != from.epoch || old.closed() || old.err != nil && !final {
		c.mu.Unlock()
		return
	}
	c.settled()
	c.disarm()
	c.swap(&state{generation: old.generation, epoch: old.epoch, record: r, err: err, final: final, wall: never})
	c.mu.Unlock()
	c.tell(Event{Kind: EventOver, Err: err})
}

// leave is the first step of Logout: no request is sent with the session any more. It returns the state before.
func (c *Client) leave() (*state, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.state.Load()
	if old.closed() {
		return nil, ErrClosed
	}
	c.callOff(errGone)
	c.book = book{wide: 1, timer: c.book.timer, wake: c.book.wake}
	c.disarm()
	st := &state{generation: old.generation, epoch: old.epoch + 1, err: errLoggedOut, final: true, wall: never}
	if old.record != nil {
		st.record = &record.Record{Login: old.record.Login}
	}
	c.swap(st)
	return old, nil
}

// errLoggedOut is ErrNoSession after a Logout here: Credentials do not bring that session back.
var errLoggedOut = fmt.Errorf("%w: logged out", ErrNoSession)

// shut closes for good. It reports false if somebody had done so.
func (c *Client) shut() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.state.Load()
	if old.closed() {
		return false
	}
	c.callOff(ErrClosed)
	st := *old
	st.err = ErrClosed
	c.disarm()
	c.swap(&st)
	return true
}

// toRevoke are the sessions that a Logout which left st ends: the newest version known of what was here, whether the
// Store has it or a flight has brought it in meanwhile; and another login of the account, where the Store has one.
func (c *Client) toRevoke(st *state, stored []byte) []*record.Record {
	c.mu.Lock()
	ours := cmp.Or(c.book.stray, st.record)
	c.mu.Unlock()
	theirs, err := record.Decode(stored)
	var all []*record.Record
	if err == nil && theirs != nil && theirs.Newer(ours) {
		all = append(all, theirs)
	}
	if ours != nil && (len(all) == 0 || theirs.Login != ours.Login) {
		all = append(all, ours)
	}
	return slices.DeleteFunc(all, func(r *record.Record) bool {
		return r.Over != "" || r.Version == 0 // leave keeps only the login's name
	})
}

// ofAnother reports whether what the Store has belongs to another account than mine.
func ofAnother(stored []byte, mine *record.Record) bool {
	r, err := record.Decode(stored)
	return err == nil && r != nil && mine != nil && !record.SameAccount(r.Session, mine.Session)
}

// reject records that the API refused a generation. It reports whether a renewal may follow: not while rejections
// are taken for an endpoint's own peculiarity.
func (c *Client) reject(generation uint64) bool {
	c.mu.Lock()
	st := c.state.Load()
	if st.err != nil || st.generation != generation || st.rejected {
		c.mu.Unlock()
		return true
	}
	now := time.Now()
	if c.book.level > 0 {
		// Not marked: other requests go on with the token, which is fine as far as they can tell.
		allowed := !now.Before(c.book.quiet)
		c.mu.Unlock()
		return allowed
	}
	marked := *st
	marked.rejected = true
	c.swap(&marked)
	c.mu.Unlock()
	c.tell(Event{Kind: EventRejected})
	return true
}

// mark makes a generation unusable.
func (c *Client) mark(generation uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if st := *c.state.Load(); st.err == nil && st.generation == generation && !st.rejected {
		st.rejected = true
		c.swap(&st)
	}
}

// refusedAgain records that a replay with a fresh token was refused: further rejections renew only every 1, 2, 4
// ... 60 s, until a replay succeeds.
func (c *Client) refusedAgain(generation uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	st := c.state.Load()
	if st.generation != generation || c.book.blamed == generation {
		return
	}
	c.book.blamed = generation
	c.blame(st)
}

// blame lengthens the gap between renewals that rejections ask for. c.mu is held.
func (c *Client) blame(st *state) {
	c.book.level++
	gap := min(time.Second<<min(c.book.level-1, 6), time.Minute)
	c.book.quiet = time.Now().Add(gap)
	if st.rejected {
		cleared := *st
		cleared.rejected = false
		c.swap(&cleared)
	}
}

// exonerate records that a replay succeeded: rejections mean what they say.
func (c *Client) exonerate() {
	c.mu.Lock()
	c.book.level, c.book.quiet = 0, time.Time{}
	c.mu.Unlock()
}
