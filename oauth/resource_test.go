package oauth_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/filestore"
	"github.com/silentrefresh/silentrefresh/oauth"
	"github.com/silentrefresh/silentrefresh/oauth/oauthtest"
)

// throughResource is a program that knows nothing but the API.
func throughResource(op *oauthtest.Provider) oauth.Config {
	return oauth.Config{Resource: op.URL() + "/me", OpenBrowser: op.Browse("ada"), Prompt: func(oauth.Prompt) {}}
}

// storedIn makes a Client keep its session in dir.
func storedIn(t *testing.T, dir string) func(*silentrefresh.Config) {
	t.Helper()
	store, err := filestore.Open(filestore.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return func(c *silentrefresh.Config) { c.Store = store }
}

// TestResourceLeadsToItsServer: an API's challenge is enough: metadata, registration, login, refresh with the resource
// parameter, also by another process, whose only knowledge is the store.
func TestResourceLeadsToItsServer(t *testing.T) {
	op := start(t, oauthtest.Config{Plain: true, Registers: true})
	op.Change(func(p *oauthtest.Config) { p.Resource = op.URL() })
	stored := storedIn(t, t.TempDir())
	first := newClient(t, op, throughResource(op), stored)
	if err := first.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if got := me(t, first, op); got != ada {
		t.Errorf("logged in as %s", got)
	}
	second := newClient(t, op, throughResource(op), stored)
	if err := second.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := me(t, second, op); got != ada {
		t.Errorf("logged in as %s", got)
	}
	if op.Calls("/register") != 1 || op.Counters().Reuses != 0 {
		t.Errorf("%d registrations, %d reuses", op.Calls("/register"), op.Counters().Reuses)
	}
}

// TestOlderMCPServers: before RFC 9728 the metadata was at the origin of the API, and what had none was at paths of its own.
func TestOlderMCPServers(t *testing.T) {
	for name, missing := range map[string]string{
		"metadata at the origin": "/.well-known/oauth-protected-resource",
		"no metadata":            "/.well-known/",
	} {
		t.Run(name, func(t *testing.T) {
			op := start(t, oauthtest.Config{Plain: true, Registers: true})
			op.Change(func(p *oauthtest.Config) {
				p.Intercept = func(w http.ResponseWriter, r *http.Request) bool {
					switch {
					case strings.HasPrefix(r.URL.Path, missing):
						http.NotFound(w, r)
					case r.URL.Path == "/me" && r.Header.Get("Authorization") == "":
						w.WriteHeader(http.StatusUnauthorized) // without a word on where to go
					default:
						return false
					}
					return true
				}
			})
			dir := t.TempDir()
			cl := newClient(t, op, throughResource(op), storedIn(t, dir))
			if err := cl.Login(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			cl = newClient(t, op, throughResource(op), storedIn(t, dir))
			if err := cl.Renew(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := me(t, cl, op); got != ada || op.Calls("/register") != 1 {
				t.Errorf("logged in as %s, %d registrations", got, op.Calls("/register"))
			}
		})
	}
}

// TestForgottenRegistration: a refresh that fails for it ends the session, and the next login registers anew.
func TestForgottenRegistration(t *testing.T) {
	op := start(t, oauthtest.Config{Plain: true, Registers: true})
	cl := newClient(t, op, throughResource(op))
	if err := cl.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	op.Forget()
	err := cl.Renew(t.Context())
	if f := failure(t, err); !f.Refused || !strings.Contains(f.Hint, "registers it anew") {
		t.Errorf("%+v", f)
	}
	if err := cl.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if got := me(t, cl, op); got != ada || op.Calls("/register") != 2 {
		t.Errorf("logged in as %s, %d registrations", got, op.Calls("/register"))
	}
}

// TestForgottenInOtherWords: some servers say of a client that they have forgotten that it may not do this.
func TestForgottenInOtherWords(t *testing.T) {
	op := start(t, oauthtest.Config{Plain: true, Registers: true})
	cl := newClient(t, op, throughResource(op))
	if err := cl.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	op.Fault(oauthtest.Fault{Kind: oauthtest.Status, Status: 401, Body: `{"error":"unauthorized_client","error_description":"Invalid client or Invalid client credentials"}`})
	if f := failure(t, cl.Renew(t.Context())); !f.Refused || !strings.Contains(f.Hint, "registers it anew") {
		t.Errorf("%+v", f)
	}
}

// TestRefusedNewcomer: a client that the server refuses right after it has registered it is not registered again and again.
func TestRefusedNewcomer(t *testing.T) {
	op := start(t, oauthtest.Config{Plain: true, Registers: true})
	op.Fault(oauthtest.Fault{Kind: oauthtest.Status, Status: 401, Body: `{"error":"invalid_client"}`, Times: 5})
	err := newClient(t, op, throughResource(op)).Login(t.Context(), nil)
	if f := failure(t, err); f.Code != "invalid_client" || op.Calls("/register") != 1 || op.Calls("/authorize") != 1 {
		t.Errorf("%v, %d registrations, %d pages", err, op.Calls("/register"), op.Calls("/authorize"))
	}
}

// TestForgottenWhilePushing: where requests are pushed, the login itself finds out, and goes on with a new registration.
func TestForgottenWhilePushing(t *testing.T) {
	op := start(t, oauthtest.Config{Plain: true, Registers: true, RequirePush: true})
	c := throughResource(op)
	c.RedirectURI = "http://127.0.0.1:0/callback"
	cl := newClient(t, op, c)
	if err := cl.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	op.Forget()
	if err := cl.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if got := me(t, cl, op); got != ada || op.Calls("/register") != 2 {
		t.Errorf("logged in as %s, %d registrations", got, op.Calls("/register"))
	}
}

// TestRegistrationIsUsedAgain: a second login of the process needs no second registration.
func TestRegistrationIsUsedAgain(t *testing.T) {
	op := start(t, oauthtest.Config{Plain: true, Registers: true})
	cl := newClient(t, op, throughResource(op))
	for range 3 {
		if err := cl.Login(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	if n := op.Calls("/register"); n != 1 {
		t.Errorf("%d registrations", n)
	}
}

// TestResourcesThatLie: what is not the resource that was asked for, or names what must not be, is not followed.
func TestResourcesThatLie(t *testing.T) {
	for _, test := range []struct {
		name string
		doc  func(at string) string
		want string
	}{
		{"another resource", func(at string) string {
			return `{"resource": "https://evil.example.com", "authorization_servers": ["` + at + `"]}`
		}, `calls its resource "https://evil.example.com"`},
		{"plain http", func(at string) string {
			return `{"resource": "` + at + `", "authorization_servers": ["http://as.example.com"]}`
		}, "is not https"},
		{"no servers", func(at string) string { return `{"resource": "` + at + `"}` }, "names no authorization server"},
		{"nothing", func(string) string { return "" }, "asks for no token"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var at string
			api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if doc := test.doc(at); doc != "" && strings.HasPrefix(r.URL.Path, "/.well-known/oauth-protected-resource") {
					w.Write([]byte(doc))
					return
				}
				http.NotFound(w, r)
			}))
			t.Cleanup(api.Close)
			at = api.URL
			c := oauth.Config{Resource: at + "/mcp", OpenBrowser: func(string) error { t.Error("a browser opened"); return nil }}
			_, err := exchanger(t, c).Exchange(auth.WithForeground(t.Context()), client(t), auth.Grant{Kind: auth.KindLogin})
			if f := failure(t, err); f.Refused || !f.Unsent || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%+v: %v", f, err)
			}
		})
	}
}

