package silentrefresh

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/pace"
	"github.com/silentrefresh/silentrefresh/internal/record"
	"github.com/silentrefresh/silentrefresh/internal/wall"
)

// A refresh is what one flight does: it adopts the session that another process has saved, or exchanges the newest one
// known for the next, under the record's lock.
type refresh struct {
	c     *Client
	ctx   context.Context // the flight's: nothing of a caller's
	why   Trigger
	st    *state // what the flight set out to replace
	began time.Time
	no    uint64 // its number

	has     string      // the login that the Store has, as record.LoginOf says it
	gone    atomic.Bool // the flight is over: a Store that is late spends nothing
	outcome atomic.Pointer[outcome]
}

// An outcome is the session that a refresh leads to.
type outcome struct {
	record   *record.Record
	from     string // the login that was exchanged, or that Credentials replace
	kind     EventKind
	adopted  bool
	response auth.Response // the auth server's
}

// errGone ends a flight whose session was logged out, replaced or closed before anything was spent.
var errGone = errors.New("silentrefresh: the session was given up while its refresh waited for the lock")

func (t *refresh) run() error {
	no, givenUp := t.c.beginFlight()
	defer t.c.endFlight()
	t.no = no
	release, err := t.c.slot(t.ctx, givenUp)
	if err != nil {
		return err
	}
	defer release()
	t.began = time.Now()
	for {
		if old, err := t.c.load(t.ctx); err == nil && old != nil {
			if done, err := t.decide(old); done { // reading needs no lock
				return t.finish(err)
			}
		}
		err := t.c.locked(t.ctx, lockOptions{settles: t.settledBy, givenUp: givenUp}, t.underLock)
		if err != errSettled {
			return t.finish(err)
		}
	}
}

// finish publishes the outcome.
func (t *refresh) finish(err error) error {
	o := t.outcome.Load()
	if o == nil {
		return err
	}
	unsaved := err
	if err != nil { // the lock was lost, or the Store failed after the exchange
		o, unsaved = t.settleConflict(o, err)
		if errors.Is(unsaved, ErrSessionOver) {
			return unsaved
		}
		if o.adopted {
			unsaved = nil
		}
	}
	t.c.savedAs(o.record, t.st.epoch, unsaved)
	ev := t.event()
	ev.Kind, ev.Response = o.kind, o.response
	if o.adopted {
		ev.Took = 0
		t.c.counted.adopted.Add(1)
	} else {
		t.c.counted.refreshes.Add(1)
		t.c.took(ev.Took)
	}
	st, ok := t.c.publish(t.c.stateOf(o.record, time.Now()).from(o), t.st.epoch, ev)
	if ok {
		return nil
	}
	if !o.adopted && t.c.strays(o.record, t.st.epoch) {
		_ = t.c.revoke(t.ctx, o.record.Session)
	}
	return st.err // nil after another Login: its session serves
}

// event begins the one that tells how the refresh ended.
func (t *refresh) event() Event {
	return Event{Trigger: t.why, Refresh: t.no, Took: time.Since(t.began)}
}

// from marks a state as what an outcome led to.
func (st *state) from(o *outcome) *state {
	st.adopted = o.adopted
	return st
}

// settledBy reports whether a record settles the matter without the network.
func (t *refresh) settledBy(stored []byte) bool {
	_, done, _ := t.judge(stored)
	return done
}

// decide looks at what the Store has. It is done where that settles the matter without the network.
func (t *refresh) decide(stored []byte) (done bool, err error) {
	o, done, err := t.judge(stored)
	if o != nil {
		t.outcome.Store(o)
	}
	return done, err
}

