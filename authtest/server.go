package authtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/bubble"
	"github.com/silentrefresh/silentrefresh/internal/wall"
)

// A Server is a running auth server and the API that it protects. Its methods may be called at any time, also
// concurrently and after Close.
//
// The auth endpoints are POST /auth/login, /auth/refresh and /auth/logout. Everything else is the API, and needs an
// access token:
//
//	/me           the account
//	/echo         the request: method, path, header without its secrets, body
//	/status/{n}   a response with that status
//	/forbidden    always 401, whatever the token
//	/scope        always 403, for an insufficient scope
//	/slow         a response that takes ?for=2s, its token being checked on arrival
//	/stream       ?events=3 of a text/event-stream, one every ?every=10ms
//	/upgrade      a connection upgrade to the protocol "echo", which sends back what it gets
//	anything else 200
//
// With Config.Buttons, the buttons are served as well, without a token:
//
//	POST /_test/expire, /_test/revoke, /_test/end, /_test/up, /_test/release
//	POST /_test/down?how=unavailable&for=5s    how: unavailable, resetting, refusing (needs for); without for: until up
//	POST /_test/sleep?for=1h
//	POST /_test/delay?refresh=2s&api=100ms
//	POST /_test/fault?kind=drop&at=refresh&times=1&commit=true&status=502&body=text
//	POST /_test/fault with a JSON array of Fault
//	GET  /_test/counters, /_test/sessions, /_test/state
//	GET  /_test/                               in a browser, a page with the buttons and what the server has seen
type Server struct {
	config  atomic.Pointer[Config]
	key     []byte
	api     *site
	auth    *site // the same as api without Config.AuthApart
	closing chan struct{}
	once    sync.Once
	calls   sync.WaitGroup // handlers that run
	journal journal        // with Config.Buttons

	noticed func() // that Close was called; nil until Start has succeeded

	outage gate        // held while an outage begins or ends
	wake   *time.Timer // ends the outage; under outage

	mu         sync.Mutex
	given      Config // as Start got it, and Change changed it
	how        Outage
	until      time.Time
	families   map[int]*family
	lastFamily int
	refresh    map[string]*refreshToken
	access     map[string]*accessToken
	sweepAt    int
	recent     []time.Time // refreshes that the rate limit counts
	refreshing int
	faults     map[Endpoint][]Fault
	release    chan struct{}
	counters   Counters
	slept      time.Duration
	transports []*http.Transport
}

// Start starts a server, or returns every mistake in config. The caller calls Close. In a testing/synctest bubble the
// server is in memory, whatever config says: nobody waits there for a network.
func Start(config Config) (*Server, error) {
	config.Users = maps.Clone(config.Users)
	config.InMemory = config.InMemory || bubble.Inside()
	c := config.complete()
	if err := c.check(); err != nil {
		return nil, err
	}
	s := &Server{
		given: config, key: make([]byte, 32), closing: make(chan struct{}), outage: newGate(), release: make(chan struct{}),
		families: map[int]*family{}, refresh: map[string]*refreshToken{}, access: map[string]*accessToken{},
		faults: map[Endpoint][]Fault{}, sweepAt: 1000,
	}
	rand.Read(s.key)
	s.config.Store(&c)
	if err := s.open(&c); err != nil {
		s.Close()
		return nil, fmt.Errorf("authtest: start the server: %w", err)
	}
	s.noticed = bubble.Opened("the authtest server at "+s.URL(), s.Close)
	return s, nil
}

// open starts listening.
func (s *Server) open(c *Config) (err error) {
	if s.api, err = newSite(c, c.Addr, s.track(s.handler(true, !c.AuthApart))); err != nil {
		return err
	}
	s.auth = s.api
	if c.AuthApart {
		if s.auth, err = newSite(c, "", s.track(s.handler(false, true))); err != nil {
			return err
		}
		s.auth.start()
	}
	s.api.start()
	return nil
}

// NewServer starts a server that is closed when the test ends. A mistake in config ends the test. Within a
// testing/synctest bubble the server is in memory, and tb has to be the bubble's own; what else was left open there is
// named in the test's log.
func NewServer(tb testing.TB, config Config) *Server {
	tb.Helper()
	if bubble.Outsider(tb) {
		tb.Fatal("authtest: in a bubble, NewServer needs the t that synctest.Test gives to its function, not the one from outside")
	}
	s, err := Start(config)
	if err != nil {
		tb.Fatal(err)
	}
	bubble.AtEnd(tb, s.Close)
	return s
}

// URL is the API's address, such as http://127.0.0.1:8080, and the auth endpoints' unless they are apart.
func (s *Server) URL() string { return s.api.url }

// AuthURL is the address of the auth endpoints: URL, without Config.AuthApart.
func (s *Server) AuthURL() string { return s.auth.url }

// Transport returns a new transport that reaches this server, and every other one in memory if this one is. Close
// closes its idle connections.
func (s *Server) Transport() *http.Transport {
	t := newTransport(s.config.Load())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.transports = append(s.transports, t)
	return t
}

// Close ends every request and connection and waits until the handlers have returned, those of Config.API
// included. It takes back what Sleep did to this process's clock. Calling it again does nothing.
func (s *Server) Close() { s.once.Do(s.close) }

func (s *Server) close() {
	if s.noticed != nil {
		s.noticed()
	}
	s.mu.Lock()
	close(s.closing)
	s.mu.Unlock()
	for _, site := range []*site{s.api, s.auth} {
		if site != nil {
			site.close()
		}
	}
	s.outage.Lock()
	if s.wake != nil {
		s.wake.Stop()
	}
	s.outage.Unlock()
	s.calls.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.transports {
		t.CloseIdleConnections()
	}
	wall.Sleep(-s.slept)
	s.slept = 0
}

// Shutdown is Close, but lets requests end that are under way, until ctx does.
func (s *Server) Shutdown(ctx context.Context) error {
	err := errors.Join(s.api.server.Shutdown(ctx), s.auth.server.Shutdown(ctx))
	s.Close()
	return err
}

func (s *Server) closed() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

// Change changes the settings of the running server: f gets the Config that Start got, as changed so far. Addr,
// InMemory, TLS, HTTP2, AuthApart and Buttons stay as they were. A mistake panics. f must not call the Server.
func (s *Server) Change(f func(*Config)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, old := s.given, s.given
	f(&c)
	c.Addr, c.InMemory, c.TLS, c.HTTP2 = old.Addr, old.InMemory, old.TLS, old.HTTP2
	c.AuthApart, c.Buttons = old.AuthApart, old.Buttons
	complete := c.complete()
	if err := complete.check(); err != nil {
		panic(err)
	}
	s.given = c
	s.config.Store(&complete)
}

// now is the server's time.
func (s *Server) now() time.Time { return wall.Now().Add(s.config.Load().Skew) }

// pause waits for d, or until the request or the server ends.
func (s *Server) pause(r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.Context().Done():
	case <-s.closing:
	}
}

// track lets Close wait for h, and dates its responses by the server's clock.
func (s *Server) track(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.arrive() {
			panic(http.ErrAbortHandler)
		}
		defer s.calls.Done()
		w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
		h.ServeHTTP(w, r)
	})
}

func (s *Server) arrive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed() {
		return false
	}
	s.calls.Add(1)
	return true
}
