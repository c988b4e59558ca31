package silentrefresh

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/pace"
	"github.com/silentrefresh/silentrefresh/internal/record"
)

// save writes r down.
func (c *Client) save(r *record.Record, save func([]byte) error) (err error) {
	defer func() {
		if p := recover(); p != nil { // what the exchange gave must not be lost with it
			err = fmt.Errorf("the store panicked with a %T", p)
		}
	}()
	if c.cfg.Store == nil {
		return nil
	}
	b, err := r.Encode(c.cfg.MemoryOnly)
	if err != nil {
		return err
	}
	return save(b)
}

// locked runs fn under the record's lock. It waits as long as something happens there: when nobody has saved
// anything for longer than an exchange may take, it gives up, and says what it waited for.
func (c *Client) locked(ctx context.Context, fn func(ctx context.Context, old []byte, save func([]byte) error) error) error {
	return c.lockedUnless(ctx, nil, fn)
}

// errSettled ends a wait for the lock that is not needed any more.
var errSettled = errors.New("silentrefresh: what the lock was wanted for is settled")

// lockedUnless is locked, and gives up with errSettled when the record has become one that settles the matter. So of
// many who wait for one refresh, not each needs the lock in turn to see what came of it.
func (c *Client) lockedUnless(ctx context.Context, settles func(record []byte) bool, fn func(ctx context.Context, old []byte, save func([]byte) error) error) error {
	if c.cfg.Store == nil {
		return c.store.Update(ctx, c.key, fn)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := &watch{c: c, ctx: ctx, giveUp: cancel, settles: settles, changed: time.Now()}
	w.start()
	defer w.stop()
	ran := false
	err := c.store.Update(ctx, c.key, func(ctx context.Context, old []byte, save func([]byte) error) error {
		ran = true
		w.stop()
		return fn(ctx, old, save)
	})
	if !ran && context.Cause(ctx) == errSettled {
		return errSettled
	}
	return err
}

// watch looks at a record while somebody waits for its lock: once a second, and when a Store that can tell says that
// the lock was set free.
type watch struct {
	c       *Client
	ctx     context.Context
	giveUp  context.CancelCauseFunc
	settles func([]byte) bool // nil: nothing does

	mu      sync.Mutex
	timer   *time.Timer
	forget  func() // ends what the Store tells; nil if it tells nothing
	done    bool
	said    bool
	last    string
	changed time.Time
}

func (w *watch) start() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(time.Second, w.tick)
	if s, ok := w.c.store.(interface {
		WhenFree(key string, call func()) (forget func())
	}); ok && w.settles != nil {
		w.forget = s.WhenFree(w.c.key, w.look)
	}
}

func (w *watch) stop() {
	w.mu.Lock()
	forget := w.forget
	w.done, w.forget = true, nil
	w.timer.Stop()
	w.mu.Unlock()
	if forget != nil {
		forget()
	}
}

// look looks at the record.
func (w *watch) look() {
	now, err := w.c.store.Load(w.ctx, w.c.key)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done || err != nil || string(now) == w.last {
		return
	}
	w.last, w.changed = string(now), time.Now()
	if w.settles != nil && now != nil && w.settles(now) {
		w.giveUp(errSettled)
	}
}

// tick looks, and gives up where nothing happens.
func (w *watch) tick() {
	w.look()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done || w.ctx.Err() != nil {
		return
	}
	waited, most := time.Since(w.changed), w.c.cfg.Timeout+5*time.Second
	if waited > most {
		w.giveUp(fmt.Errorf("another process has held the session's lock for %s without saving anything; "+
			"if it hangs, end it", most))
		return
	}
	if !w.said {
		w.said = true
		w.c.warn(errors.New("waiting for another process to finish with the session"))
	}
	w.timer.Reset(time.Second)
}

// savedAs notes what the Store has of the session: r, or not r for a reason; then saving is tried again.
func (c *Client) savedAs(r *record.Record, unsaved error) {
	if unsaved != nil {
		c.notSaved(r, unsaved)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.book.unsaved, c.book.unsavedBy, c.book.unsaveds = nil, nil, 0
	c.book.saveDue = time.Time{}
}

func (c *Client) savedAll() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.book.unsaved == nil
}

// ahead reports whether mine is a login that the Store has not taken yet: whatever that has is older.
func (c *Client) ahead(mine *record.Record) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	u := c.book.unsaved
	return mine != nil && mine.Version == 1 && !mine.Handed && u != nil && u.Login == mine.Login
}

