package silentrefresh

import (
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/chance"
	"github.com/silentrefresh/silentrefresh/internal/pace"
	"github.com/silentrefresh/silentrefresh/internal/record"
)

// A session is what is known of one login, and all that changes. Requests read its state without a lock. Everything
// else is behind a mutex that only the methods of this type hold, and they do no I/O and call nobody: no method of a
// user's, no function that was given. What has changed is told by an event, which is queued under the mutex and
// delivered outside it, so that events are in the order of what happened.
type session struct {
	name   string
	policy *policy
	state  atomic.Pointer[state]
	used   atomic.Int64 // when the last request came, by the wall clock; kept only with an idle timeout
	dozing atomic.Bool  // no renewals until the next request

	mu         chance.Mutex // guards what follows, and every change of state
	backoff    *backoff     // nil while nothing fails
	budget     budget
	rejections rejections
	unsaved    *unsaved // nil while the Store has everything
	events     events
	schedule   schedule
	wake       chan struct{} // closed at the next change; nil while nobody waits for one
	left       chan struct{} // closed when the session is given up; nil while there is no flight
	refusal    *refusal      // the last one for good; nil: there was none
	logout     *logout       // the last one; nil: there was none
	refreshes  uint64        // that have begun, which gives each its number
	looked     time.Time     // when the Store was last looked at without a need
	stored     *string       // what the Store was given, or found to have, last, as record.LoginOf says it
}

// policy is what a session has to know of the Config.
type policy struct {
	renewBefore  time.Duration
	maxAge       time.Duration
	idleTimeout  time.Duration
	timeouts     auth.Timeouts // of the session, where no response says them
	maxWait      time.Duration
	hasStore     bool
	logsInAgain  bool // there are Credentials
	onlyWarnings bool // nobody wants to know about other events
}

// swapLocked replaces the state. Those who wait for a change look again.
func (s *session) swapLocked(st *state) {
	s.state.Store(st)
	s.wakeLocked()
}

// wakeLocked lets those who wait look again.
func (s *session) wakeLocked() {
	if s.wake != nil {
		close(s.wake)
		s.wake = nil
	}
}

// waker is closed at the next change of the state or of the backoff.
func (s *session) waker() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wake == nil {
		s.wake = make(chan struct{})
	}
	return s.wake
}

// publish makes next the present state if the epoch is still the one that it was made under, and schedules the next
// renewal. Otherwise it returns the state that came first, and false.
func (s *session) publish(next *state, epoch uint64, ev Event) (*state, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.state.Load()
	if old.epoch != epoch || old.closed() {
		return old, false
	}
	now := time.Now()
	next.generation, next.epoch = old.generation+1, old.epoch
	s.backoff = nil
	again := s.schedule.fruitless
	s.schedule.landed(ev.Kind == EventUnchanged)
	s.planLocked(next, old, now)
	if ev.Kind == EventUnchanged {
		s.unchangedLocked(next, old, again, now)
	}
	if next.adopted {
		s.storedLocked(next.record.Login)
	}
	s.swapLocked(next)
	s.armLocked()
	s.emitLocked(ev)
	return next, true
}

// unchangedLocked is for a refresh that gave no new token. If the API had rejected the present one, that is taken for a
// peculiarity of the endpoint: to refresh again at once would not help.
func (s *session) unchangedLocked(next, old *state, again bool, now time.Time) {
	if old.rejected != nil {
		s.rejections.blame(*old.rejected, next.generation, now)
	}
	left := timeLeft(next.session(), now)
	switch {
	case next.renewAt.IsZero():
	case next.wall == never:
		next.renewAt = now.Add(s.agingLocked())
	case again: // the server renews it no earlier than at its end, and perhaps in place
		next.renewAt = now.Add(max(pace.Floor, left))
	default:
		next.renewAt = now.Add(soon(left))
	}
}

// install is publish for a new login: it raises the epoch, so that nothing of the old session is published after. One of a
// crowd of logins spreads at once; a person who logs in alone sees the usual schedule first, since those who have done so
// in other processes can spread later.
func (s *session) install(next *state, epoch uint64, crowded bool, ev Event) (*state, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.state.Load()
	switch {
	case old.closed():
		return nil, ErrClosed
	case old.epoch != epoch:
		return nil, errOvertaken
	}
	next.generation, next.epoch = old.generation+1, old.epoch+1
	s.resetLocked()
	if ev.Kind == EventLoggedIn {
		s.budget = budget{} // somebody has logged in; a session that is only resumed again and again is governed as one
	}
	if ev.Kind == EventLoggedIn && !crowded {
		s.schedule.wide = 2
	}
	s.planLocked(next, old, time.Now())
	s.swapLocked(next)
	s.armLocked()
	s.emitLocked(ev)
	return next, nil
}

// errOvertaken: the session that a login was to replace is not the present one any more.
var errOvertaken = errors.New("silentrefresh: another Login or a Logout came first; this login was given up")

// resetLocked forgets everything about the session before but its budget.
func (s *session) resetLocked() {
	s.backoff, s.rejections, s.unsaved = nil, rejections{}, nil
	s.schedule.reset()
}

