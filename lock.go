package silentrefresh

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/record"
)

// storage is where a Client's record is. Its methods call the Store, so none of them is called under a mutex.
type storage struct {
	store    Store
	key      string
	settings *Config
}

// kept reports whether there is a Store at all, and something to write down.
func (s *storage) kept() bool { return s.settings.Store != nil }

// load reads the record, within the deadline of an exchange.
func (s *storage) load(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, s.settings.Timeout)
	defer cancel()
	return guarded(ctx, "the Store's Load", func() ([]byte, error) { return s.store.Load(ctx, s.key) }, nil)
}

// glance is the login that load reads, as record.LoginOf says it.
func (s *storage) glance(ctx context.Context) string {
	stored, err := s.load(context.WithoutCancel(ctx))
	if err != nil {
		return record.Unseen
	}
	return record.LoginOf(stored)
}

// save writes r down. What the exchange gave must not be lost because the Store panics.
func (s *storage) save(r *record.Record, save func([]byte) error) error {
	if !s.kept() {
		return nil
	}
	b, err := r.Encode(s.settings.MemoryOnly)
	if err != nil {
		return err
	}
	return shielded("the Store's save", func() error { return save(b) })
}

// errSettled ends a wait for the lock that is not needed any more.
var errSettled = errors.New("silentrefresh: what the lock was wanted for is settled")

// lockOptions say when a wait for the lock ends without it. The zero value: when nothing happens there any more.
type lockOptions struct {
	// settles reports whether a record settles what the lock is wanted for. So of many who wait for one refresh, not
	// each needs the lock in turn to see what came of it. nil: none does.
	settles func(stored []byte) bool
	// givenUp is closed when nobody wants the lock any more; nil: that does not happen.
	givenUp <-chan struct{}
	// clear clears away a record that cannot be read, because it is about to be replaced; nil: it stays.
	clear clearing
}

// A clearing clears away what the Store has under a record's key, and reports whether it did.
type clearing func(ctx context.Context, store Clearer) (cleared bool)

// setAside makes room for a login.
func (s *storage) setAside(warn func(error)) clearing {
	return func(ctx context.Context, store Clearer) (cleared bool) {
		aside, why, err := store.SetAside(ctx, s.key)
		if why == nil || err != nil {
			return false
		}
		warn(fmt.Errorf("what the Store had could not be read, and is set aside as %s: %w", aside, why))
		return true
	}
}

// warnOfUnread says that a login replaces what nobody understands.
func (s *session) warnOfUnread(old []byte) {
	if _, unread := record.Decode(old); unread != nil {
		s.warn(fmt.Errorf("what the Store had could not be read, and is replaced: %w", unread))
	}
}

// discarding makes room for a logout, and tells lost what nobody can revoke, because nobody can read it.
func (s *storage) discarding(lost chan<- error) clearing {
	return func(ctx context.Context, store Clearer) (cleared bool) {
		why, err := store.Discard(ctx, s.key)
		if why == nil || err != nil {
			return false
		}
		lost <- untold(why)
		return true
	}
}

// untold is the error of a logout that could not read what the Store had. It is nil where why is.
func untold(why error) error {
	if why == nil {
		return nil
	}
	return fmt.Errorf("silentrefresh: what the Store had could not be read, so that the auth server was not told; it is removed: %w", why)
}

// locked runs fn under the record's lock, once. Where that is not had because the record cannot be read, it is cleared away
// first, if that is what o says.
func (c *Client) locked(ctx context.Context, o lockOptions, fn UpdateFunc) error {
	refused, err := c.hold(ctx, o, fn)
	if !refused || o.clear == nil {
		return err
	}
	if store, can := c.store.(Clearer); can && c.cleared(ctx, o, store) {
		_, err = c.hold(ctx, o, fn)
	}
	return err
}

// cleared clears the record away, within the deadline of an exchange, and reports whether it did.
func (s *storage) cleared(ctx context.Context, o lockOptions, store Clearer) bool {
	ctx, cancel := context.WithTimeout(ctx, s.settings.Timeout)
	defer cancel()
	did, err := guarded(ctx, "the Store's clearing", func() (bool, error) { return o.clear(ctx, store), nil }, nil)
	return did && err == nil
}

