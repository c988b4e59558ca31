package oauth_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/oauth"
	"github.com/silentrefresh/silentrefresh/oauth/oauthtest"
)

// steps is a program with a person whose pages are remembered.
type steps struct {
	mu     sync.Mutex
	scopes []string // of each page
}

// process is a program that steps up, with the person whom s watches.
func (s *steps) process(t *testing.T, op *oauthtest.Provider, change ...func(*silentrefresh.Config)) (*oauth.Exchanger, *silentrefresh.Client) {
	t.Helper()
	c := throughResource(op)
	c.Prompt = s.prompt(t)
	e := exchanger(t, c)
	return e, clientOf(t, op, e, change...)
}

func (s *steps) prompt(t *testing.T) func(oauth.Prompt) {
	return func(p oauth.Prompt) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.scopes = append(s.scopes, query(t, p.URL).Get("scope"))
	}
}

func (s *steps) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.scopes)
}

// TestStepUp: a request that is denied for want of a scope asks for the union, once, and is sent again with its body.
func TestStepUp(t *testing.T) {
	op := start(t, oauthtest.Config{Plain: true, Registers: true})
	var s steps
	e, cl := s.process(t, op)
	op.Change(func(p *oauthtest.Config) { p.NeedScope = "read" })
	if err := cl.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	hc := &http.Client{Transport: e.StepUp(cl, nil)}
	op.Change(func(p *oauthtest.Config) { p.NeedScope = "write" })
	var together sync.WaitGroup
	for range 10 {
		together.Go(func() {
			resp, err := hc.Post(op.URL()+"/echo", "text/plain", strings.NewReader("the body"))
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if body, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK || string(body) != "the body" {
				t.Errorf("%d %q", resp.StatusCode, body)
			}
		})
	}
	together.Wait()
	if got := s.all(); !slices.Equal(got, []string{"read", "read write"}) {
		t.Errorf("asked for %q", got)
	}
}

// TestStepUpNeverLoops: a set that was asked for and not given is not asked for again.
func TestStepUpNeverLoops(t *testing.T) {
	op := start(t, oauthtest.Config{Plain: true, Registers: true})
	var s steps
	e, cl := s.process(t, op)
	if err := cl.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	op.Change(func(p *oauthtest.Config) { p.NeedScope, p.Deny = "admin", "admin" })
	hc := &http.Client{Transport: e.StepUp(cl, nil)}
	for range 5 {
		resp, err := hc.Get(op.URL() + "/me")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("status %d", resp.StatusCode)
		}
	}
	if got := s.all(); !slices.Equal(got, []string{"", "admin"}) {
		t.Errorf("asked for %q", got)
	}
}

// TestStepUpAsA401: some APIs say with a 401 what a token lacks.
func TestStepUpAsA401(t *testing.T) {
	op := start(t, oauthtest.Config{Plain: true, Registers: true})
	var s steps
	e, cl := s.process(t, op)
	if err := cl.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	op.Change(func(p *oauthtest.Config) {
		p.Intercept = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/me" || len(s.all()) > 1 {
				return false
			}
			w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope", scope="write"`)
			w.WriteHeader(http.StatusUnauthorized)
			return true
		}
	})
	if got := get(t, e.StepUp(cl, nil), op.URL()+"/me"); got != http.StatusOK {
		t.Errorf("status %d", got)
	}
	if got := s.all(); !slices.Equal(got, []string{"", "write"}) {
		t.Errorf("asked for %q", got)
	}
}

// TestStepUpWithoutAName: an API that does not say which scope it wants has those of its metadata asked for, and where these
// are there already, nobody is asked.
func TestStepUpWithoutAName(t *testing.T) {
	for _, supported := range []string{`["read", "write"]`, `["read"]`, `[]`} {
		op := start(t, oauthtest.Config{Plain: true, Registers: true})
		var s steps
		e, cl := s.process(t, op)
		document := `["read"]`
		op.Change(func(p *oauthtest.Config) {
			p.NeedScope = "read"
			p.Intercept = func(w http.ResponseWriter, r *http.Request) bool {
				switch {
				case strings.HasPrefix(r.URL.Path, string(oauthtest.ResourceMetadata)):
					fmt.Fprintf(w, `{"resource": %q, "authorization_servers": [%q], "scopes_supported": %s}`, op.URL(), op.URL(), document)
				case r.URL.Path == "/me" && r.Header.Get("Authorization") != "" && len(s.all()) == 1:
					w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope"`)
					w.WriteHeader(http.StatusForbidden)
				default:
					return false
				}
				return true
			}
		})
		if err := cl.Login(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		document = supported
		want, pages := http.StatusForbidden, []string{"read"}
		if strings.Contains(supported, "write") {
			want, pages = http.StatusOK, []string{"read", "read write"}
		}
		rt := e.StepUp(cl, nil)
		for range 2 {
			if got := get(t, rt, op.URL()+"/me"); got != want {
				t.Errorf("%s: status %d", supported, got)
			}
		}
		if got := s.all(); !slices.Equal(got, pages) {
			t.Errorf("%s: asked for %q", supported, got)
		}
	}
}

// TestStepUpByAnAPIThatWantsEverMore: a person is not asked without end for one request.
func TestStepUpByAnAPIThatWantsEverMore(t *testing.T) {
	op := start(t, oauthtest.Config{Plain: true, Registers: true})
	var s steps
	e, cl := s.process(t, op)
	if err := cl.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	op.Change(func(p *oauthtest.Config) {
		p.Intercept = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/me" {
				return false
			}
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer error="insufficient_scope", scope="level%d"`, len(s.all())))
			w.WriteHeader(http.StatusForbidden)
			return true
		}
	})
	if got := get(t, e.StepUp(cl, nil), op.URL()+"/me"); got != http.StatusForbidden {
		t.Errorf("status %d", got)
	}
	if n := len(s.all()); n != 4 {
		t.Errorf("%d pages", n)
	}
}

// get is the status of the response to a GET through rt.
func get(t *testing.T, rt http.RoundTripper, url string) int {
	t.Helper()
	resp, err := (&http.Client{Transport: rt}).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// TestStepUpAfterTheEnd: a session that is over asks the person, and the request goes on.
func TestStepUpAfterTheEnd(t *testing.T) {
	op := start(t, oauthtest.Config{Plain: true, Registers: true})
	var s steps
	e, cl := s.process(t, op)
	if err := cl.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	hc := &http.Client{Transport: e.StepUp(cl, nil)}
	for _, end := range []func(){op.RevokeGrants, func() { op.RevokeGrants(); cl.Renew(t.Context()) }} {
		end()
		resp, err := hc.Get(op.URL() + "/me")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("status %d", resp.StatusCode)
		}
	}
	if n := len(s.all()); n != 3 {
		t.Errorf("%d logins", n)
	}
}

// TestF60_StepUpNeedsAPerson: a program that logs in by itself gets the response as it is.
func TestF60_StepUpNeedsAPerson(t *testing.T) {
	op := start(t, oauthtest.Config{Plain: true, Secret: "s", AuthMethods: []string{"client_secret_basic"}})
	e := exchanger(t, service(op))
	cl := clientOf(t, op, e)
	if err := cl.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	op.Change(func(p *oauthtest.Config) { p.NeedScope = "admin" })
	resp, err := (&http.Client{Transport: e.StepUp(cl, nil)}).Get(op.URL() + "/me")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden || op.Calls("/token") != 1 {
		t.Errorf("status %d after %d token requests", resp.StatusCode, op.Calls("/token"))
	}
}
