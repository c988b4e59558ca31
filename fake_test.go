package silentrefresh

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
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
)

// fakeAS is an auth server and its API in one value: an Exchanger with one-use refresh tokens whose reuse ends the
// session, and the RoundTripper that the API requests end in.
type fakeAS struct {
	ttl time.Duration // lifetime of access tokens; 0: 15 min

	// before is called for each exchange, before it takes effect; an error is returned as it is.
	before func(ctx context.Context, g auth.Grant) error
	// after is called when the exchange has taken effect; an error makes the answer get lost.
	after func(g auth.Grant, s auth.Session) (auth.Session, error)
	// api decides about a request that carries a valid token; nil: 200.
	api func(*http.Request) (*http.Response, error)

	mu        sync.Mutex
	n         int
	access    map[string]bool
	refresh   string // the one that is good
	spent     map[string]bool
	logins    int
	refreshes int
	reuses    int
	logouts   []string
	calls     int
	sent      int
	refused   int
}

// Exchange implements Exchanger.
func (f *fakeAS) Exchange(ctx context.Context, _ *http.Client, g auth.Grant) (auth.Session, error) {
	f.mu.Lock()
	f.calls++
	before := f.before
	f.mu.Unlock()
	if before != nil {
		if err := before(ctx, g); err != nil {
			return auth.Session{}, err
		}
	}
	f.mu.Lock()
	s, err := f.commit(g)
	after := f.after
	f.mu.Unlock()
	if err == nil && after != nil {
		return after(g, s)
	}
	return s, err
}

func (f *fakeAS) commit(g auth.Grant) (auth.Session, error) {
	switch old := g.Old.RefreshToken.Reveal(); {
	case g.Kind == auth.KindLogout:
		f.logouts = append(f.logouts, old)
		if old == f.refresh {
			f.refresh = ""
		}
		return auth.Session{}, nil
	case g.Kind == auth.KindLogin:
		f.logins++
		f.refresh = "" // the account's other session is over, which is nobody's reuse
	case f.spent[old]:
		f.reuses++
		f.refresh, f.access = "", nil
		return auth.Session{}, invalidGrant()
	case old == "" || old != f.refresh:
		return auth.Session{}, invalidGrant()
	default:
		f.refreshes++
	}
	return f.issue(), nil
}

func invalidGrant() error {
	return &auth.Error{Op: auth.KindRefresh, Path: "/auth/refresh", Status: 401, Code: "invalid_grant", Refused: true}
}

func (f *fakeAS) issue() auth.Session {
	if f.spent == nil {
		f.spent = map[string]bool{}
	}
	if f.access == nil {
		f.access = map[string]bool{}
	}
	if f.refresh != "" {
		f.spent[f.refresh] = true
	}
	f.n++
	f.refresh = fmt.Sprintf("refresh-secret-%d", f.n)
	access := fmt.Sprintf("access-secret-%d", f.n)
	f.access[access] = true
	ttl := f.ttl
	if ttl == 0 {
		ttl = 15 * time.Minute
	}
	now := time.Now()
	return auth.Session{AccessToken: auth.NewSecret(access), RefreshToken: auth.NewSecret(f.refresh), Account: "ada@example.com",
		Subject: "1", Issued: now, Expires: now.Add(ttl)}
}

// set changes what the server does while it runs.
func (f *fakeAS) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// count is one of the counters.
func (f *fakeAS) count(n *int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return *n
}

// good is the refresh token that is good now.
func (f *fakeAS) good() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.refresh
}

// revoke makes every access token invalid.
func (f *fakeAS) revoke() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.access = map[string]bool{}
}

// RoundTrip implements http.RoundTripper: the API.
func (f *fakeAS) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		io.Copy(io.Discard, req.Body)
		req.Body.Close()
	}
	f.mu.Lock()
	f.sent++
	ok := f.access[strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")]
	if !ok {
		f.refused++
	}
	api := f.api
	f.mu.Unlock()
	if !ok {
		return answerTo(req, 401), nil
	}
	if api != nil {
		return api(req)
	}
	return answerTo(req, 200), nil
}