// hold runs fn under the record's lock, and reports whether the Store refused to, of its own accord. It waits as long as
// something happens there: when nobody has saved anything for longer than an exchange may take, it gives up, and says what it
// waited for.
func (c *Client) hold(ctx context.Context, o lockOptions, fn UpdateFunc) (refused bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := &lockWait{client: c, ctx: ctx, cancel: cancel, settles: o.settles, changed: time.Now()}
	w.start(o.givenUp)
	defer w.stop()
	defer w.released()
	var ran atomic.Bool
	_, err = guarded(ctx, "the Store's Update", func() (struct{}, error) {
		return struct{}{}, c.store.Update(ctx, c.key, func(ctx context.Context, old []byte, save func([]byte) error) error {
			ran.Store(true)
			w.stop()
			defer func() { w.hangs.Store(w.hasTime("its Update")) }()
			return fn(ctx, old, func(b []byte) error {
				defer w.hasTime("save").Stop()
				c.notesWrite(old, b)
				return save(b)
			})
		})
	}, nil)
	if !ran.Load() && err == nil {
		return false, errors.New("the Store ended its Update without calling what it was given")
	}
	if !ran.Load() && errors.Is(context.Cause(ctx), errSettled) {
		return false, errSettled
	}
	if cause := context.Cause(ctx); !ran.Load() && cause != nil && errors.Is(err, errAbandoned) {
		return false, cause
	}
	return !ran.Load() && err != nil && ctx.Err() == nil, err
}

// A lockWait looks at a record while somebody waits for its lock: once a second, and when a Store that can tell says
// that the lock was released.
type lockWait struct {
	client  *Client
	ctx     context.Context
	cancel  context.CancelCauseFunc
	settles func([]byte) bool
	ended   sync.Once
	stopped chan struct{}
	hangs   atomic.Pointer[time.Timer] // ends the wait for a Store that has called back and does not return

	mu      sync.Mutex // guards what follows
	last    string
	changed time.Time
	said    bool
}

// start watches until stop.
func (w *lockWait) start(givenUp <-chan struct{}) {
	w.stopped = make(chan struct{})
	if !w.client.kept() && givenUp == nil {
		return
	}
	go w.watch(givenUp)
	if waker, ok := w.client.store.(Waker); ok && w.settles != nil {
		go w.listen(waker)
	}
}

// listen looks whenever the Store says that the lock was released. Nobody waits for a WhenFree that does not return.
func (w *lockWait) listen(waker Waker) {
	_ = shielded("the Store's WhenFree", func() error {
		forget := waker.WhenFree(w.client.key, w.look)
		defer forget()
		select {
		case <-w.stopped:
		case <-w.ctx.Done():
		}
		return nil
	})
}

func (w *lockWait) stop() { w.ended.Do(func() { close(w.stopped) }) }

// watch looks once a second, and ends the wait where nothing happens or nobody wants the lock any more.
func (w *lockWait) watch(givenUp <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-w.stopped:
			return
		case <-w.ctx.Done():
			return
		case <-givenUp:
			w.cancel(errGone)
			return
		case <-tick.C:
			w.look()
			w.judge()
		}
	}
}

// hasTime gives the Store as much time to return as an exchange has, until that is stopped. Then it is left behind.
func (w *lockWait) hasTime(from string) *time.Timer {
	return time.AfterFunc(w.client.cfg.Timeout, func() { w.cancel(fmt.Errorf("the Store does not return from %s", from)) })
}

// released ends what began when the Store had called back.
func (w *lockWait) released() {
	if timer := w.hangs.Load(); timer != nil {
		timer.Stop()
	}
}

// look looks at the record.
func (w *lockWait) look() {
	stored, err := w.client.load(w.ctx)
	if err != nil || !w.changes(stored) {
		return
	}
	if w.settles != nil && stored != nil && w.settles(stored) {
		w.cancel(errSettled)
	}
}

// changes reports whether the record is another one than at the last look.
func (w *lockWait) changes(stored []byte) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if string(stored) == w.last {
		return false
	}
	if record.LoginOf([]byte(w.last)) != record.LoginOf(stored) || record.VersionOf([]byte(w.last)) != record.VersionOf(stored) {
		w.changed = time.Now() // an intent to spend is not yet an outcome
	}
	w.last = string(stored)
	return true
}

// judge gives up where nothing happens.
func (w *lockWait) judge() {
	w.mu.Lock()
	waited, first := time.Since(w.changed), !w.said
	w.said = true
	w.mu.Unlock()
	if most := w.client.cfg.Timeout + 5*time.Second; waited > most {
		w.cancel(fmt.Errorf("the session's lock has been held for %s, and nothing was saved; "+
			"if another process hangs with it, end that", most))
		return
	}
	if first {
		w.client.warn(errors.New("waiting for another process to finish with the session"))
	}
}
