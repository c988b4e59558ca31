package silentrefresh

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/endpoint"
	"github.com/silentrefresh/silentrefresh/internal/origin"
	"github.com/silentrefresh/silentrefresh/internal/record"
)

// Config says where to log in and how to stay so. Its zero values are right for the common case; only BaseURL is
// needed. New copies it.
type Config struct {
	// BaseURL is the server's, for instance "https://api.example.com". Its origin gets the token.
	BaseURL string
	// Name is the session's in the Store, where one user has several; "": "default".
	Name string
	// Origins are more origins that get the token (scheme, host, port). To spell out an http one is to consent
	// to sending the token unencrypted.
	Origins []string
	// Endpoint says how the auth server is talked to; zero: POST with JSON to /auth/login, /auth/refresh and
	// /auth/logout, the refresh token in a cookie.
	Endpoint endpoint.Settings
	// Exchanger talks to the auth server in place of Endpoint, which is then left out; nil: Endpoint does.
	Exchanger auth.Exchanger
	// Attach says how requests carry the token; zero: Authorization: Bearer (RFC 6750 section 2.1).
	Attach auth.Attach
	// Base carries API calls and auth calls alike (certificates, a proxy, a socket); nil: http.DefaultTransport.
	// A *http.Transport is cloned for the auth calls, which have a pool of their own.
	Base http.RoundTripper
	// Store keeps the session beyond this process; nil: nowhere.
	Store Store
	// MemoryOnly never writes the access token down, even encrypted. Each process then renews for itself.
	MemoryOnly bool

	// Timeout is the deadline of one exchange; 0: 30 s.
	Timeout time.Duration
	// MaxWait is how long a request without a usable token waits through a backoff; 0: 10 s; negative: not at
	// all. A refresh that is under way is always waited for, until the request's own context ends.
	MaxWait time.Duration
	// RefreshBefore is how long before its end a token is renewed; 0: about 20 % of its lifetime, and once after a start or
	// a failure much earlier, so that a fleet that was started together spreads. A Margin does without that spread.
	// It is bounded by half the lifetime.
	RefreshBefore time.Duration
	// MaxAge is when to renew a token whose lifetime is unknown; 0: only when it is refused.
	MaxAge time.Duration
	// IdleTimeout stops renewals in the background after that long without a request; the next request renews
	// first where needed. 0: never.
	IdleTimeout time.Duration
	// MaxExchanges bounds the refreshes that run at a time, and the logins by Credentials, for this Client and all
	// its Forks; 0: no bound. What a caller asks for with Login and Logout is not counted.
	MaxExchanges int

	// MaxReplayBody is the size up to which the body of a request is kept for a replay, where it has no GetBody and its
	// length is known; 0: 64 KiB; negative: none is.
	MaxReplayBody int64
	// HandOutHeader names a header of API responses in which the server hands out a newer access token; "": none.
	HandOutHeader string
	// RejectedStatus lists the statuses by which the API says that the token is not valid (any more); nil: 401,
	// read by RFC 6750 section 3.1.
	RejectedStatus []int
	// Rejected decides instead of RejectedStatus. It must not read the body.
	Rejected func(*http.Response) bool

	// Credentials logs in again without a person. It is called where no session is left, inside the one flight
	// and under the record's lock, and has to return within Timeout. To ask a person there, check Foreground first,
	// and make Timeout long enough for people.
	Credentials func(context.Context) (any, error)
	// KeepAnswer keeps the auth server's last response for Client.Response.
	KeepAnswer bool
	// Observe is told what happens, in order, outside every lock; it may call back. When it is slow, events are
	// dropped and counted.
	Observe func(Event)
	// Logger gets the same, and warnings; nil: nobody.
	Logger *slog.Logger
}

// A Client keeps one session alive. Make it with New; its methods are safe for concurrent use.
type Client struct {
	*shared
	key   string // in the Store
	name  string
	store Store

	state    atomic.Pointer[state]
	flight   flight
	events   queue
	response atomic.Pointer[auth.Response]
	lastly   atomic.Int64 // when the last request came, by the wall clock; kept only with Config.IdleStop
	dozing   atomic.Bool  // no renewals until the next request

	mu      sync.Mutex // guards book and every change of state; never held across I/O or a callback
	book    book
	counted counters
}

// book is what only those who renew look at.
type book struct {
	failure   error          // the last one, nil after a success
	failures  int32          // in a row
	unsaveds  int32          // how often in a row the Store has refused
	refused   time.Time      // since when the server has said how long to wait; zero: it has not
	until     time.Time      // no attempt before
	early     time.Duration  // so much earlier for somebody who waits, where the server has said how long
	pulled    bool           // until was brought forward for somebody who waits
	doubt     bool           // the last refusal was a 403 that might mean something else
	slow      time.Duration  // the last exchange took
	wide      int32          // renewals until the one that is spread wide; 0: none will be
	level     int32          // how often in a row a replay was refused
	blamed    uint64         // the generation that raised level last
	quiet     time.Time      // until then a rejection changes nothing
	looked    time.Time      // when the Store was last looked at without a need
	unsaved   *record.Record // what the Store refused
	unsavedBy error
	stray     *record.Record          // what a flight brought in after a Logout, to be revoked
	timer     *time.Timer             // fires at the earlier of the next two
	renewDue  time.Time               // zero: not by the timer
	saveDue   time.Time               // zero: nothing to save
	wake      chan struct{}           // closed at the next change; nil while nobody waits
	giveUp    context.CancelCauseFunc // calls off the flight that waits for the lock; nil if none does
}