func answerTo(req *http.Request, status int) *http.Response {
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Header: http.Header{}, Request: req,
		Body: io.NopCloser(strings.NewReader(http.StatusText(status))), ProtoMajor: 1, ProtoMinor: 1}
}

func (f *fakeAS) counts() (logins, refreshes, reuses int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.logins, f.refreshes, f.reuses
}

// client returns a logged-in Client of f's.
func (f *fakeAS) client(tb testing.TB, change ...func(*Config)) *Client {
	tb.Helper()
	c := f.stranger(tb, change...)
	if err := c.Login(context.Background(), nil); err != nil {
		tb.Fatal(err)
	}
	return c
}

// stranger returns a Client of f's that is not logged in.
func (f *fakeAS) stranger(tb testing.TB, change ...func(*Config)) *Client {
	tb.Helper()
	cfg := Config{BaseURL: "https://api.example.com", Exchanger: f, Base: f}
	for _, ch := range change {
		ch(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	return c
}

// get sends one request and returns the status, 0 with an error.
func get(c *Client) (int, error) { return getCtx(context.Background(), c) }

func getCtx(ctx context.Context, c *Client) (int, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", "https://api.example.com/me", nil)
	if err != nil {
		return 0, err
	}
	resp, err := c.HTTPClient().Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, nil
}

// mustGet fails unless one request is answered with 200.
func mustGet(tb testing.TB, c *Client) {
	tb.Helper()
	if status, err := get(c); status != 200 {
		tb.Fatalf("GET /me: status %d, error %v", status, err)
	}
}

// revoked are the credentials that the server was asked to revoke.
func (f *fakeAS) revoked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.logouts)
}

// slowly makes the exchanges of one kind take d.
func slowly(kind auth.Kind, d time.Duration) func(context.Context, auth.Grant) error {
	return func(_ context.Context, g auth.Grant) error {
		if g.Kind == kind {
			time.Sleep(d)
		}
		return nil
	}
}

// gated makes refreshes wait for gate when they have taken effect, before their answer is here.
func gated(gate <-chan struct{}) func(auth.Grant, auth.Session) (auth.Session, error) {
	return func(g auth.Grant, s auth.Session) (auth.Session, error) {
		if g.Kind == auth.KindRefresh {
			<-gate
		}
		return s, nil
	}
}

// asBob makes every session somebody else's than ada's.
func asBob(_ auth.Grant, s auth.Session) (auth.Session, error) {
	s.Subject, s.Account = "2", "bob@example.com"
	return s, nil
}

// atOnce makes a request that finds no token fail instead of waiting.
func atOnce(cfg *Config) { cfg.MaxWait = -1 }

// stream is a request whose body can be sent only once.
func stream() *http.Request {
	req, _ := http.NewRequest("POST", "https://api.example.com/items", onlyReader{strings.NewReader("x")})
	return req
}

// down is an answer that may be better next time.
func down() error {
	return &auth.Error{Op: auth.KindRefresh, Path: "/auth/refresh", Status: 503, Unsent: true, Err: errors.New("down")}
}

// breakable is a switch: while it is set, every exchange is answered with down.
func (f *fakeAS) breakable() *atomic.Bool {
	var away atomic.Bool
	f.set(func() {
		f.before = func(context.Context, auth.Grant) error {
			if away.Load() {
				return down()
			}
			return nil
		}
	})
	return &away
}

// times runs fn n times at once and waits for all.
func times(n int, fn func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { fn(i) })
	}
	wg.Wait()
}

// exchangeFunc is an Exchanger that always succeeds.
type exchangeFunc func() auth.Session

// Exchange implements Exchanger.
func (f exchangeFunc) Exchange(context.Context, *http.Client, auth.Grant) (auth.Session, error) {
	return f(), nil
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