func (t *refresh) judge(stored []byte) (o *outcome, done bool, err error) {
	mine := t.st.record
	if t.st.err == nil && t.c.ahead(mine, stored) {
		return nil, false, nil
	}
	if len(stored) == 0 { // a tombstone
		if t.st.err == nil && mine != nil {
			return nil, true, t.c.displaced(mine, nil)
		}
		return nil, false, nil
	}
	r, err := record.Decode(stored)
	switch {
	case err != nil:
		return nil, true, err
	case !r.Newer(mine):
		return nil, false, nil
	case mine != nil && !record.SameAccount(r.Session, mine.Session):
		return nil, true, t.c.displaced(mine, r)
	case r.Over != "":
		return nil, t.c.cfg.Credentials == nil, &auth.Error{Op: auth.KindRefresh, Refused: true, Err: errors.New(r.Over)}
	case !r.Session.AccessToken.IsZero() && !t.c.state.Load().rejects(r.Session) && (r.Session.Expires.IsZero() || timeLeft(r.Session, time.Now()) > 0):
		return &outcome{record: r, adopted: true, kind: EventAdopted}, true, nil
	}
	return nil, false, nil
}

// underLock is the refresh proper.
func (t *refresh) underLock(ctx context.Context, old []byte, save func([]byte) error) error {
	if st := t.c.state.Load(); t.gone.Load() || st.epoch != t.st.epoch || st.closed() {
		return errGone // while we waited for the lock: nothing is spent
	}
	t.has = record.LoginOf(old)
	if old != nil {
		if done, err := t.decide(old); done {
			return err
		}
	}
	r, err := t.newest(old)
	if err != nil {
		return err
	}
	if t.needsLogin(r) {
		return t.logIn(r, save)
	}
	if r == nil {
		return ErrNoSession
	}
	if err := t.permit(r); err != nil {
		return err
	}
	if now := time.Now(); r.Session.Expires.After(now) && t.st.record != nil && !r.Newer(t.st.record) && !t.st.fresh(now) {
		r = r.EndedAt(now) // by the wall clock: this machine has slept
	}
	if err := t.c.saveIntent(ctx, r, save); err != nil {
		return err
	}
	if t.c.state.Load().epoch != t.st.epoch {
		return errGone // while the Store took its time
	}
	t.c.storeHas(r)
	t.has = r.Login
	return t.exchange(r, save)
}

// permit gets the governor's permission to exchange r, unless that is under way already.
func (t *refresh) permit(r *record.Record) error {
	if p := t.c.pending.Load(); p.of(r) {
		return nil
	}
	if held := t.st.session(); r.Session.AccessToken.IsZero() {
		return t.allowed(held) // each process has a token of its own
	}
	return t.allowed(r.Session)
}

// allowed waits a moment for the governor's permission to exchange a session. Where it takes longer, callers wait
// without the record's lock.
func (t *refresh) allowed(held auth.Session) error {
	for {
		until, ok := t.c.take(held)
		if ok {
			return nil
		}
		wait := time.Until(until)
		if wait > pace.Floor {
			return fmt.Errorf("%w: postponed until %s", errTooSoon, until.Format(time.TimeOnly))
		}
		time.Sleep(wait)
		if t.c.state.Load().epoch != t.st.epoch {
			return errGone // meanwhile
		}
	}
}

// saveIntent writes down that r is going to be spent, which proves that what comes of it can be saved.
func (s *storage) saveIntent(ctx context.Context, r *record.Record, save func([]byte) error) error {
	intent := *r
	if !intent.Spent() {
		intent.Spend(wall.Now())
	}
	if err := s.save(&intent, save); err != nil {
		return &auth.Error{Op: auth.KindRefresh, Unsent: true,
			Err: fmt.Errorf("the credential was not spent, because the store could not take what would come of it: %w", err)}
	}
	if ctx.Err() != nil {
		return &auth.Error{Op: auth.KindRefresh, Unsent: true, Err: context.Cause(ctx)}
	}
	return nil
}

