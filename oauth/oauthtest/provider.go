package oauthtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/bubble"
	"github.com/silentrefresh/silentrefresh/oauth"
)

// A Provider is a running authorization server and the API that it protects, at one address. Its methods may be called at
// any time, also concurrently and after Close.
//
// The API without Config.API:
//
//	/me    who the token is for, as {"sub": "ada"}
//	/echo  the body of the request (POST)
type Provider struct {
	url  string
	keys keys
	site *site

	noticed func() // that Close was called

	mu       sync.Mutex
	config   Config
	sessions map[string]string         // session cookie -> account
	requests map[string]*authorization // by the id of an authorization request under way
	codes    map[string]*grant
	refresh  map[string]*grant // every refresh token ever given out
	access   map[string]*grant
	devices  map[string]*device // by device code
	clients  map[string]*registered
	pushed   map[string]url.Values
	proofs   map[string]bool // jti of every proof
	calls    map[Endpoint]int
	counters Counters
	faults   map[Endpoint][]Fault
	down     bool

	presented string // the thumbprint of the proof of the request under way
}

// Start starts a provider, on loopback, or returns every mistake in config. The caller calls Close.
func Start(config Config) (*Provider, error) {
	config = config.complete()
	if err := config.check(); err != nil {
		return nil, err
	}
	config.InMemory = config.InMemory || bubble.Inside()
	p := &Provider{
		config: config, keys: newKeys(), sessions: map[string]string{}, requests: map[string]*authorization{},
		codes: map[string]*grant{}, refresh: map[string]*grant{}, access: map[string]*grant{}, devices: map[string]*device{},
		clients: map[string]*registered{}, pushed: map[string]url.Values{}, proofs: map[string]bool{},
		calls: map[Endpoint]int{}, faults: map[Endpoint][]Fault{},
	}
	var err error
	if p.site, err = open(config.InMemory); err != nil {
		return nil, fmt.Errorf("oauthtest: start the provider: %w", err)
	}
	p.url = "http://" + p.site.listener.Addr().String()
	p.site.serve(p.handler())
	p.noticed = bubble.Opened("the oauthtest provider at "+p.url, p.Close)
	return p, nil
}

// NewProvider starts a provider that is closed when the test ends. A mistake in config ends the test. Within a
// testing/synctest bubble the provider is in memory, and tb has to be the bubble's own.
func NewProvider(tb testing.TB, config Config) *Provider {
	tb.Helper()
	if bubble.Outsider(tb) {
		tb.Fatal("oauthtest: in a bubble, NewProvider needs the t that synctest.Test gives to its function, not the one from outside")
	}
	p, err := Start(config)
	if err != nil {
		tb.Fatal(err)
	}
	bubble.AtEnd(tb, p.Close)
	return p
}

// NewClient returns a silentrefresh.Client that DefaultAccount has logged in at a new provider by browser, and the
// provider. Both are closed when the test ends. It is NewProvider, Provider.ClientConfig and then Provider.Client.
func NewClient(tb testing.TB, provider Config, client silentrefresh.Config) (*silentrefresh.Client, *Provider) {
	tb.Helper()
	p := NewProvider(tb, provider)
	return p.Client(tb, p.ClientConfig(oauth.Browser, DefaultAccount), client), p
}

// Client returns a client that is logged in at p as c says and closed when the test ends, before p if tb is that of p.
// BaseURL and Base of config, where they are empty, lead to p. A failure ends the test.
func (p *Provider) Client(tb testing.TB, c oauth.Config, config silentrefresh.Config) *silentrefresh.Client {
	tb.Helper()
	exchanger, err := oauth.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	config.Exchanger = exchanger
	if config.BaseURL == "" {
		config.BaseURL = p.URL()
	}
	if config.Base == nil {
		config.Base = p.Transport()
	}
	client, err := silentrefresh.New(config)
	if err != nil {
		tb.Fatal(err)
	}
	bubble.AtEnd(tb, func() {
		if err := client.Close(); err != nil {
			tb.Logf("oauthtest: close the client: %v", err)
		}
	})
	var credentials any
	if c.Flow == oauth.Silent {
		credentials = oauth.Cookies{p.Session(DefaultAccount)}
	}
	if err := client.Login(tb.Context(), credentials); err != nil {
		tb.Fatalf("oauthtest: log the client in: %v", err)
	}
	return client
}

