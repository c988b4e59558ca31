// Package fakeop is an OpenID provider on loopback, for tests and examples: strict where it matters (PKCE, one-use
// codes, rotating refresh tokens whose reuse ends the login), small, and able to lie.
package fakeop

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"
)

// ClientID is the one client that the provider knows.
const ClientID = "test-client"

// A Provider is a running one, with an API at /me that takes its access tokens. Its fields are set before Start;
// Change sets them later.
type Provider struct {
	// Secret is the client's, "" for a public client.
	Secret string
	// AuthMethods is what discovery says of how the secret travels, and what is enforced.
	AuthMethods []string
	// TokenTTL is how long access tokens live; 0: a minute.
	TokenTTL time.Duration
	// NoRefreshTokens gives none out.
	NoRefreshTokens bool
	// Interval is what device clients are told to wait between polls, in seconds.
	Interval int

	// Discovery, Claims and Response change a document before it goes out: the discovery document, an ID token's
	// claims, and the query of a response to an authorization request.
	Discovery func(map[string]any)
	Claims    func(map[string]any)
	Response  func(map[string]string)
	// Algorithm signs ID tokens: "" is ES256; "none" does not sign; "stranger" signs with a key of somebody
	// else's.
	Algorithm string
	// Fault sees each request first; it returns true if it has responded.
	Fault func(http.ResponseWriter, *http.Request) bool

	// URL is the issuer.
	URL string

	mu       sync.Mutex
	server   *httptest.Server
	keys     keys
	sessions map[string]string         // session cookie -> account
	requests map[string]*authorization // by the id of an authorization request under way
	codes    map[string]*grant
	refresh  map[string]*grant // every refresh token ever given out
	access   map[string]*grant
	devices  map[string]*device // by device code
	calls    map[string]int     // by path
	reuses   int
}

// Start makes p listen on a port of its own.
func (p *Provider) Start() *Provider {
	p.server = httptest.NewUnstartedServer(nil)
	p.server.Config.Handler = p.Handler("http://" + p.server.Listener.Addr().String())
	p.server.Start()
	return p
}

// Handler is p for a network of the caller's, as the issuer of that URL.
func (p *Provider) Handler(issuer string) http.Handler {
	p.URL, p.keys = issuer, newKeys()
	p.sessions, p.requests = map[string]string{}, map[string]*authorization{}
	p.codes, p.refresh, p.access = map[string]*grant{}, map[string]*grant{}, map[string]*grant{}
	p.devices, p.calls = map[string]*device{}, map[string]int{}
	mux := http.NewServeMux()
	for pattern, handler := range map[string]http.HandlerFunc{
		"GET /.well-known/openid-configuration": p.discovery,
		"GET /jwks":                             p.jwks,
		"GET /authorize":                        p.authorize,
		"GET /deep/down/authorize":              p.authorize,
		"GET /authorize/resume":                 p.resume,
		"GET /login":                            p.loginPage,
		"POST /login":                           p.login,
		"POST /token":                           p.token,
		"POST /device_authorization":            p.deviceAuthorization,
		"POST /revoke":                          p.revoke,
		"GET /logout":                           p.logout,
		"GET /me":                               p.me,
	} {
		mux.HandleFunc(pattern, handler)
	}
	return p.watch(mux)
}

// Close stops the provider.
func (p *Provider) Close() { p.server.Close() }

// Change calls f with p locked, to set its fields.
func (p *Provider) Change(f func(p *Provider)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(p)
}

// Calls counts the requests to path.
func (p *Provider) Calls(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[path]
}

// Reuses counts refresh tokens that were presented twice.
func (p *Provider) Reuses() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reuses
}

// EndSessions ends every session, as an administrator would; tokens live on.
func (p *Provider) EndSessions() { p.Change(func(p *Provider) { clear(p.sessions) }) }

// RevokeGrants ends every refresh token and access token; sessions live on.
func (p *Provider) RevokeGrants() {
	p.Change(func(p *Provider) {
		for _, g := range p.refresh {
			g.revoked = true
		}
		for _, g := range p.access {
			g.revoked = true
		}
	})
}

// Session starts a session for account, as if a browser had logged in, and returns its cookie.
func (p *Provider) Session(account string) *http.Cookie {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.newSession(account)
}

func (p *Provider) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.calls[r.URL.Path]++
		fault := p.Fault
		p.mu.Unlock()
		if fault == nil || !fault(w, r) {
			next.ServeHTTP(w, r)
		}
	})
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	doc := map[string]any{
		"issuer":                                p.URL,
		"authorization_endpoint":                p.URL + "/authorize",
		"token_endpoint":                        p.URL + "/token",
		"jwks_uri":                              p.URL + "/jwks",
		"device_authorization_endpoint":         p.URL + "/device_authorization",
		"revocation_endpoint":                   p.URL + "/revoke",
		"end_session_endpoint":                  p.URL + "/logout",
		"id_token_signing_alg_values_supported": []string{"ES256", "none"},
		"scopes_supported":                      []string{"openid", "offline_access"},
		"authorization_response_iss_parameter_supported": true,
	}
	if p.AuthMethods != nil {
		doc["token_endpoint_auth_methods_supported"] = p.AuthMethods
	}
	if p.Discovery != nil {
		p.Discovery(doc)
	}
	writeJSON(w, http.StatusOK, doc)
}

// me is an API that takes the provider's access tokens.
func (p *Provider) me(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	g := p.access[token]
	if g == nil || g.revoked || time.Now().After(g.expires[token]) {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		writeJSON(w, http.StatusUnauthorized, map[string]any{"error": "invalid_token"})
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"sub": g.account})
}

func (p *Provider) logout(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c, err := r.Cookie(sessionCookie); err == nil {
		delete(p.sessions, c.Value)
	}
	writeJSON(w, http.StatusOK, map[string]any{})
}

func writeJSON(w http.ResponseWriter, status int, doc any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(doc)
}

func refuse(w http.ResponseWriter, status int, code string) {
	writeJSON(w, status, map[string]any{"error": code})
}
