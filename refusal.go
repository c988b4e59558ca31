package silentrefresh

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/record"
)

// This file is what a refresh does where it was not given the next session, or could not save it.

// refused keeps what a failed exchange changed, and ends the session if the refusal is definite.
func (t *refresh) refused(r *record.Record, s auth.Session, err error, save func([]byte) error) error {
	if t.c.loggedOutSince(t.st.epoch) {
		return errors.Join(errGone, save(nil)) // as keep does: what the Store has may be spent, and must not be found again
	}
	failure := asError(auth.KindRefresh, err)
	after := *r
	after.Session.Cookies = s.Cookies
	if !s.RefreshToken.IsZero() {
		after.Session.RefreshToken = s.RefreshToken
	}
	rotated := !sameCredential(after.Session, r.Session)
	if rotated {
		after.Version++
	}
	if failure.MaybeSpent && !after.Spent() {
		after.Spend(t.began)
	}
	if t.c.definite(failure) {
		failure.Interrupted = failure.Interrupted || r.Spent()
		return t.over(r, failure, save)
	}
	t.c.remember(&after, t.st.epoch)
	if err := t.c.save(&after, save); err != nil && rotated {
		t.c.notSaved(&after, t.st.epoch, err)
	}
	return failure
}

// over ends the session for everybody, unless somebody has renewed it past us meanwhile, or Credentials begin the
// next.
func (t *refresh) over(r *record.Record, failure *auth.Error, save func([]byte) error) error {
	if old, err := t.c.load(t.ctx); err == nil {
		if now, err := record.Decode(old); err == nil && now != nil && now.Newer(r) {
			if done, err := t.decide(old); done {
				return err
			}
		}
	}
	ended := &record.Record{Login: r.Login, Version: r.Version + 1, Over: reason(failure)}
	ended.Session.Subject, ended.Session.Account = r.Session.Subject, r.Session.Account
	ended.Session.Ends = failure.At
	if !errors.Is(failure, auth.ErrNotRenewable) { // which is our word, and perhaps that of our clock
		t.c.notesRefusal(r)
		if t.c.save(ended, save) == nil { // otherwise the others find out for themselves
			t.has = ended.Login
		}
	}
	if t.c.cfg.Credentials != nil {
		return t.logIn(r, save)
	}
	return failure
}

// reason is why a session is over, without the words that every such error has.
func reason(failure *auth.Error) string {
	return strings.TrimSuffix(strings.TrimPrefix(failure.Error(), "silentrefresh: the session is over: "), "; call Login")
}

// settleConflict is for a save that failed after the exchange, because somebody else had changed the record: the
// new session is saved if the record still carries what was given for it; else the record's is newer, and is adopted.
// It returns why the session is not saved: with ErrSessionOver, it must not live on here either. A session that loses
// is revoked, since nobody has it.
func (t *refresh) settleConflict(o *outcome, err error) (*outcome, error) {
	if !conflicted(err) {
		return o, err
	}
	var loses atomic.Bool
	err = t.c.locked(t.ctx, lockOptions{}, func(_ context.Context, old []byte, save func([]byte) error) error {
		r, err := record.Decode(old)
		if err != nil {
			return err
		}
		if old != nil {
			if err := t.c.displaced(o.record, r); err != nil {
				loses.Store(true)
				return err
			}
		}
		if r == nil || r.Over != "" || o.follows(r) {
			return t.keep(o, save)
		}
		loses.Store(r.Login != o.record.Login)
		t.outcome.Store(&outcome{record: r, adopted: true, kind: EventAdopted, response: o.response})
		return nil
	})
	if loses.Load() {
		_ = t.c.revoke(t.ctx, o.record.Session) // where that fails, it ends by itself
	}
	return t.outcome.Load(), err
}

// follows reports whether the outcome comes after r.
func (o *outcome) follows(r *record.Record) bool {
	if r.Login == o.record.Login {
		return r.Version < o.record.Version
	}
	return r.Login == o.from // Credentials have begun the next session after that
}

// failed records why a flight failed.
func (t *refresh) failed(err error) error {
	ev := t.event()
	ev.Err = err
	switch {
	case errors.Is(err, ErrClosed), errors.Is(err, errGone), errors.Is(err, errBusy), errors.Is(err, errTooSoon):
	case errors.Is(err, ErrNoSession):
		t.c.end(t.st, nil, ev, false)
	case errors.Is(err, ErrSessionOver):
		if failure, ok := errors.AsType[*auth.Error](err); ok && failure.Refused && !t.c.renewsItself(t.st.session()) && t.c.lastLeg(t.st, ev) {
			return err
		}
		t.c.end(t.st, t.st.record, ev, false)
	default:
		failure := asError(auth.KindRefresh, err)
		if failure.Op == auth.KindLogin && failure.Refused {
			// To try Credentials again would lock the account.
			ev.Err = fmt.Errorf("%w: Credentials were refused: %w", ErrSessionOver, failure)
			t.c.end(t.st, t.st.record, ev, true)
			return ev.Err
		}
		t.c.counted.failures.Add(1)
		t.c.failed(t.st.epoch, failure, ev)
		return failure
	}
	return err
}

// end latches: only a login helps, and if final no Credentials either. ev.Err is what requests get from now on.
func (s *session) end(from *state, r *record.Record, ev Event, final bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.state.Load()
	if old.epoch != from.epoch || old.closed() || old.err != nil && !final {
		return
	}
	s.backoff = nil
	s.swapLocked(&state{generation: old.generation, epoch: old.epoch, record: r, err: ev.Err, final: final, wall: never})
	s.armLocked()
	ev.Kind = EventOver
	s.emitLocked(ev)
}

// lastLeg lets the present token serve until it ends, after the auth server has refused to renew it: the session is over
// then. It reports false where there is no token that serves.
func (s *session) lastLeg(from *state, ev Event) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.state.Load()
	if st.epoch != from.epoch || st.generation != from.generation || !st.usable(time.Now()) {
		return false
	}
	last := *st
	last.deadEnd, last.ending, last.renewAt = ev.Err, true, time.Time{}
	s.backoff = nil
	s.swapLocked(&last)
	s.armLocked()
	ev.Kind = EventNotRenewable
	s.emitLocked(ev)
	return true
}

// A refusal names the version of a login that the auth server has refused for good. It may be the Store's, and newer than
// what is held here; and the Store need not have noted that it is over.
type refusal struct {
	login   string
	version uint64
}

// notesRefusal notes that r was refused for good.
func (s *session) notesRefusal(r *record.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusal = &refusal{r.Login, r.Version}
}

// refused reports whether r was refused for good, so that it is not presented again.
func (s *session) refused(r *record.Record) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refusal != nil && s.refusal.login == r.Login && r.Version <= s.refusal.version
}
