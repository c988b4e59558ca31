package silentrefresh

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/origin"
	"github.com/silentrefresh/silentrefresh/internal/record"
)

// A Client keeps one session alive. Make it with New; its methods are safe for concurrent use.
type Client struct {
	*shared
	session
	storage

	flight  flight
	pending atomic.Pointer[refreshCall] // the exchange that is under way
	counted counters
}

// New returns a Client for the session that the Store has under Config.Name, or for none yet. A session without a
// usable token is refreshed in the background at once. New reads the Store, and waits some
// 5 s for it at most. A Store that cannot be read does not fail New: requests look again, and fail with its error.
//
// The error names every mistake in cfg.
func New(cfg Config) (*Client, error) {
	s, err := newShared(cfg)
	if err != nil {
		return nil, err
	}
	c := s.client(s.cfg.Name)
	for _, o := range s.origins[2:] {
		if o.Scheme == "http" && !origin.Loopback((&url.URL{Host: o.Host}).Hostname()) {
			c.warn(fmt.Errorf("the token is sent to %s unencrypted, because Origins lists it", o))
		}
	}
	if !s.ownPool {
		c.warn(fmt.Errorf("auth calls share the connections of Config.Base, since a %T cannot be cloned; give AuthBase, too, "+
			"or a limit on connections can keep a refresh waiting", s.api))
	}
	return c, nil
}

// Fork returns a Client for another session on the same server: it has c's settings and shares its connections and
// its bound on exchanges, and keeps its own state. Where many log in together, their renewals are spread from the first
// on. Forks are closed one by one: closing c does not close them. name must be neither empty nor c's own. Two Forks of one
// name are two Clients, which share a session only through the Store.
func (c *Client) Fork(name string) (*Client, error) {
	switch {
	case c.state.Load().closed():
		return nil, ErrClosed
	case name == "" || name == c.name:
		return nil, errors.New("silentrefresh: Fork needs a name of its own: the session would be shared by accident")
	}
	if err := checkName(name); err != nil {
		return nil, fmt.Errorf("silentrefresh: Fork: %w", err)
	}
	return c.shared.client(name), nil
}

// client returns the Client for the session of that name, which takes up what the Store has.
func (s *shared) client(name string) *Client {
	c := &Client{shared: s, flight: flight{&s.flights, s.flightKey()}}
	c.name, c.policy = name, &s.sessionPolicy
	c.storage = storage{store: s.cfg.Store, key: s.storeKey(name), settings: &s.cfg}
	if !c.kept() {
		c.store = &s.none
	}
	c.schedule = schedule{fire: c.fire, wide: 1}
	c.events.deliver = s.deliver
	c.state.Store(&state{err: ErrNoSession, wall: never})
	c.touch()
	if c.kept() {
		c.start()
	}
	return c
}

// start takes up the session that the Store has.
func (c *Client) start() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if c.look(ctx); ctx.Err() != nil {
		c.missing(c.state.Load(), nil, errors.New("silentrefresh: the stored session could not be read within 5 s"))
	}
}

// StoreKey is the key under which the Store has the session: the whole BaseURL and the name.
func (c *Client) StoreKey() string { return c.key }

// Login exchanges credentials for a session, which replaces the present one. What credentials may be, the Exchanger
// says: Endpoint takes whatever marshals to a JSON object, a []byte that holds one, and url.Values. A failed Login leaves the present
// session as it is; the error is an *auth.Error where the auth server responded.
//
// A session that the Store cannot take is alive all the same: Login returns nil, EventNotSaved and Status.Saved say so,
// saving is tried again, and Close returns the error.
func (c *Client) Login(ctx context.Context, credentials any) error {
	st := c.state.Load()
	if st.closed() {
		return ErrClosed
	}
	ctx = auth.WithForeground(ctx)
	began := time.Now()
	s, err := c.exchange(ctx, auth.Grant{Kind: auth.KindLogin, Credentials: credentials})
	if err != nil {
		return asError(auth.KindLogin, err)
	}
	if err := c.deadEnd(s); s.AccessToken.IsZero() && err != nil {
		failure := *errNoToken
		failure.Op, failure.Err = auth.KindLogin, fmt.Errorf("the response has no access token where it was looked for, and nothing to get one with (%w)", err)
		return &failure
	}
	ev := Event{Kind: EventLoggedIn, Took: time.Since(began), Response: s.Response}
	s.Response = auth.Response{}
	return c.begin(ctx, st.epoch, record.New(s), ev)
}

// Resume takes up a session that exists already: a cookie, a refresh token or an access token that the caller
// brings. A refresh token that is not a cookie goes where Endpoint.Refresh says (RefreshTokenField). As a page does when
// it loads, Resume refreshes first. When that fails for now, Resume says so, and the session is kept and tried again;
// when it is refused, the session is over.
func (c *Client) Resume(ctx context.Context, s auth.Session) error {
	st := c.state.Load()
	if st.closed() {
		return ErrClosed
	}
	s, err := c.brought(s)
	if err != nil {
		return err
	}
	return c.begin(auth.WithForeground(ctx), st.epoch, record.New(s), Event{Kind: EventResumed})
}

