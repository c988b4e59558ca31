// Package fakeop is an authorization server on loopback, for tests and examples, an OpenID provider unless it is told
// otherwise: strict where it matters (PKCE, one-use codes, rotating refresh tokens whose reuse ends the login), small,
// and able to lie. Its API is a protected resource.
package fakeop

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
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

	// Plain makes it a server without OpenID Connect: RFC 8414 metadata, and no ID tokens.
	Plain bool
	// Registers takes clients that introduce themselves (RFC 7591).
	Registers bool
	// RequirePush takes pushed authorization requests only (RFC 9126).
	RequirePush bool
	// RequireDPoP gives tokens only to those who show a proof (RFC 9449), at the API as well.
	RequireDPoP bool
	// Nonce has to be in proofs, at the token endpoint and at the API; "": none.
	Nonce string
	// Scopes are offered, beside openid and offline_access; NeedScope is what the API wants in a token.
	Scopes    []string
	NeedScope string
	// Deny is a scope that nobody gets.
	Deny string
	// Resource has to be named in every request for a token (RFC 8707); "": nobody looks.
	Resource string

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
	clients  map[string]*registered
	pushed   map[string]url.Values
	proofs   map[string]bool // jti of every proof

	mounted   map[string]http.Handler
	presented string // the thumbprint of the proof of the request under way
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
	p.clients, p.pushed, p.proofs = map[string]*registered{}, map[string]url.Values{}, map[string]bool{}
	mux := http.NewServeMux()
	for pattern, handler := range map[string]http.HandlerFunc{
		"GET /.well-known/openid-configuration":       p.openIDDiscovery,
		"GET /.well-known/oauth-authorization-server": p.oauthMetadata,
		"GET /.well-known/oauth-protected-resource":   p.resourceMetadata,
		"POST /register":             p.register,
		"POST /par":                  p.push,
		"GET /jwks":                  p.jwks,
		"GET /authorize":             p.authorize,
		"GET /deep/down/authorize":   p.authorize,
		"GET /authorize/resume":      p.resume,
		"GET /login":                 p.loginPage,
		"POST /login":                p.login,
		"POST /token":                p.token,
		"POST /device_authorization": p.deviceAuthorization,
		"POST /revoke":               p.revoke,
		"GET /logout":                p.logout,
		"GET /me":                    p.me,
		"POST /me":                   p.me,
		"POST /echo":                 p.echo,
	} {
		mux.HandleFunc(pattern, handler)
	}
	for path, api := range p.mounted {
		mux.Handle(path, api)
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

// Mount adds an API that takes p's access tokens, before Start or Handler.
func (p *Provider) Mount(path string, api http.Handler) {
	if p.mounted == nil {
		p.mounted = map[string]http.Handler{}
	}
	p.mounted[path] = p.Protect(api)
}

// Generations counts the access tokens that were ever given out.
func (p *Provider) Generations() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.access)
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
	p.describe(doc)
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
	g := p.admitted(w, r)
	if g == nil {
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"sub": g.account})
}

// echo is an API that sends back what it got.
func (p *Provider) echo(w http.ResponseWriter, r *http.Request) {
	p.Protect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })).ServeHTTP(w, r)
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
