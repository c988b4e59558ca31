package silentrefresh

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/record"
	"github.com/silentrefresh/silentrefresh/internal/wall"
)

// renew makes sure that there is a usable token of a later generation than seen, or that an exchange has completed
// since. However it is triggered, one flight at a time does the work, and all who ask meanwhile share it.
func (c *Client) renew(ctx context.Context, seen uint64, why Trigger) error {
	patience := c.patience(ctx)
	for {
		wake := c.waker() // before we look, so that no change is missed
		st := c.state.Load()
		if st.err != nil && c.lookAgain(ctx) {
			continue // another process has logged in
		}
		if st.err != nil && !c.mayLogIn(st) {
			return st.err
		}
		if st.generation > seen && st.usable(time.Now()) {
			return nil
		}
		if paused, err := c.pause(ctx, patience, wake); err != nil {
			return err
		} else if paused {
			continue
		}
		l, err := c.flight.join(ctx, wake, func() landing { return c.fly(ctx, seen, why) })
		switch {
		case err != nil:
			return err
		case !l.flew || l.from < seen:
			continue // it was not for us, or something has changed
		case errors.Is(l.err, errBusy) && !auth.Foreground(ctx):
			c.comeBack(seen) // here and not in the flight: a timer may have joined a flight that had scheduled it already
			return l.err
		case l.err == nil || !transient(l.err):
			return l.err
		}
	}
}

// fly is one flight. It takes from the leader's ctx only whether somebody waits.
func (c *Client) fly(leader context.Context, seen uint64, why Trigger) landing {
	st := c.state.Load()
	if st.closed() {
		return landing{flew: true, from: st.generation, err: ErrClosed}
	}
	if st.generation > seen && st.usable(time.Now()) {
		return landing{} // published after we looked and before we took off
	}
	ctx := context.Background()
	if auth.Foreground(leader) {
		ctx = auth.WithForeground(ctx)
	}
	t := &trade{c: c, ctx: ctx, why: why, st: st, began: time.Now()}
	err := guard(func() error { return t.run() })
	if err != nil {
		err = t.fail(err)
	}
	return landing{flew: true, from: st.generation, err: err}
}

// errGone ends a flight whose session was logged out, replaced or closed before anything was spent.
var errGone = errors.New("silentrefresh: the session was given up while its refresh waited for the lock")

// transient reports whether err is worth another attempt.
func transient(err error) bool {
	return !errors.Is(err, ErrSessionOver) && !errors.Is(err, ErrNoSession) && !errors.Is(err, ErrClosed)
}

// A trade is what one flight does: it adopts the session that another process has saved, or trades the newest one
// known for the next, under the record's lock.
type trade struct {
	c     *Client
	ctx   context.Context // the flight's: nothing of a caller's
	why   Trigger
	st    *state // what the flight set out to replace
	began time.Time

	from     string         // the login that is traded in, or that Credentials replace
	got      *record.Record // the outcome
	adopted  bool
	kind     EventKind
	response auth.Response // the auth server's
	unsaved  error         // why got is not in the Store
}

func (t *trade) run() error {
	ctx, giveUp := context.WithCancelCause(t.ctx)
	defer giveUp(nil)
	t.c.untilGone(giveUp)
	defer t.c.untilGone(nil)
	release, err := t.c.slot(ctx)
	if err != nil {
		return err
	}
	defer release()
	t.began = time.Now()
	for {
		if old, err := t.c.store.Load(t.ctx, t.c.key); err == nil && old != nil {
			if done, err := t.decide(old); done { // reading needs no lock
				return t.finish(err)
			}
		}
		if err := t.c.lockedUnless(ctx, t.settledBy, t.underLock); err != errSettled {
			return t.finish(err)
		}
	}
}

// settledBy reports whether a record settles the matter without the network, and leaves t as it is.
func (t *trade) settledBy(record []byte) bool {
	probe := *t
	done, _ := probe.decide(record)
	return done
}

// finish publishes what the trade got.
func (t *trade) finish(err error) error {
	if t.got == nil && err == nil {
		err = errors.New("the store ended its Update without calling what it was given")
	}
	if t.got == nil {
		return err
	}
	if err != nil { // the lock was lost, or the Store failed after the exchange
		t.unsaved = t.settleConflict(err)
		if errors.Is(t.unsaved, ErrSessionOver) {
			return t.unsaved
		}
		if t.adopted {
			t.unsaved = nil
		}
	}
	t.c.savedAs(t.got, t.unsaved)
	took := time.Since(t.began)
	t.c.count(t.adopted, took)
	st, ok := t.c.publish(t.got, t.st.epoch, t.adopted)
	if !ok {
		return st.err // nil after another Login: its session serves
	}
	ev := Event{Kind: t.kind, Trigger: t.why, Response: t.response}
	if !t.adopted {
		ev.Took = took
	}
	if t.kind == EventUnchanged {
		t.c.unchanged(st, t.st.rejected)
	}
	t.c.tell(ev)
	return nil
}

