package silentrefresh

import (
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/chance"
	"github.com/silentrefresh/silentrefresh/internal/pace"
	"github.com/silentrefresh/silentrefresh/internal/wall"
)

// schedule is when a session's timer does something. What is due is derived from the state, the backoff, the budget
// and what is unsaved, whenever one of them has changed: there is no due time to forget.
type schedule struct {
	timer     *time.Timer
	fire      func()        // what the timer calls
	slow      time.Duration // the last exchange took
	wide      int32         // renewals until the one that is spread wide; 0: none will be
	fruitless bool          // the last exchange gave no new token
	renewing  bool          // the timer has fired for a renewal, which is under way
	fired     time.Time     // when it did so last
	flying    bool          // a flight is under way
	noSlot    time.Time     // no renewal by the timer before, since there was no slot for it; zero: there was
}

// reset is for a new login.
func (s *schedule) reset() {
	s.wide, s.fruitless, s.fired, s.noSlot = 1, false, time.Time{}, time.Time{}
}

// landed notes that an exchange has ended.
func (s *schedule) landed(fruitless bool) {
	s.fruitless, s.noSlot, s.renewing = fruitless, time.Time{}, false
}

// planLocked decides when st's token is renewed, which comes after old, and counts down to the renewal that is spread
// wide.
func (s *session) planLocked(st, old *state, now time.Time) {
	counts := s.planForTokenLocked(st, now)
	if s.planForEndLocked(st, old, now) || counts {
		s.schedule.wide = max(s.schedule.wide-1, 0)
	}
}

// planForTokenLocked has the token renewed in time for its end. It reports whether that is by the usual schedule.
func (s *session) planForTokenLocked(st *state, now time.Time) (usual bool) {
	st.renewAt = time.Time{}
	if st.err != nil || st.deadEnd != nil && !s.policy.logsInAgain {
		return false
	}
	held := st.session()
	switch {
	case st.adopted && (st.header == nil || !st.fresh(now)):
		st.renewAt = now // it ended while nobody was here
	case st.header == nil:
		st.renewAt = now.Add(pace.Floor)
	case st.wall != never:
		wait, usual := s.delayLocked(held, now)
		st.renewAt = now.Add(wait)
		return usual
	case s.policy.maxAge > 0:
		age := max(now.Sub(held.Issued), 0)
		st.renewAt = now.Add(s.agingLocked() - age)
		return true
	}
	return false
}

// planForEndLocked has the token renewed in time for the session's end, too, unless renewals do not move that.
func (s *session) planForEndLocked(st, old *state, now time.Time) (usual bool) {
	held, before := st.session(), old.session()
	absolute := !before.Ends.IsZero() && held.Ends.Sub(before.Ends).Abs() < pace.ShortestLife && st.generation > 1
	if held.Ends.IsZero() || absolute || st.header == nil || st.deadEnd != nil && !s.policy.logsInAgain {
		return false
	}
	held.Expires = held.Ends
	wait, usual := s.delayLocked(held, now)
	if due := now.Add(wait); st.renewAt.IsZero() || due.Before(st.renewAt) {
		st.renewAt = due
	}
	return usual
}

// agingLocked is after how long a token of unknown lifetime is renewed.
func (s *session) agingLocked() time.Duration {
	spread := 0.1
	if s.schedule.wide == 1 {
		spread = 0.9
	}
	return s.policy.maxAge - time.Duration(chance.Float64()*spread*float64(s.policy.maxAge))
}

// delayLocked is how long to wait before a token is renewed. It reports whether that is by the usual schedule, rather
// than soon.
func (s *session) delayLocked(held auth.Session, now time.Time) (wait time.Duration, usual bool) {
	left := timeLeft(held, now)
	life := left
	if !held.Issued.IsZero() {
		life = max(held.Expires.Sub(held.Issued), left)
	}
	var due time.Duration
	if s.policy.renewBefore > 0 {
		due = pace.WithMargin(life, s.policy.renewBefore, chance.Float64())
	} else {
		due = pace.Renewal(life, s.schedule.slow, s.schedule.wide == 1, chance.Float64())
	}
	if wait := due - (life - left); wait > 0 {
		return wait, true
	}
	return soon(left), false
}

// soon is when to renew a token that should have been renewed already, or that a refresh has left as it was: half
// way to its end, so that a server that gives no new one yet is not asked over and over.
func soon(left time.Duration) time.Duration {
	return max(pace.Floor, time.Duration(float64(left)*(0.4+0.2*chance.Float64())))
}

// renewalLocked is when the timer renews; zero: it does not.
func (s *session) renewalLocked(st *state) time.Time {
	due := st.renewAt
	if due.IsZero() { // of unknown lifetime: only what has begun is gone on with
		due = later(s.backoff.notBefore(), s.schedule.noSlot)
	}
	if st.err != nil || due.IsZero() || s.schedule.renewing || s.dozing.Load() {
		return time.Time{}
	}
	due = later(later(due, s.backoff.notBefore()), s.schedule.noSlot)
	if !s.schedule.fired.IsZero() {
		due = later(due, s.schedule.fired.Add(pace.Floor))
	}
	return later(due, s.allowedLocked(st.session(), due))
}

// allowedLocked is when the governor allows to exchange a session at the time now; zero: then.
func (s *session) allowedLocked(held auth.Session, now time.Time) time.Time {
	if s.freeLocked(held, now) {
		return s.budget.denied() // the Store's session may not be as free as ours
	}
	return s.budget.next()
}

