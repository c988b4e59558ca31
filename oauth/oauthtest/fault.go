package oauthtest

import (
	"cmp"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// An Endpoint is a path of the provider's.
type Endpoint string

// The endpoints.
const (
	Authorize           Endpoint = "/authorize"
	Login               Endpoint = "/login" // the page at which a person logs in
	Token               Endpoint = "/token"
	DeviceAuthorize     Endpoint = "/device_authorization"
	Revoke              Endpoint = "/revoke"
	Logout              Endpoint = "/logout"
	Register            Endpoint = "/register"
	Push                Endpoint = "/par"
	Keys                Endpoint = "/jwks"
	OpenIDConfiguration Endpoint = "/.well-known/openid-configuration"
	OAuthMetadata       Endpoint = "/.well-known/oauth-authorization-server" // of a plain server
	ResourceMetadata    Endpoint = "/.well-known/oauth-protected-resource"   // of the API
)

var endpoints = []Endpoint{Authorize, Login, Token, DeviceAuthorize, Revoke, Logout, Register, Push, Keys,
	OpenIDConfiguration, OAuthMetadata, ResourceMetadata}

// A FaultKind says what goes wrong.
type FaultKind string

// The kinds of faults.
const (
	Drop    FaultKind = "drop"    // the connection closes without a response
	Hang    FaultKind = "hang"    // nothing is said until the client goes away
	Status  FaultKind = "status"  // a response with Fault.Status, Header and Body
	HTML    FaultKind = "html"    // 200 with a page, as a captive portal has it
	Garbage FaultKind = "garbage" // 200 with JSON that is none
)

// A Fault is something that goes wrong at an endpoint.
type Fault struct {
	// Kind is what goes wrong.
	Kind FaultKind
	// At is where. "": at Token.
	At Endpoint
	// Times is how many requests it happens to. 0: one.
	Times int
	// Commit means that the provider does its work first (a refresh token is spent, say) and only the response suffers.
	// Otherwise it is as if the request had never reached it.
	Commit bool
	// Status is the status of a Status fault. 0: 500.
	Status int
	// Header is its header. Without a Content-Type the body is taken for JSON.
	Header map[string]string
	// Body is its body.
	Body string
}

// Fault lets things go wrong at the next requests, one after the other: each fault waits until those before it, at the same
// endpoint, have happened. A misspelt kind or endpoint panics.
func (p *Provider) Fault(script ...Fault) {
	script = slices.Clone(script)
	for i := range script {
		f := &script[i]
		if f.At == "" {
			f.At = Token
		}
		if !slices.Contains(endpoints, f.At) || !slices.Contains([]FaultKind{Drop, Hang, Status, HTML, Garbage}, f.Kind) {
			panic("oauthtest: Fault: there is no kind " + strconv.Quote(string(f.Kind)) + " at endpoint " + strconv.Quote(string(f.At)))
		}
		f.Header = maps.Clone(f.Header)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range script {
		for range max(1, f.Times) {
			p.faults[f.At] = append(p.faults[f.At], f)
		}
	}
}

// ClearFaults forgets the faults that have not happened yet.
func (p *Provider) ClearFaults() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.faults)
}

// watch counts requests, and lets things go wrong.
func (p *Provider) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, intercept, away := p.next(Endpoint(r.URL.Path))
		switch {
		case intercept != nil && intercept(w, r):
		case away:
			http.Error(w, "the provider is down", http.StatusServiceUnavailable)
		case f.Kind == "":
			next.ServeHTTP(w, r)
		default:
			if f.Commit {
				next.ServeHTTP(&unheard{header: http.Header{}}, r)
			}
			f.play(w, r, p.site.closing)
		}
	})
}

// next counts a request, and says what happens to it.
func (p *Provider) next(at Endpoint) (f Fault, intercept func(http.ResponseWriter, *http.Request) bool, away bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[at]++
	away = p.down && (slices.Contains(endpoints, at) || strings.HasPrefix(string(at), string(Authorize)))
	if queue := p.faults[at]; len(queue) > 0 && !away {
		f, p.faults[at] = queue[0], queue[1:]
	}
	return f, p.config.Intercept, away
}

// play responds as f has it.
func (f Fault) play(w http.ResponseWriter, r *http.Request, closing <-chan struct{}) {
	switch f.Kind {
	case Drop:
		panic(http.ErrAbortHandler)
	case Hang:
		select {
		case <-r.Context().Done():
		case <-closing:
		}
	case HTML:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, "<!doctype html><title>Welcome</title><p>Please accept our terms to use this network.</p>\n")
	case Garbage:
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"access_token":`+"\x00\xff"+`"}]`)
	case Status:
		w.Header().Set("Content-Type", "application/json")
		for name, value := range f.Header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(cmp.Or(f.Status, http.StatusInternalServerError))
		io.WriteString(w, f.Body)
	}
}

// unheard takes a response that nobody gets.
type unheard struct{ header http.Header }

func (u *unheard) Header() http.Header         { return u.header }
func (u *unheard) WriteHeader(int)             {}
func (u *unheard) Write(b []byte) (int, error) { return len(b), nil }