// begin makes r the session, in the Store and here, unless a Logout or another Login came first. A session without
// a token, or one that was brought, is refreshed at once.
func (c *Client) begin(ctx context.Context, epoch uint64, r *record.Record, ev Event) error {
	next := c.stateOf(r, time.Now())
	crowded := ev.Kind == EventLoggedIn && c.logins.Join(time.Now(), cmp.Or(lifeOf(r.Session), c.cfg.MaxAge))
	var once sync.Once // the Store calls back, or is waited for no longer
	var begun atomic.Bool
	var installErr error
	install := func(replaces string) error {
		once.Do(func() {
			begun.Store(true)
			next.record.Replaces = replaces
			_, installErr = c.install(next, epoch, crowded, ev)
		})
		return installErr
	}
	saveErr := c.locked(ctx, lockOptions{clear: c.setAside(c.warn)}, func(_ context.Context, old []byte, save func([]byte) error) error {
		if begun.Load() {
			return errGone // the Store is late, and the session has begun without it
		}
		c.warnOfUnread(old)
		failure, replaces := c.save(r, save), record.LoginOf(old)
		if failure == nil || c.glance(ctx) == r.Login { // it may fail, and have saved
			replaces = r.Login // whatever Update returns: what the Store has instead from now on came later
			c.storeHas(r)      // for who did not wait for it
		}
		err := install(replaces)
		switch {
		case failure != nil:
			return failure
		case err != nil:
			return save(old)
		case c.loggedOutSince(next.epoch):
			return save(nil)
		}
		return nil
	})
	replaces := record.Unseen
	if !begun.Load() {
		replaces = c.glance(ctx)
	}
	if err := install(replaces); err != nil {
		return errors.Join(err, c.revoke(ctx, r.Session))
	}
	c.hasBegun(next, saveErr)
	if r.Session.AccessToken.IsZero() || ev.Kind == EventResumed && next.deadEnd == nil {
		return c.renew(ctx, next.generation, TriggerAsked)
	}
	return nil
}

// Format writes the session's name and state for every verb, and nothing that is secret or changing underneath.
func (c *Client) Format(f fmt.State, _ rune) {
	status := c.Status()
	fmt.Fprintf(f, "silentrefresh.Client(%s: %s)", status.Name, status.State)
}

// Renew refreshes now, whatever is left of the token's life, unless another caller or process has just done so, or the
// session has been refreshed too often lately: then it returns an *auth.Error that says until when it is postponed. Where
// the auth server refuses and there are no Credentials, Renew returns ErrSessionOver at once, while requests go on with
// the present token until it ends or is rejected: until then Status has StateLoggedIn, and Renewable is false.
func (c *Client) Renew(ctx context.Context) error {
	st := c.state.Load()
	if st.deadEnd != nil && c.cfg.Credentials == nil && st.usable(time.Now()) {
		return &auth.Error{Op: auth.KindRefresh, Unsent: true, Err: st.deadEnd} // the token serves until it ends
	}
	return c.renew(auth.WithForeground(ctx), st.generation, TriggerAsked)
}

// Logout ends the session here, in the Store and at the auth server, in this order of certainty: waiting requests
// are released and no new ones are sent at once; a refresh under way is waited for, within its deadline or until
// ctx ends, so that the newest credential is the one that is revoked; the Store's record becomes a tombstone.
//
// An error says what could not be done; the session is gone here all the same. Where there is none, here or in
// the Store, Logout returns nil; after Close it returns ErrClosed.
func (c *Client) Logout(ctx context.Context) error {
	st, err := c.leave()
	if err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	c.flight.await(wait) // whatever comes of it: what it brought is in c.toRevoke
	told := make(chan error, 1)
	var once atomic.Bool
	lost := make(chan error, 1)
	stored := c.locked(ctx, lockOptions{clear: c.discarding(lost)}, func(ctx context.Context, old []byte, save func([]byte) error) error {
		theirs, unread := record.Decode(old)
		if c.state.Load().epoch != st.epoch+1 || ofAnother(theirs, st.record) || !once.CompareAndSwap(false, true) {
			return nil // a Login has come since: the record is not ours to delete
		}
		told <- errors.Join(c.revokeAll(ctx, c.toRevoke(st, theirs)), untold(unread))
		if c.state.Load().epoch != st.epoch+1 {
			return nil // it has come while the auth server was told
		}
		return save(nil)
	})
	if once.CompareAndSwap(false, true) { // the Store is away: the auth server need not be
		told <- c.revokeAll(ctx, c.toRevoke(st, nil))
	}
	revoked := <-told
	select {
	case why := <-lost:
		stored = errors.Join(stored, why)
	default:
	}
	err = errors.Join(revoked, stored)
	if err != nil {
		c.warn(fmt.Errorf("the logout was not complete: %w", err))
	}
	return err
}

// ofAnother reports whether theirs belongs to another account than mine.
func ofAnother(theirs, mine *record.Record) bool {
	return theirs != nil && mine != nil && !record.SameAccount(theirs.Session, mine.Session)
}

// Close stops renewing, waits for a refresh under way to be saved (bounded by its deadline), and returns the error
// of a session that could not be saved. Requests under way go on; later calls get ErrClosed. Close does not log out, and
// does not wait for Config.Observe, which may be told of things that happened before: Status.EventsWaiting says of how many.
// A second Close does nothing.
func (c *Client) Close() error {
	if !c.shut() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.cfg.Timeout)
	c.flight.await(ctx)
	cancel()
	ctx, cancel = context.WithTimeout(context.Background(), c.cfg.Timeout) // however long the refresh took
	defer cancel()
	if err := c.saveAgain(ctx); err != nil {
		return fmt.Errorf("silentrefresh: the session could not be saved, and ends with this process: %w", err)
	}
	return nil
}

// HTTPClient returns a new http.Client whose requests carry the token. It has no cookie jar, since the session's cookies
// belong to the auth server, and no Timeout. Both may be set.
func (c *Client) HTTPClient() *http.Client { return &http.Client{Transport: c.Transport(nil)} }