// freeLocked reports whether an exchange draws on no budget. A token that a response says was issued long ago has lived
// only since it came.
func (s *session) freeLocked(held auth.Session, now time.Time) bool {
	held.Issued = later(held.Issued, s.budget.last)
	return !s.schedule.fruitless && halfLived(held, now)
}

// take asks the governor for one exchange of a session. If it may not be now, take returns until when it has to wait.
func (s *session) take(held auth.Session) (until time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.budget.take(now, s.freeLocked(held, now)) {
		return time.Time{}, true
	}
	return s.budget.next(), false
}

// notesExchange notes that the exchange which the governor has allowed begins.
func (s *session) notesExchange() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.budget.began(time.Now())
}

// halfLived reports whether a token has lived half its life. One of unknown lifetime never has.
func halfLived(held auth.Session, now time.Time) bool {
	if held.AccessToken.IsZero() || held.Issued.IsZero() || held.Expires.IsZero() {
		return false
	}
	life := held.Expires.Sub(held.Issued)
	if life < pace.ShortestLife {
		return false // it had ended when it came, and so will the next
	}
	return timeLeft(held, now) <= life/2 || !wall.Stamp(now).Before(wall.Stamp(held.Issued).Add(life))
}

// dueLocked is when the timer has something to do; zero: never.
func (s *session) dueLocked() time.Time {
	st := s.state.Load()
	if st.closed() {
		return time.Time{}
	}
	due := s.renewalLocked(st)
	if st.ending && st.wall != never {
		due = st.mono
	}
	if save := s.unsaved.dueAt(); due.IsZero() || !save.IsZero() && save.Before(due) {
		due = save
	}
	return due
}

// armLocked sets the one timer to what is due first.
func (s *session) armLocked() {
	due := s.dueLocked()
	t := &s.schedule
	if due.IsZero() {
		if t.timer != nil {
			t.timer.Stop()
		}
		return
	}
	wait := min(max(time.Until(due), 0), pace.LongestDelay)
	if t.timer == nil {
		t.timer = time.AfterFunc(wait, t.fire)
		return
	}
	t.timer.Reset(wait)
}

// A job is what the timer has to do.
type job int

const (
	nothing job = iota
	saving
	renewing
	ending
)

// expire is what is due now. A renewal is due again only after done.
func (s *session) expire() (job, *state) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, now := s.state.Load(), time.Now()
	what := nothing
	due := s.renewalLocked(st)
	switch {
	case st.closed():
	case s.unsaved != nil && !s.unsaved.due.IsZero() && !now.Before(s.unsaved.due):
		what, s.unsaved.due = saving, time.Time{}
	case st.ending && !st.fresh(now):
		what = ending
	case due.IsZero() || now.Before(due):
	case s.dozes(now):
	case s.movedLocked(st, now):
	default:
		what, s.schedule.renewing, s.schedule.fired = renewing, true, now
	}
	s.armLocked()
	return what, st
}

// movedLocked moves the session's end where requests have done so since, and reports whether that puts off its renewal:
// a session that ends after some idle time lives as long as it is used.
func (s *session) movedLocked(st *state, now time.Time) bool {
	if s.policy.timeouts.Idle == 0 || s.used.Load() == 0 {
		return false
	}
	used := now.Add(-time.Duration(wall.Of(now) - s.used.Load()))
	held := s.policy.timeouts.Used(st.session(), used)
	if !held.Ends.After(st.session().Ends) {
		return false
	}
	r := *st.record
	r.Session.Ends = held.Ends
	next := *st
	next.record = &r
	s.planLocked(&next, st, now)
	s.swapLocked(&next)
	return next.renewAt.After(now)
}

// done ends a renewal by the timer.
func (s *session) done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.schedule.renewing = false
	s.armLocked()
}

// idle reports whether renewals in the background have to stop.
func (s *session) idle(now time.Time) bool {
	return s.policy.idleTimeout > 0 && wall.Of(now)-s.used.Load() > int64(s.policy.idleTimeout)
}

// dozes puts an idle session to sleep, and reports whether it did. A request that came just now found it awake, so it is
// looked at once more.
func (s *session) dozes(now time.Time) bool {
	if !s.idle(now) {
		return false
	}
	s.dozing.Store(true)
	return s.idle(now) || !s.dozing.CompareAndSwap(true, false)
}

// touch notes that the session is in use. Only with an idle timeout does anybody want to know.
func (s *session) touch() {
	if s.policy.idleTimeout == 0 {
		return
	}
	s.used.Store(wall.Of(time.Now()))
	if s.dozing.Load() && s.dozing.CompareAndSwap(true, false) {
		s.mu.Lock()
		s.armLocked()
		s.mu.Unlock()
	}
}

// comeBack schedules a renewal that found no slot. A goroutine that queued for one would cost memory.
func (s *session) comeBack(seen uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.state.Load(); st.err == nil && st.generation <= seen {
		s.schedule.noSlot = time.Now().Add(pace.Floor + time.Duration(chance.Float64()*float64(3*time.Second)))
		s.armLocked()
	}
}

// took learns how long an exchange takes.
func (s *session) took(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.schedule.slow = max(d, s.schedule.slow-s.schedule.slow/8)
}

// hurry makes the next attempt due at once, since what an earlier one had asked for that login has come. Another process
// would present the spent credential otherwise, as soon as its own renewal is due.
func (s *session) hurry(login string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := *s.state.Load()
	if st.err != nil || st.record == nil || st.record.Login != login {
		return
	}
	st.renewAt = time.Now()
	s.state.Store(&st)
	if s.backoff != nil {
		s.backoff.until = st.renewAt
	}
	s.armLocked()
	s.wakeLocked()
}
