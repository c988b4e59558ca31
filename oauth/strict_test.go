package oauth_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/oauth"
)

// open is a program with a scripted person that knows nothing but the API's URL.
func (s *strict) open(t *testing.T, dir string) *silentrefresh.Client {
	t.Helper()
	e := exchanger(t, oauth.Config{Resource: s.resource(), Prompt: func(oauth.Prompt) {}, OpenBrowser: func(page string) error {
		resp, err := http.Get(page)
		if err == nil {
			resp.Body.Close()
		}
		return err
	}})
	cfg := silentrefresh.Config{BaseURL: s.api.URL, Exchanger: e}
	storedIn(t, dir)(&cfg)
	cl, err := silentrefresh.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cl.Close() })
	return cl
}

// TestStrictServer: all that a server can insist on at once, from the API's URL alone; then by a process that has nothing
// but the Store.
func TestStrictServer(t *testing.T) {
	s, dir := startStrict(t), t.TempDir()
	cl := s.open(t, dir)
	if err := cl.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got := get(t, cl.Transport(nil), s.resource()+"?page=2"); got != http.StatusOK {
			t.Errorf("status %d", got)
		}
		if err := cl.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		cl = s.open(t, dir)
	}
	if s.asked != "things" {
		t.Errorf("scope %q was asked for, and not what the API's metadata names", s.asked)
	}
	if refreshes, registers, refused := s.state(); registers != 1 || len(refused) != 0 || refreshes != 2 {
		t.Errorf("%d refreshes, %d registrations, refused %q", refreshes, registers, refused)
	}
}

// TestNoncesForOnce: requests at the same time share no nonce that is good for one of them; none costs a refresh.
func TestNoncesForOnce(t *testing.T) {
	s := startStrict(t)
	cl := s.open(t, t.TempDir())
	if err := cl.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	var together sync.WaitGroup
	for range 20 {
		together.Go(func() {
			for range 10 {
				if got := get(t, cl.Transport(nil), s.resource()); got != http.StatusOK {
					t.Errorf("status %d", got)
				}
			}
		})
	}
	together.Wait()
	if refreshes, _, refused := s.state(); refreshes != 0 || len(refused) != 0 {
		t.Errorf("%d refreshes, refused %q", refreshes, refused)
	}
}

// TestStrictServerForgetsClients: a refresh says so, and the next login registers anew.
func TestStrictServerForgetsClients(t *testing.T) {
	s, dir := startStrict(t), t.TempDir()
	cl := s.open(t, dir)
	if err := cl.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	clear(s.clients)
	s.mu.Unlock()
	cl = s.open(t, dir)
	if f := failure(t, cl.Renew(t.Context())); !f.Refused {
		t.Errorf("%+v", f)
	}
	if err := cl.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if got := get(t, cl.Transport(nil), s.resource()); got != http.StatusOK {
		t.Errorf("status %d", got)
	}
}