// decide looks at what the Store has. It is done where that settles the matter without the network.
func (t *trade) decide(old []byte) (done bool, err error) {
	mine := t.st.record
	if t.st.err == nil && t.c.ahead(mine) {
		return false, nil
	}
	if len(old) == 0 { // a tombstone
		if t.st.err == nil && mine != nil {
			return true, t.c.displaced(mine, nil)
		}
		return false, nil
	}
	r, err := record.Decode(old)
	switch {
	case err != nil:
		return true, err
	case !r.Newer(mine):
		return false, nil
	case mine != nil && !record.SameAccount(r.Session, mine.Session):
		return true, t.c.displaced(mine, r)
	case r.Over != "":
		return t.c.cfg.Credentials == nil, overError("%s", r.Over)
	case !r.Session.AccessToken.IsZero() && (r.Session.Expires.IsZero() || timeLeft(r.Session, time.Now()) > 0):
		t.got, t.adopted, t.kind = r, true, EventAdopted
		return true, nil
	}
	return false, nil
}

// underLock is the trade proper.
func (t *trade) underLock(ctx context.Context, old []byte, save func([]byte) error) error {
	t.c.untilGone(nil)
	if st := t.c.state.Load(); st.epoch != t.st.epoch || st.closed() {
		return errGone // while we waited for the lock: nothing is spent
	}
	if old != nil {
		if done, err := t.decide(old); done {
			return err
		}
	}
	r, err := t.newest(old)
	if err != nil {
		return err
	}
	if r != nil {
		t.from = r.Login
	}
	if t.needsLogin(r) {
		return t.logIn(save)
	}
	if r == nil {
		return ErrNoSession
	}
	intent := *r
	if intent.Spending.IsZero() {
		intent.Spending = wall.Now()
	}
	if err := t.c.save(&intent, save); err != nil {
		return &auth.Error{Op: auth.KindRefresh, Unsent: true,
			Err: fmt.Errorf("the credential was not spent, because the store could not take what would come of it: %w", err)}
	}
	if err := ctx.Err(); err != nil {
		return &auth.Error{Op: auth.KindRefresh, Unsent: true, Err: context.Cause(ctx)}
	}
	return t.exchange(r, save)
}

// newest is the session to trade in: the Store's, or the one here where the Store has none or has lost a write.
func (t *trade) newest(old []byte) (*record.Record, error) {
	mine := t.st.record
	if t.st.err != nil {
		mine = nil
	}
	if t.c.ahead(mine) {
		return mine, nil
	}
	r, err := record.Decode(old)
	switch {
	case err != nil:
		return nil, err
	case r == nil:
		return mine, nil
	case mine == nil || r.Newer(mine), r.Version == mine.Version && !mine.Handed && !sameCredential(r.Session, mine.Session):
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

// exchange trades r in.
func (t *trade) exchange(r *record.Record, save func([]byte) error) error {
	jar := auth.NewJar(r.Session.Cookies...)
	before := jar.All()
	if now := time.Now(); r.Session.Expires.After(now) && t.st.record != nil && !r.Newer(t.st.record) && !t.st.fresh(now) {
		r = r.EndedAt(now) // by the wall clock: this machine has slept
	}
	s, err := t.c.exchange(t.ctx, auth.Grant{Kind: auth.KindRefresh, Old: r.Session}, jar)
	if err != nil {
		s.Cookies = restored(before, jar.All())
		return t.refused(r, s, err, save)
	}
	t.kind = EventRenewed
	t.response, s.Response = s.Response, auth.Response{}
	s = s.CarryForward(r.Session)
	if s.AccessToken.IsZero() {
		if r.Session.AccessToken.IsZero() || !(r.Session.Expires.IsZero() || timeLeft(r.Session, time.Now()) > 0) {
			return t.refused(r, s, errNoToken, save)
		}
		s.AccessToken, s.Issued, s.Expires = r.Session.AccessToken, r.Session.Issued, r.Session.Expires
		t.kind = EventUnchanged
	}
	return t.keep(r.With(s), save)
}

var errNoToken = &auth.Error{Op: auth.KindRefresh, Err: errors.New("the response has no access token"),
	Hint: "say where it is with Endpoint.AccessToken (access_token in the config file)"}

// keep saves what the exchange gave. After a Logout, which may not get the lock in its time, it leaves a tombstone:
// what the Store has is spent, and must not be found again.
func (t *trade) keep(r *record.Record, save func([]byte) error) error {
	t.got = r
	if st := t.c.state.Load(); st.epoch != t.st.epoch && st.final {
		return save(nil) // publish finds out, too, and leaves the rest to Logout
	}
	return t.c.save(r, save)
}