// leave is the first step of Logout: no request is sent with the session any more. It returns the state before.
func (s *session) leave() (*state, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.state.Load()
	if old.closed() {
		return nil, ErrClosed
	}
	s.giveUpLocked()
	s.resetLocked()
	s.logout = &logout{epoch: old.epoch + 1}
	st := &state{generation: old.generation, epoch: s.logout.epoch, err: errLoggedOut, final: true, wall: never}
	if old.record != nil {
		st.record = &record.Record{Login: old.record.Login, Replaces: old.record.Replaces}
	}
	s.swapLocked(st)
	s.armLocked()
	s.emitLocked(Event{Kind: EventLoggedOut})
	return old, nil
}

// shut closes for good. It reports false if somebody had done so.
func (s *session) shut() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.state.Load()
	if old.closed() {
		return false
	}
	s.giveUpLocked()
	st := *old
	st.err = ErrClosed
	s.swapLocked(&st)
	s.armLocked()
	return true
}

// missing says why there is no session, where nothing better is known than what old says.
func (s *session) missing(old *state, r *record.Record, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Load() != old || old.err == nil || old.record != nil {
		return
	}
	st := *old
	st.err, st.record = why, r
	s.swapLocked(&st)
}

// replace makes next, which was made of old, the present state, unless that has changed meanwhile. With a new token it
// is a new generation. What the Store lacks now is saved in a moment: no request waits for that.
func (s *session) replace(old, next *state, renewed bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Load() != old {
		return false
	}
	now := time.Now()
	next.generation, next.epoch = old.generation, old.epoch
	r := *next.record
	if s.unsaved == nil || old.record.Handed() {
		r.Replaces = record.HandedOut
	}
	next.record = &r
	if renewed {
		next.generation++
		s.schedule.wide = 0 // requests are what hands out tokens, and they do not come all at once
		s.planLocked(next, old, now)
		s.emitLocked(Event{Kind: EventHandedOut})
	} else {
		next.rejected, next.renewAt = old.rejected, old.renewAt
	}
	s.swapLocked(next)
	if s.policy.hasStore {
		s.unsaved = s.unsaved.change(&r, now)
	}
	s.armLocked()
	return true
}

// remember keeps r, which differs from the present record only in what renews it.
func (s *session) remember(r *record.Record, epoch uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.state.Load()
	if old.epoch != epoch || old.err != nil || old.record == nil || old.record.Login != r.Login {
		return
	}
	had := old.record.Session
	kept := *r
	kept.Session.AccessToken, kept.Session.Issued, kept.Session.Expires = had.AccessToken, had.Issued, had.Expires
	st := *old
	st.record = &kept
	s.state.Store(&st)
}

// toRevoke are the sessions that a Logout which left st ends: the newest version known of what was here, whether the
// Store has it or a flight has brought it in meanwhile; and another login of the account, where the Store has one.
func (s *session) toRevoke(st *state, theirs *record.Record) []*record.Record {
	s.mu.Lock()
	ours := st.record
	if s.logout.stray != nil {
		ours = s.logout.stray
	}
	s.logout.stray, s.logout.revoking = nil, true // what is revoked is not kept
	s.mu.Unlock()
	var all []*record.Record
	if theirs != nil && theirs.Newer(ours) {
		all = append(all, theirs)
	}
	if ours != nil && (len(all) == 0 || theirs.Login != ours.Login) {
		all = append(all, ours)
	}
	return slices.DeleteFunc(all, func(r *record.Record) bool {
		return r.Over != "" || r.Version == 0 // leave keeps only the login's name
	})
}

// dueLook reports whether the Store may be looked at once more without a need: once a second.
func (s *session) dueLook() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if now.Sub(s.looked) < time.Second || s.state.Load().closed() {
		return false
	}
	s.looked = now
	return true
}

// warnIfDeadEnd warns right after a login of what would otherwise be noticed at the first expiry.
func (s *session) warnIfDeadEnd() {
	if err := s.state.Load().deadEnd; err != nil && !s.policy.logsInAgain {
		s.tell(Event{Kind: EventNotRenewable, Err: err})
	}
}

// A logout is what a Logout has to know of those it does not wait for, and they of it.
type logout struct {
	epoch    uint64         // that it began
	stray    *record.Record // what a refresh has brought in since, until it is revoked: it is the newest
	revoking bool           // it looks for no stray any more
}

// since reports whether a Logout has ended the session of an epoch; nil stands for none.
func (l *logout) since(epoch uint64) bool { return l != nil && l.epoch > epoch }

// loggedOutSince reports whether a Logout has ended the session of that epoch, whatever has begun since: what comes of it
// now must not be found.
func (s *session) loggedOutSince(epoch uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logout.since(epoch)
}

// strays takes r, which a refresh of that epoch has brought in too late. It reports whether that is to be revoked by whoever
// brought it: nobody has it, and the Logout that ended the session does not wait for it any more.
func (s *session) strays(r *record.Record, epoch uint64) (revoke bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.logout.since(epoch):
		return false
	case s.logout.revoking:
		return true
	}
	s.logout.stray = r
	return false
}