// New returns a Client for the session that the Store has under Config.Name, or for none yet. A session without a
// usable token is refreshed in the background at once. A Store that cannot be read does not fail New: requests
// look again, and fail with its error.
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
	return c, nil
}

// Fork returns a Client for another session on the same server: it has c's settings and shares its connections and
// its bound on exchanges, and keeps its own state. Forks are closed one by one. name must not be c's own.
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

func (s *shared) client(name string) *Client {
	c := &Client{shared: s, flight: flight{&s.flights, s.flightKey()}, name: name, key: s.base.String() + "|" + name, store: s.cfg.Store}
	if c.store == nil {
		c.store = &s.none
	}
	c.state.Store(&state{err: ErrNoSession})
	c.book.wide = 1
	c.touch()
	if s.cfg.Store != nil {
		c.start()
	}
	return c
}

// start takes up the session that the Store has.
func (c *Client) start() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if c.look(ctx); ctx.Err() != nil {
		c.noSession(c.state.Load(), nil, errors.New("silentrefresh: the stored session could not be read within 5 s"))
	}
}

// Login trades credentials for a session, which replaces the present one. What credentials may be, the Exchanger
// says: Endpoint takes whatever marshals to a JSON object, and url.Values. A failed Login leaves the present
// session as it is; the error is a *RefreshError where the auth server responded.
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
	var s auth.Session
	err := guard(func() (err error) {
		s, err = c.exchange(ctx, auth.Grant{Kind: auth.KindLogin, Credentials: credentials}, auth.NewJar())
		return err
	})
	if err != nil {
		return asRefreshError(auth.KindLogin, err)
	}
	if err := c.renewable(s); s.AccessToken.IsZero() && err != nil {
		re := *errNoToken
		re.Op, re.Err = auth.KindLogin, fmt.Errorf("the response has no access token where it was looked for, and nothing to get one with (%w)", err)
		return &re
	}
	ev := Event{Kind: EventLoggedIn, Took: time.Since(began), Response: s.Response}
	s.Response = auth.Response{}
	return c.begin(ctx, st.epoch, record.New(s), ev)
}

// Resume takes up a session that exists already: a cookie, a refresh token or an access token that the caller
// brings. As a page does when it loads, it refreshes first. When that fails for now, Resume says so, and the
// session is kept and tried again; when it is refused, the session is over.
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
	var st *state
	var err error
	ran := false
	saveErr := c.locked(ctx, func(_ context.Context, old []byte, save func([]byte) error) error {
		ran = true
		r.Replaces = record.LoginOf(old)
		saveErr := c.save(r, save)
		if st, err = c.install(r, epoch, ev); err != nil && saveErr == nil {
			return save(old)
		}
		return saveErr
	})
	if !ran {
		st, err = c.install(r, epoch, ev)
	}
	if err != nil {
		return errors.Join(err, c.revoke(ctx, r.Session))
	}
	if saveErr != nil {
		c.notSaved(r, saveErr)
	}
	c.touch()
	c.tellRenewable()
	if r.Session.AccessToken.IsZero() || ev.Kind == EventResumed && st.renewable == nil {
		return c.renew(ctx, st.generation, TriggerAsked)
	}
	return nil
}

// Format writes the session's name and state for every verb, and nothing that is secret or changing underneath.
func (c *Client) Format(f fmt.State, _ rune) {
	status := c.Status()
	fmt.Fprintf(f, "silentrefresh.Client(%s: %s)", status.Name, status.State)
}

// Renew refreshes now, whatever is left of the token's life, unless another caller or process has just done so.
func (c *Client) Renew(ctx context.Context) error {
	st := c.state.Load()
	if st.renewable != nil && c.cfg.Credentials == nil && st.usable(time.Now()) {
		return &auth.Error{Op: auth.KindRefresh, Unsent: true, Err: st.renewable} // the token serves until it ends
	}
	return c.renew(auth.WithForeground(ctx), st.generation, TriggerAsked)
}

// Logout ends the session here, in the Store and at the auth server, in this order of certainty: waiting requests
// are released and no new ones are sent at once; a refresh under way is waited for, within its deadline or until
// ctx ends, so that the newest credential is the one that is revoked; the Store's record becomes a tombstone.
//
// An error says what could not be done; the session is gone here all the same.
func (c *Client) Logout(ctx context.Context) error {
	st, err := c.leave()
	if err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	c.flight.await(wait) // whatever comes of it: what it brought is in c.toRevoke
	var revoked error
	told := false
	stored := c.locked(ctx, func(ctx context.Context, old []byte, save func([]byte) error) error {
		if c.state.Load().epoch != st.epoch+1 || ofAnother(old, st.record) {
			return nil // a Login has come since: the record is not ours to delete
		}
		revoked, told = c.revokeAll(ctx, c.toRevoke(st, old)), true
		return save(nil)
	})
	if !told { // the Store is away: the auth server need not be
		revoked = c.revokeAll(ctx, c.toRevoke(st, nil))
	}
	c.tell(Event{Kind: EventLoggedOut, Err: errors.Join(revoked, stored)})
	return errors.Join(revoked, stored)
}

// Close stops renewing, waits for a refresh under way to be saved (bounded by its deadline), and returns the error
// of a session that could not be saved. Requests under way go on; later calls get ErrClosed. A second Close does
// nothing.
func (c *Client) Close() error {
	if !c.shut() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.cfg.Timeout)
	defer cancel()
	c.flight.await(ctx)
	return c.saveLast(ctx)
}

// HTTPClient returns a new http.Client whose requests carry the token. It has no cookie jar: the session's cookies
// belong to the auth server.
func (c *Client) HTTPClient() *http.Client { return &http.Client{Transport: c.Transport(nil)} }
