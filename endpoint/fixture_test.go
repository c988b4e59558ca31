package endpoint

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
	"github.com/silentrefresh/silentrefresh/internal/origin"
)

// asOrigin is where the exchange tests' auth server is, without a network.
const asOrigin = "https://as.test"

// A seen is what a request carried when it arrived.
type seen struct {
	method, uri, body string
	header            http.Header
}

func (s seen) cookie(name string) string {
	c, err := (&http.Request{Header: s.header}).Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

// A caller runs exchanges of one Settings against a handler.
type caller struct {
	tb  testing.TB
	e   *Exchanger
	jar *auth.Jar
	hc  *http.Client
	ctx context.Context

	mu   sync.Mutex
	seen []seen
}

// callerOf returns a caller for e as settings have it. The handler's responses do not cross a network.
func callerOf(tb testing.TB, e Settings, h http.HandlerFunc) *caller {
	tb.Helper()
	call := &caller{tb: tb, jar: auth.NewJar(), ctx: tb.Context()}
	call.bind(e, asOrigin)
	call.hc = &http.Client{Jar: call.jar, CheckRedirect: origin.SameOriginRedirects, Transport: call.record(h)}
	return call
}

// callerOver is callerOf over HTTP with a real server.
func callerOver(tb testing.TB, e Settings, server *httptest.Server) *caller {
	tb.Helper()
	call := &caller{tb: tb, jar: auth.NewJar(), ctx: tb.Context()}
	call.bind(e, server.URL)
	call.hc = &http.Client{Jar: call.jar, CheckRedirect: origin.SameOriginRedirects, Transport: server.Client().Transport}
	return call
}

func (call *caller) bind(e Settings, base string) {
	call.tb.Helper()
	bound, err := e.Bind(fakes.URL(call.tb, base), auth.Attach{})
	if err != nil {
		call.tb.Fatalf("bind: %v", err)
	}
	call.e = bound
}

func (call *caller) record(h http.HandlerFunc) fakes.RoundTripFunc {
	return func(req *http.Request) (*http.Response, error) {
		s := seen{method: req.Method, uri: req.URL.RequestURI(), header: req.Header.Clone()}
		if req.Body != nil {
			b, err := io.ReadAll(req.Body)
			if err != nil {
				return nil, err
			}
			s.body = string(b)
			req.Body = io.NopCloser(strings.NewReader(s.body))
		}
		call.mu.Lock()
		call.seen = append(call.seen, s)
		call.mu.Unlock()
		w := httptest.NewRecorder()
		h(w, req)
		resp := w.Result()
		resp.Request = req
		return resp, nil
	}
}

func (call *caller) last() seen {
	call.tb.Helper()
	if len(call.seen) == 0 {
		call.tb.Fatal("nothing was sent")
	}
	return call.seen[len(call.seen)-1]
}

// setCookie puts a cookie into the jar, as an earlier response of the server would have done.
func (call *caller) setCookie(line string) {
	call.tb.Helper()
	c, err := http.ParseSetCookie(line)
	if err != nil {
		call.tb.Fatal(err)
	}
	call.jar.SetCookies(call.e.base, []*http.Cookie{c})
}

func (call *caller) login(credentials any) (auth.Session, error) {
	return call.e.Exchange(call.ctx, call.hc, auth.Grant{Kind: auth.KindLogin, Credentials: credentials})
}

func (call *caller) refresh(old auth.Session) (auth.Session, error) {
	return call.e.Exchange(call.ctx, call.hc, auth.Grant{Kind: auth.KindRefresh, Old: old})
}

func (call *caller) logout(old auth.Session) error {
	_, err := call.e.Exchange(call.ctx, call.hc, auth.Grant{Kind: auth.KindLogout, Old: old})
	return err
}

// failure is the *auth.Error of a failed exchange.
func failure(tb testing.TB, err error) *auth.Error {
	tb.Helper()
	re, ok := errors.AsType[*auth.Error](err)
	if !ok {
		tb.Fatalf("got %v, want an *auth.Error", err)
	}
	return re
}

// lives is how long the access token of s lives.
func lives(s auth.Session) time.Duration {
	if s.Expires.IsZero() {
		return 0
	}
	return s.Expires.Sub(s.Issued)
}

func isNotRenewable(err error) bool { return errors.Is(err, auth.ErrNotRenewable) }

func contextCancelled(tb testing.TB) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(tb.Context())
	cancel()
	return ctx, cancel
}

// newServer is a server on a loopback port that ends with the test.
func newServer(tb testing.TB, h http.HandlerFunc) *httptest.Server {
	server := httptest.NewServer(h)
	tb.Cleanup(server.Close)
	return server
}

// settingsOf are settings as a configuration file has them.
func settingsOf(tb testing.TB, document string) Settings {
	tb.Helper()
	var e Settings
	d := json.NewDecoder(strings.NewReader(document))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		tb.Fatal(err)
	}
	return e
}

// recipe are the settings that docs/SERVERS.md has under a name. Beside them it has what is the tool's alone.
func recipe(tb testing.TB, name string) Settings {
	tb.Helper()
	document, err := os.ReadFile("../docs/SERVERS.md")
	if err != nil {
		tb.Fatal(err)
	}
	_, after, found := strings.Cut(string(document), "\n**"+name)
	_, block, _ := strings.Cut(after, "\n\n")
	block, _, _ = strings.Cut(block, "\n\n")
	if !found {
		tb.Fatalf("docs/SERVERS.md has no recipe for %s", name)
	}
	var r struct {
		Settings
		Attach, Ask, Credentials any
	}
	d := json.NewDecoder(strings.NewReader(block))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	return r.Settings
}
