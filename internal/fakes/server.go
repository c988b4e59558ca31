// Package fakes has the auth servers, responses and stores that tests of several packages play against.
package fakes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
)

// Server is an auth server and its API in one value: an Exchanger with one-use refresh tokens whose reuse ends the
// session, and the RoundTripper that the API requests end in.
type Server struct {
	TTL time.Duration // lifetime of access tokens; 0: 15 min

	// Before is called for each exchange, before it takes effect; an error is returned as it is.
	Before func(ctx context.Context, g auth.Grant) error
	// After is called when the exchange has taken effect; an error makes the response get lost.
	After func(g auth.Grant, s auth.Session) (auth.Session, error)
	// API decides about a request that carries a valid token; nil: 200.
	API func(*http.Request) (*http.Response, error)

	Mu        sync.Mutex
	n         int
	Access    map[string]bool
	Refresh   string // the one that is good
	Spent     map[string]bool
	logins    int
	Refreshes int
	reuses    int
	Logouts   []string
	Calls     int
	Sent      int
	Refused   int
}

// Exchange implements Exchanger.
func (f *Server) Exchange(ctx context.Context, _ *http.Client, g auth.Grant) (auth.Session, error) {
	f.Mu.Lock()
	f.Calls++
	before := f.Before
	f.Mu.Unlock()
	if before != nil {
		if err := before(ctx, g); err != nil {
			return auth.Session{}, err
		}
	}
	f.Mu.Lock()
	s, err := f.commit(g)
	after := f.After
	f.Mu.Unlock()
	if err == nil && after != nil {
		return after(g, s)
	}
	return s, err
}

func (f *Server) commit(g auth.Grant) (auth.Session, error) {
	switch old := g.Old.RefreshToken.Reveal(); {
	case g.Kind == auth.KindLogout:
		f.Logouts = append(f.Logouts, old)
		if old == f.Refresh {
			f.Refresh = ""
		}
		return auth.Session{}, nil
	case g.Kind == auth.KindLogin:
		f.logins++
		f.Refresh = "" // the account's other session is over, which is nobody's reuse
	case f.Spent[old]:
		f.reuses++
		f.Refresh, f.Access = "", nil
		return auth.Session{}, InvalidGrant()
	case old == "" || old != f.Refresh:
		return auth.Session{}, InvalidGrant()
	default:
		f.Refreshes++
	}
	return f.Issue(), nil
}

func InvalidGrant() error {
	return &auth.Error{Op: auth.KindRefresh, Path: "/auth/refresh", Status: 401, Code: "invalid_grant", Refused: true}
}

func (f *Server) Issue() auth.Session {
	if f.Spent == nil {
		f.Spent = map[string]bool{}
	}
	if f.Access == nil {
		f.Access = map[string]bool{}
	}
	if f.Refresh != "" {
		f.Spent[f.Refresh] = true
	}
	f.n++
	f.Refresh = fmt.Sprintf("refresh-secret-%d", f.n)
	access := fmt.Sprintf("access-secret-%d", f.n)
	f.Access[access] = true
	ttl := f.TTL
	if ttl == 0 {
		ttl = 15 * time.Minute
	}
	now := time.Now()
	return auth.Session{AccessToken: auth.NewSecret(access), RefreshToken: auth.NewSecret(f.Refresh), Account: "ada@example.com",
		Subject: "1", Issued: now, Expires: now.Add(ttl)}
}

// Set changes what the server does while it runs.
func (f *Server) Set(change func()) {
	f.Mu.Lock()
	defer f.Mu.Unlock()
	change()
}

// Count is one of the counters.
func (f *Server) Count(n *int) int {
	f.Mu.Lock()
	defer f.Mu.Unlock()
	return *n
}

// Good is the refresh token that is good now.
func (f *Server) Good() string {
	f.Mu.Lock()
	defer f.Mu.Unlock()
	return f.Refresh
}

// Revoke makes every access token invalid.
func (f *Server) Revoke() {
	f.Mu.Lock()
	defer f.Mu.Unlock()
	f.Access = map[string]bool{}
}

// RoundTrip implements http.RoundTripper: the API.
func (f *Server) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		io.Copy(io.Discard, req.Body)
		req.Body.Close()
	}
	f.Mu.Lock()
	f.Sent++
	ok := f.Access[strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")]
	if !ok {
		f.Refused++
	}
	api := f.API
	f.Mu.Unlock()
	if !ok {
		return ResponseTo(req, 401), nil
	}
	if api != nil {
		return api(req)
	}
	return ResponseTo(req, 200), nil
}

func ResponseTo(req *http.Request, status int) *http.Response {
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Header: http.Header{}, Request: req,
		Body: io.NopCloser(strings.NewReader(http.StatusText(status))), ProtoMajor: 1, ProtoMinor: 1}
}

func (f *Server) Counts() (logins, refreshes, reuses int) {
	f.Mu.Lock()
	defer f.Mu.Unlock()
	return f.logins, f.Refreshes, f.reuses
}

// Revoked are the credentials that the server was asked to revoke.
func (f *Server) Revoked() []string {
	f.Mu.Lock()
	defer f.Mu.Unlock()
	return slices.Clone(f.Logouts)
}

// Slowly makes the exchanges of one kind take d.
func Slowly(kind auth.Kind, d time.Duration) func(context.Context, auth.Grant) error {
	return func(_ context.Context, g auth.Grant) error {
		if g.Kind == kind {
			time.Sleep(d)
		}
		return nil
	}
}

// Gated makes refreshes wait for gate when they have taken effect, before their response is here.
func Gated(gate <-chan struct{}) func(auth.Grant, auth.Session) (auth.Session, error) {
	return func(g auth.Grant, s auth.Session) (auth.Session, error) {
		if g.Kind == auth.KindRefresh {
			<-gate
		}
		return s, nil
	}
}

// AsBob makes every session somebody else's than ada's.
func AsBob(_ auth.Grant, s auth.Session) (auth.Session, error) {
	s.Subject, s.Account = "2", "bob@example.com"
	return s, nil
}

// Down is a response that may be better next time.
func Down() error {
	return &auth.Error{Op: auth.KindRefresh, Path: "/auth/refresh", Status: 503, Unsent: true, Err: errors.New("down")}
}

// Breakable is a switch: while it is set, every exchange fails with down.
func (f *Server) Breakable() *atomic.Bool {
	var away atomic.Bool
	f.Set(func() {
		f.Before = func(context.Context, auth.Grant) error {
			if away.Load() {
				return Down()
			}
			return nil
		}
	})
	return &away
}

// Times runs fn n times at once and waits for all.
func Times(n int, fn func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { fn(i) })
	}
	wg.Wait()
}

// ExchangeFunc is an Exchanger that always succeeds.
type ExchangeFunc func() auth.Session

// Exchange implements Exchanger.
func (f ExchangeFunc) Exchange(context.Context, *http.Client, auth.Grant) (auth.Session, error) {
	return f(), nil
}
