package silentrefresh

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/pace"
	"github.com/silentrefresh/silentrefresh/internal/record"
)

// savedAs notes what the Store has of the session of an epoch: r, or not r for a reason; then saving is tried again. What
// another login, which has come since, has to save is its own matter.
func (s *session) savedAs(r *record.Record, epoch uint64, unsaved error) {
	if unsaved != nil {
		s.notSaved(r, epoch, unsaved)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Load().epoch == epoch {
		s.unsaved = nil
		s.armLocked()
	}
}

// settled notes that r, which was to be saved, need not be any more, and tells what happened.
func (s *session) settled(r *record.Record, tell ...Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unsaved == nil || s.unsaved.record != r {
		return
	}
	s.unsaved = nil
	s.armLocked()
	for _, ev := range tell {
		s.emitLocked(ev)
	}
}

// hasBegun is told of a login that has been installed, and of the error of saving it.
func (s *session) hasBegun(st *state, saveErr error) {
	if saveErr != nil {
		s.notSaved(st.record, st.epoch, saveErr)
	}
	s.touch()
	s.warnIfDeadEnd()
}

// notSaved keeps r in mind, to save it later.
func (s *session) notSaved(r *record.Record, epoch uint64, err error) {
	ev := Event{Kind: EventNotSaved, Err: fmt.Errorf("the session lives on in memory, and saving it is tried again: %w", err)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.policy.hasStore || s.state.Load().epoch != epoch {
		return
	}
	s.unsaved = s.unsaved.failed(r, time.Now())
	s.armLocked()
	if s.unsaved.failures == 1 {
		s.emitLocked(ev)
	}
}

// storeHas notes that the Store has r after all: a login for which it took long, or the intent to spend what was not saved
// before. What the Store has later is newer than r.
func (s *session) storeHas(r *record.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.unsaved; u != nil && u.record.Login == r.Login && u.record.Version <= r.Version && !u.record.Handed() {
		s.unsaved = nil
		s.armLocked()
	}
}

// notesWrite notes what the Store is given. A Store may take it long after, when the next login has begun: that must not
// mistake it for what another process has saved since. A new version of what the Store has, old, is not noted: it may be of
// somebody's later login.
func (s *session) notesWrite(old, b []byte) {
	login := record.Tombstone
	if len(b) > 0 {
		login = record.LoginOf(b)
	}
	if login == record.LoginOf(old) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.storedLocked(login)
}

// storedLocked notes what the Store was given, or found to have: whatever begins here now is later.
func (s *session) storedLocked(login string) {
	if s.stored == nil || *s.stored != login {
		s.stored = &login
	}
}

// savedAll reports whether the Store has everything.
func (s *session) savedAll() bool { return s.unsavedRecord() == nil }

// toSave is what the Store lacks, nil if nothing, and the state whose it is.
func (s *session) toSave() (*record.Record, *state) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unsaved == nil {
		return nil, nil
	}
	return s.unsaved.record, s.state.Load()
}

// unsavedRecord is what the Store lacks, nil if nothing.
func (s *session) unsavedRecord() *record.Record {
	r, _ := s.toSave()
	return r
}

// ahead reports whether mine is a login that the Store has not taken yet, and what that has instead is older.
func (s *session) ahead(mine *record.Record, stored []byte) bool {
	if mine == nil || mine.Version != 1 || mine.Handed() {
		return false
	}
	r := s.unsavedRecord()
	return r != nil && r.Login == mine.Login && !s.outdated(r, stored)
}

// displaced says why mine must not live on beside what the Store has: somebody has logged out (theirs is nil), or into
// another account.
func (s *session) displaced(mine, theirs *record.Record) error {
	switch {
	case theirs == nil:
		return overError("another process has logged out")
	case !record.SameAccount(theirs.Session, mine.Session):
		return overError("another account has logged in as session %q", s.name)
	}
	return nil
}

// saveAgain saves what the Store had refused, unless the Store has something newer by now.
func (c *Client) saveAgain(ctx context.Context) error {
	r, st := c.toSave()
	if r == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	ended := make(chan error, 1)
	err := c.locked(ctx, lockOptions{}, func(_ context.Context, old []byte, save func([]byte) error) error {
		if c.unsavedRecord() != r {
			return nil // settled while we waited for the lock
		}
		if !c.outdated(r, old) {
			return c.save(r, save)
		}
		if theirs, err := record.Decode(old); err == nil {
			ended <- c.displaced(r, theirs)
		}
		return nil
	})
	if c.unsavedRecord() != r {
		return nil // saved with a later one, or logged out
	}
	if err != nil {
		c.notSaved(r, st.epoch, err)
		return err
	}
	select {
	case why := <-ended:
		if why != nil {
			c.settled(r)
			c.end(st, r, Event{Err: why}, false)
			_ = c.revoke(ctx, r.Session) // nobody else has it
			return nil
		}
	default:
	}
	c.settled(r, Event{Kind: EventSaved})
	return nil
}

// outdated reports whether the Store has something else by now than what r was made from.
func (s *session) outdated(r *record.Record, old []byte) bool {
	return outdated(r, old, s.lastStored())
}

// lastStored is the login that the Store was given here, or found to have, last, as record.LoginOf says it; "" for none.
func (s *session) lastStored() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stored == nil {
		return ""
	}
	return *s.stored
}