// ClientConfig is what a client of p's says to log in by flow. account is the person who uses the browser, or enters the
// code, by script.
func (p *Provider) ClientConfig(flow oauth.Flow, account string) oauth.Config {
	p.mu.Lock()
	secret, plain := p.config.Secret, p.config.Plain
	p.mu.Unlock()
	c := oauth.Config{Issuer: p.URL(), ClientID: ClientID, ClientSecret: auth.NewSecret(secret), Flow: flow, Prompt: func(oauth.Prompt) {}}
	switch flow {
	case oauth.Browser:
		c.OpenBrowser, c.Patience = p.Browse(account), 10*time.Second // where it goes astray, nobody comes
		c.Paste = func(context.Context) (string, error) { return "", errors.New("nobody is at the terminal") }
	case oauth.Device:
		c.Prompt = func(prompt oauth.Prompt) { p.Decide(prompt.Code, account) }
	case oauth.Silent:
		c.RedirectURI = "http://127.0.0.1/callback" // which is never fetched
	case oauth.JWTBearer, oauth.TokenExchange:
		c.Assertion.Token = auth.NewSecret(Assertion)
	}
	if flow == oauth.Silent && !plain {
		c.Scopes = []string{"openid", "offline_access"}
	}
	return c
}

// URL is the issuer, and the API's address, such as http://127.0.0.1:8080.
func (p *Provider) URL() string { return p.url }

// Transport returns a new transport that reaches this provider, and every other one in memory if this one is. Close closes
// its idle connections.
func (p *Provider) Transport() *http.Transport { return p.site.transport() }

// Close ends every request and connection, and waits until the handlers have returned. Calling it again does nothing.
func (p *Provider) Close() {
	p.noticed()
	p.site.close()
}

// Change changes the settings of the running provider: f gets them as changed so far. InMemory and API stay as they were. A
// mistake panics. f must not call the Provider.
func (p *Provider) Change(f func(*Config)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.config
	f(&c)
	c.InMemory, c.API = p.config.InMemory, p.config.API
	c = c.complete()
	if err := c.check(); err != nil {
		panic(err)
	}
	p.config = c
}

// handler routes requests.
func (p *Provider) handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, handler := range map[string]http.HandlerFunc{
		"GET " + string(OpenIDConfiguration): p.openIDDiscovery,
		"GET " + string(OAuthMetadata):       p.oauthMetadata,
		"GET " + string(ResourceMetadata):    p.resourceMetadata,
		"GET " + string(Keys):                p.jwks,
		"POST " + string(Register):           p.register,
		"POST " + string(Push):               p.push,
		"GET " + string(Authorize):           p.authorize,
		"GET /deep/down/authorize":           p.authorize, // for metadata that puts it there
		"GET /authorize/resume":              p.resume,
		"GET " + string(Login):               p.loginPage,
		"POST " + string(Login):              p.login,
		"POST " + string(Token):              p.token,
		"POST " + string(DeviceAuthorize):    p.deviceAuthorization,
		"POST " + string(Revoke):             p.revoke,
		"GET " + string(Logout):              p.logout,
	} {
		mux.HandleFunc(pattern, handler)
	}
	mux.HandleFunc("/.well-known/", http.NotFound)
	if api := p.config.API; api != nil {
		mux.Handle("/", p.Protect(api))
		return p.watch(mux)
	}
	mux.HandleFunc("/me", p.me)
	mux.HandleFunc("POST /echo", p.echo)
	return p.watch(mux)
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
