package servers_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/record"
)

// A stage is a client of a recipe, and what it can be seen to do.
type stage struct {
	*silentrefresh.Client
	t      *testing.T
	base   string
	me     string
	recipe recipe
	store  silentrefresh.MemoryStore
	wire   *wire

	mu      sync.Mutex
	renewed int
	trouble []error // what the client said of attempts that failed
}

func newStage(t *testing.T, p play, base string) *stage {
	t.Helper()
	s := &stage{t: t, base: base, me: p.me, recipe: readRecipe(t, p.recipe), wire: &wire{path: p.me}}
	cfg := s.recipe.config(base)
	cfg.Base, cfg.AuthBase, cfg.Store, cfg.Observe = s.wire, authCalls, &s.store, s.observe
	cfg.RefreshBefore = p.margin
	if !s.recipe.renews() {
		cfg.Credentials = func(context.Context) (any, error) { return s.recipe.credentials(p.account()), nil }
	}
	client, err := silentrefresh.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(client.Close(), s.troubles()); err != nil {
			t.Error(err)
		}
	})
	s.Client = client
	return s
}

func (s *stage) observe(ev silentrefresh.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch ev.Kind {
	case silentrefresh.EventRenewed, silentrefresh.EventUnchanged, silentrefresh.EventLoggedIn:
		s.renewed++
	case silentrefresh.EventRetrying, silentrefresh.EventWarning:
		if re, ok := errors.AsType[*auth.Error](ev.Err); !ok || !re.Doubtful { // a 403 is asked for twice
			s.trouble = append(s.trouble, ev.Err)
		}
	}
}

func (s *stage) renewals() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.renewed
}

func (s *stage) troubles() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.trouble...)
}

func (s *stage) login(a account) {
	s.t.Helper()
	if err := s.Login(s.t.Context(), s.recipe.credentials(a)); err != nil {
		s.t.Fatalf("login: %v", err)
	}
}

// session is what a thief would find in the store.
func (s *stage) session() auth.Session {
	s.t.Helper()
	stored, err := s.store.Load(s.t.Context(), s.StoreKey())
	if err != nil {
		s.t.Fatal(err)
	}
	r, err := record.Decode(stored)
	if err != nil || r == nil {
		s.t.Fatalf("no session in the store: %v", err)
	}
	return r.Session
}

func (s *stage) get() {
	s.t.Helper()
	resp, err := s.HTTPClient().Get(s.base + s.me)
	if err != nil {
		s.t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%s returned %d, want 200", s.me, resp.StatusCode)
	}
}

// staysLoggedIn uses the session until its first token has expired ten times over, or leaves it to itself for so long.
func (s *stage) staysLoggedIn(idle bool) {
	s.t.Helper()
	beat := time.NewTicker(life / 8)
	defer beat.Stop()
	before, end := s.renewals(), time.Now().Add(10*life)
	for time.Now().Before(end) {
		<-beat.C
		if !idle {
			s.get()
		}
	}
	s.get()
	if n := s.renewals() - before; n < 10 {
		s.t.Errorf("%d renewals in %v, want 10 or more", n, 10*life)
	}
}

// replaysStale sends the first token of all once more, which the server rejects: the request is replayed with a new one.
func (s *stage) replaysStale() {
	s.t.Helper()
	if !s.wire.changed() {
		return // the cookie of a session stays the same
	}
	replays, before := s.Status().Stats.Replays, s.renewals()
	s.wire.sendFirst()
	s.get()
	if n := s.Status().Stats.Replays - replays; n != 1 {
		s.t.Errorf("%d replays of a request with an expired token, want 1", n)
	}
	if n := s.renewals() - before; n < 1 {
		s.t.Errorf("%d renewals after an expired token was rejected, want 1", n)
	}
}

// wire knows how requests to one path were authenticated first, and can do so again.
type wire struct {
	path string

	mu          sync.Mutex
	first, last http.Header
	stale       bool
}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Path == w.path {
		req = w.note(req)
	}
	return http.DefaultTransport.RoundTrip(req)
}

func (w *wire) note(req *http.Request) *http.Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stale {
		w.stale = false
		req = req.Clone(req.Context())
		req.Header = w.first.Clone()
		return req
	}
	w.last = req.Header.Clone()
	if w.first == nil {
		w.first = w.last
	}
	return req
}

func (w *wire) changed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.first.Get("Authorization") != w.last.Get("Authorization") || w.first.Get("Cookie") != w.last.Get("Cookie")
}

// sendFirst sends the next request with the first one's header.
func (w *wire) sendFirst() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stale = true
}

// authCalls has the connections of the auth calls of all stages.
var authCalls = http.DefaultTransport.(*http.Transport).Clone()
