package silentrefresh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/silentrefresh/silentrefresh/auth"
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

// A trader runs exchanges of one Endpoint against a handler.
type trader struct {
	tb  testing.TB
	e   *Endpoint
	jar *auth.Jar
	hc  *http.Client
	ctx context.Context

	mu   sync.Mutex
	seen []seen
}

// trading returns a trader for e as settings have it. The handler's answers do not cross a network.
func trading(tb testing.TB, e Endpoint, h http.HandlerFunc) *trader {
	tb.Helper()
	tr := &trader{tb: tb, jar: auth.NewJar(), ctx: tb.Context()}
	tr.bind(e, asOrigin)
	tr.hc = &http.Client{Jar: tr.jar, CheckRedirect: origin.SameOriginRedirects, Transport: tr.record(h)}
	return tr
}

// tradingWith is trading over HTTP with a real server.
func tradingWith(tb testing.TB, e Endpoint, server *httptest.Server) *trader {
	tb.Helper()
	tr := &trader{tb: tb, jar: auth.NewJar(), ctx: tb.Context()}
	tr.bind(e, server.URL)
	tr.hc = &http.Client{Jar: tr.jar, CheckRedirect: origin.SameOriginRedirects, Transport: server.Client().Transport}
	return tr
}

func (tr *trader) bind(e Endpoint, base string) {
	tr.tb.Helper()
	bound, err := e.bind(mustURL(tr.tb, base))
	if err != nil {
		tr.tb.Fatalf("bind: %v", err)
	}
	tr.e = bound
}

func (tr *trader) record(h http.HandlerFunc) roundTripFunc {
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
		tr.mu.Lock()
		tr.seen = append(tr.seen, s)
		tr.mu.Unlock()
		w := httptest.NewRecorder()
		h(w, req)
		resp := w.Result()
		resp.Request = req
		return resp, nil
	}
}

func (tr *trader) last() seen {
	tr.tb.Helper()
	if len(tr.seen) == 0 {
		tr.tb.Fatal("nothing was sent")
	}
	return tr.seen[len(tr.seen)-1]
}

// setCookie puts a cookie into the jar, as an earlier answer of the server would have done.
func (tr *trader) setCookie(line string) {
	tr.tb.Helper()
	c, err := http.ParseSetCookie(line)
	if err != nil {
		tr.tb.Fatal(err)
	}
	tr.jar.SetCookies(tr.e.base, []*http.Cookie{c})
}

func (tr *trader) login(credentials any) (auth.Session, error) {
	return tr.e.Exchange(tr.ctx, tr.hc, auth.Grant{Kind: auth.KindLogin, Credentials: credentials})
}

func (tr *trader) refresh(old auth.Session) (auth.Session, error) {
	return tr.e.Exchange(tr.ctx, tr.hc, auth.Grant{Kind: auth.KindRefresh, Old: old})
}

func (tr *trader) logout(old auth.Session) error {
	_, err := tr.e.Exchange(tr.ctx, tr.hc, auth.Grant{Kind: auth.KindLogout, Old: old})
	return err
}

// failure is the *RefreshError of a failed exchange.
func failure(tb testing.TB, err error) *auth.Error {
	tb.Helper()
	re, ok := errors.AsType[*auth.Error](err)
	if !ok {
		tb.Fatalf("got %v, want a *RefreshError", err)
	}
	return re
}

func mustURL(tb testing.TB, s string) *url.URL {
	tb.Helper()
	u, err := url.Parse(s)
	if err != nil {
		tb.Fatal(err)
	}
	return u
}

// respond answers always the same. A content type of "-" sends none.
func respond(status int, contentType, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		if contentType == "-" {
			w.Header()["Content-Type"] = nil
		}
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Add(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

func respondJSON(status int, body string, headers ...string) http.HandlerFunc {
	return respond(status, "application/json", body, headers...)
}

// inTurn answers with each handler once, and then with the last.
func inTurn(handlers ...http.HandlerFunc) http.HandlerFunc {
	var calls atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) {
		handlers[min(int(calls.Add(1)), len(handlers))-1](w, r)
	}
}

var jwtKey = []byte("0123456789abcdef0123456789abcdef")

// makeJWT signs claims given as name, value, name, value.
func makeJWT(tb testing.TB, pairs ...any) string {
	tb.Helper()
	c := jwt.MapClaims{}
	for i := 0; i+1 < len(pairs); i += 2 {
		c[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString(jwtKey)
	if err != nil {
		tb.Fatal(err)
	}
	return token
}

// lives is how long the access token of s lives.
func lives(s auth.Session) time.Duration {
	if s.Expires.IsZero() {
		return 0
	}
	return s.Expires.Sub(s.Issued)
}

func unixText(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

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