// TestF46_NoRequestsToThisMachine: what a public API names is not on this machine's loopback.
func TestF46_NoRequestsToThisMachine(t *testing.T) {
	asked := false
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	t.Cleanup(inside.Close)
	for name, lie := range map[string]func(w http.ResponseWriter, r *http.Request){
		"metadata": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Bearer resource_metadata="`+inside.URL+`/x"`)
			w.WriteHeader(http.StatusUnauthorized)
		},
		"server": func(w http.ResponseWriter, _ *http.Request) {
			w.Write([]byte(`{"resource": "https://api.example.com", "authorization_servers": ["` + inside.URL + `"]}`))
		},
	} {
		hc := client(t)
		hc.Transport = routed{http.HandlerFunc(lie)}
		e := exchanger(t, oauth.Config{Resource: "https://api.example.com/mcp"})
		_, err := e.Exchange(auth.WithForeground(t.Context()), hc, auth.Grant{Kind: auth.KindLogin})
		if asked || err == nil || !strings.Contains(err.Error(), "is not https") {
			t.Errorf("%s: asked %v, %v", name, asked, err)
		}
	}
}

// routed carries requests for api.example.com to a handler, and others over the network.
type routed struct{ api http.Handler }

func (r routed) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host == "api.example.com" {
		w := httptest.NewRecorder()
		r.api.ServeHTTP(w, req)
		resp := w.Result()
		resp.Request = req
		return resp, nil
	}
	return http.DefaultTransport.RoundTrip(req)
}

// TestNoGuessingDuringAnOutage: the old places of MCP servers are for servers that have no metadata, not for those whose
// metadata is away.
func TestNoGuessingDuringAnOutage(t *testing.T) {
	op := start(t, oauthtest.Config{Plain: true, Registers: true})
	op.Change(func(p *oauthtest.Config) {
		p.Intercept = func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasPrefix(r.URL.Path, "/.well-known/") {
				w.WriteHeader(http.StatusBadGateway)
				return true
			}
			return false
		}
	})
	err := newClient(t, op, throughResource(op)).Login(t.Context(), nil)
	if f := failure(t, err); f.Status != http.StatusBadGateway || op.Calls("/register") != 0 {
		t.Errorf("%v, %d registrations", err, op.Calls("/register"))
	}
}