// newest is the session to exchange: the Store's, or the one here where the Store has none or has lost a write.
func (t *refresh) newest(old []byte) (*record.Record, error) {
	mine := t.st.record
	if t.st.err != nil {
		mine = nil
	}
	if t.c.ahead(mine, old) {
		return mine, nil
	}
	r, err := record.Decode(old)
	switch {
	case err != nil:
		return nil, err
	case r == nil:
		return mine, nil
	case mine == nil || r.Newer(mine), r.Version == mine.Version && !mine.Handed() && !sameCredential(r.Session, mine.Session):
		return r, nil
	case r.Version < mine.Version && t.c.savedAll():
		t.c.warn(fmt.Errorf("the store has lost a write: it holds version %d of the session, and version %d is known here; going on with that", r.Version, mine.Version))
	}
	same := *mine // the Store's may lack what is only in memory
	if r.Version == mine.Version {
		same.Spending = r.Spending
	}
	return &same, nil
}

// exchange exchanges r for the next session.
func (t *refresh) exchange(r *record.Record, save func([]byte) error) error {
	s, err := t.c.refreshCall(t.ctx, r, t.st.epoch)
	if err != nil {
		s.Cookies = restored(r.Session.Cookies, s.Cookies)
		return t.refused(r, s, err, save)
	}
	o := &outcome{from: r.Login, kind: EventRenewed, response: s.Response}
	s.Response = auth.Response{}
	s = s.CarryForward(r.Session)
	if s.AccessToken.IsZero() {
		if r.Session.AccessToken.IsZero() || !(r.Session.Expires.IsZero() || timeLeft(r.Session, time.Now()) > 0) {
			return t.refused(r, s, errNoToken, save)
		}
		s.AccessToken, s.Issued, s.Expires = r.Session.AccessToken, r.Session.Issued, r.Session.Expires
	}
	if s.AccessToken.Equal(r.Session.AccessToken) && !s.Expires.After(r.Session.Expires) && !s.Ends.After(r.Session.Ends) {
		o.kind = EventUnchanged
	}
	o.record = r.With(s)
	return t.keep(o, save)
}

var errNoToken = &auth.Error{Op: auth.KindRefresh, Err: errors.New("the response has no access token"),
	Hint: "say where it is with Endpoint.AccessToken (access_token in the config file)"}

// keep saves what the exchange gave. After a Logout, which may not get the lock in its time, it leaves a tombstone:
// what the Store has is spent, and must not be found again.
func (t *refresh) keep(o *outcome, save func([]byte) error) error {
	t.outcome.Store(o)
	if t.c.loggedOutSince(t.st.epoch) {
		return save(nil) // publish finds out, too, and leaves the rest to Logout
	}
	err := t.c.save(o.record, save)
	switch {
	case err != nil && (o.record.Version > 1 || t.c.glance(t.ctx) != o.record.Login): // it may fail, and have saved
		return err
	case t.c.loggedOutSince(t.st.epoch):
		return save(nil) // a Logout did not wait for a save that took so long
	}
	saved, r := *o, *o.record // copies: whoever does not wait for this save has o
	r.Replaces = r.Login
	saved.record = &r
	t.outcome.Store(&saved)
	return err
}

// needsLogin reports whether only a login goes on from r, and may be done without a person.
func (t *refresh) needsLogin(r *record.Record) bool {
	return t.c.cfg.Credentials != nil && (r == nil || r.Over != "" || t.c.refused(r) || t.c.deadEnd(r.Session) != nil)
}

// logIn begins a new session with Credentials, after r.
func (t *refresh) logIn(r *record.Record, save func([]byte) error) error {
	o := &outcome{kind: EventLoggedIn}
	var held auth.Session
	if r != nil {
		o.from, held = r.Login, r.Session
	}
	if err := t.allowed(held); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(t.ctx, t.c.cfg.Timeout)
	defer cancel()
	credentials, err := t.c.credentials(ctx)
	if err != nil {
		return err
	}
	t.c.notesExchange()
	s, err := t.c.exchange(ctx, auth.Grant{Kind: auth.KindLogin, Credentials: credentials})
	if err != nil {
		return err
	}
	if s.AccessToken.IsZero() {
		return errNoToken
	}
	o.response, s.Response = s.Response, auth.Response{}
	o.record = record.New(s)
	o.record.Replaces = t.has
	return t.keep(o, save)
}