// notSaved keeps r in mind, to save it later.
func (c *Client) notSaved(r *record.Record, err error) {
	c.mu.Lock()
	b := &c.book
	b.unsaved, b.unsavedBy = r, err
	b.unsaveds++
	if !c.state.Load().closed() {
		b.saveDue = time.Now().Add(pace.Backoff(int(min(b.unsaveds, 4)), 0.5))
		c.arm()
	}
	first := b.unsaveds == 1
	c.mu.Unlock()
	if first {
		c.tell(Event{Kind: EventNotSaved, Err: fmt.Errorf("the session lives on in memory, and saving it is tried again: %w", err)})
	}
}

// saveAgain saves what the Store had refused, unless the Store has something newer by now.
func (c *Client) saveAgain(ctx context.Context) error {
	c.mu.Lock()
	r, st := c.book.unsaved, c.state.Load()
	c.mu.Unlock()
	if r == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	var ended error
	err := c.locked(ctx, func(_ context.Context, old []byte, save func([]byte) error) error {
		if outdated(r, old) {
			if theirs, err := record.Decode(old); err == nil {
				ended = c.displaced(r, theirs)
			}
			return nil
		}
		return c.save(r, save)
	})
	c.mu.Lock()
	stale := c.book.unsaved != r // saved with a later one, or logged out
	c.mu.Unlock()
	switch {
	case stale:
		return nil
	case err != nil:
		c.notSaved(r, err)
		return err
	}
	c.savedAs(r, nil)
	if ended != nil {
		c.end(st, r, ended, false)
		_ = c.revoke(ctx, r.Session) // nobody else has it
		return nil
	}
	c.tell(Event{Kind: EventSaved})
	return nil
}

// displaced says why mine must not live on beside what the Store has: somebody has logged out (theirs is nil), or into
// another account.
func (c *Client) displaced(mine, theirs *record.Record) error {
	switch {
	case theirs == nil:
		return overError("another process has logged out")
	case !record.SameAccount(theirs.Session, mine.Session):
		return overError("another account has logged in as session %q", c.name)
	}
	return nil
}

// outdated reports whether the Store has something else by now than what r was made from. A first version is made
// from nothing: it replaces what was there when its login began.
func outdated(r *record.Record, old []byte) bool {
	s, err := record.Decode(old)
	if r.Version == 1 && !r.Handed { // what has come of it meanwhile, or a later login, stays
		return err == nil && s != nil && r.Replaces != s.Login && (r.Replaces != "*" || s.Login == r.Login)
	}
	if err != nil || s == nil {
		return old != nil // unreadable, or logged out elsewhere
	}
	return s.Login != r.Login || s.Version > r.Version || s.Version == r.Version && !r.Handed
}

// saveLast is saveAgain for Close.
func (c *Client) saveLast(ctx context.Context) error {
	if err := c.saveAgain(ctx); err != nil {
		return fmt.Errorf("silentrefresh: the session could not be saved, and ends with this process: %w", err)
	}
	return nil
}

// lookAgain looks at the Store for a session while there is none here, once a second at most. It reports whether
// it found one.
func (c *Client) lookAgain(ctx context.Context) bool {
	if c.cfg.Store == nil {
		return false
	}
	c.mu.Lock()
	now := time.Now()
	due := now.Sub(c.book.looked) >= time.Second && !c.state.Load().closed()
	if due {
		c.book.looked = now
	}
	c.mu.Unlock()
	return due && c.look(ctx)
}

// look takes up the session that the Store has, if it is newer than what is known here. It reports whether it did.
func (c *Client) look(ctx context.Context) bool {
	st := c.state.Load()
	b, err := c.store.Load(ctx, c.key)
	var r *record.Record
	if err == nil {
		r, err = record.Decode(b)
	}
	switch mine := st.record; {
	case err != nil && ctx.Err() != nil:
		return false // who asked has left
	case err != nil:
		c.noSession(st, nil, fmt.Errorf("silentrefresh: the stored session could not be read: %w", err))
		return false
	case r == nil:
		c.noSession(st, nil, ErrNoSession)
		return false
	case r.Over != "":
		c.noSession(st, r, overError("%s", r.Over))
		return false
	case mine != nil && (!r.Newer(mine) || !record.SameAccount(r.Session, mine.Session)):
		return false
	case st.final && mine != nil && r.Login == mine.Login:
		return false // the flight that Logout waits for has saved it
	}
	if _, ok := c.publish(r, st.epoch, true); !ok {
		return false
	}
	c.tell(Event{Kind: EventResumed})
	c.tellRenewable()
	return true
}

// noSession says why there is none, where nothing better is known.
func (c *Client) noSession(old *state, r *record.Record, why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.Load() != old || old.err == nil || old.record != nil {
		return
	}
	st := *old
	st.err, st.record = why, r
	c.swap(&st)
}