// outdated reports whether old is something else than what r was made from. A first version is made from nothing: it replaces
// what was there when its login began, and last, which is what the Store was given here, or found to have, last.
func outdated(r *record.Record, old []byte, last string) bool {
	if r.Version == 1 && !r.Handed() {
		switch has := record.LoginOf(old); has {
		case r.Login:
			return true // what has come of it meanwhile stays
		case record.Nothing, record.Unseen, r.Replaces:
			return false
		case last:
			return r.Replaces == r.Login // the Store had taken r before
		}
		return r.Replaces != record.Unseen // and so does a later login, or logout
	}
	s, err := record.Decode(old)
	if err != nil || s == nil {
		return old != nil // unreadable, or logged out elsewhere
	}
	return s.Login != r.Login || s.Version > r.Version || s.Version == r.Version && !r.Handed()
}

// lookAgain looks at the Store for a session while there is none here, once a second at most. It reports whether
// it found one.
func (c *Client) lookAgain(ctx context.Context) bool {
	return c.kept() && c.dueLook() && c.look(ctx)
}

// look takes up the session that the Store has, if it is newer than what is known here. It reports whether it did.
func (c *Client) look(ctx context.Context) bool {
	st := c.state.Load()
	b, err := c.load(ctx)
	var r *record.Record
	if err == nil {
		r, err = record.Decode(b)
	}
	switch mine := st.record; {
	case err != nil && ctx.Err() != nil:
		return false // who asked has left
	case err != nil:
		c.missing(st, nil, fmt.Errorf("silentrefresh: the stored session could not be read: %w", err))
		return false
	case r == nil:
		c.missing(st, nil, ErrNoSession)
		return false
	case r.Over != "":
		c.missing(st, r, overError("%s", r.Over))
		return false
	case c.refused(r):
		return false
	case mine != nil && (!r.Newer(mine) || !record.SameAccount(r.Session, mine.Session)):
		return false
	case st.final && mine != nil && (r.Login == mine.Login || r.Login == mine.Replaces || r.Login == c.lastStored()):
		return false // the flight that Logout waits for has saved it, or the logout could not be saved, or the login before it
	}
	next := c.stateOf(r, time.Now())
	next.adopted = true
	if _, ok := c.publish(next, st.epoch, Event{Kind: EventResumed}); !ok {
		return false
	}
	c.warnIfDeadEnd()
	return true
}

// conflicted reports whether err says that a record was changed by somebody else since it was read.
func conflicted(err error) bool {
	c, ok := errors.AsType[ConflictError](err)
	return ok && c.Conflict()
}

// unsaved is what the Store does not have. A session of which it has everything has nil.
type unsaved struct {
	record   *record.Record
	failures int32     // how often in a row the Store has refused to take it
	due      time.Time // when saving is tried again; zero: not by the timer
}

// dueAt is when saving is tried again; zero: it is not.
func (u *unsaved) dueAt() time.Time {
	if u == nil {
		return time.Time{}
	}
	return u.due
}

// failed notes that the Store did not take r.
func (u *unsaved) failed(r *record.Record, now time.Time) *unsaved {
	failures := int32(1)
	if u != nil {
		failures = u.failures + 1
	}
	return &unsaved{record: r, failures: failures, due: now.Add(pace.Backoff(int(min(failures, 4)), 0.5))}
}

// change notes that r is to be saved in a moment: one save for what comes within it.
func (u *unsaved) change(r *record.Record, now time.Time) *unsaved {
	due := u.dueAt()
	if due.IsZero() {
		due = now.Add(pace.Floor)
	}
	return &unsaved{record: r, due: due}
}
