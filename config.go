package silentrefresh

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/endpoint"
	"github.com/silentrefresh/silentrefresh/internal/match"
	"github.com/silentrefresh/silentrefresh/internal/once"
	"github.com/silentrefresh/silentrefresh/internal/origin"
	"github.com/silentrefresh/silentrefresh/internal/pace"
	"golang.org/x/net/http/httpguts"
	"golang.org/x/sync/singleflight"
)

// Config says where to log in and how to stay logged in. Its zero values are right for the common case; only BaseURL is
// needed. New copies it.
type Config struct {
	// BaseURL is the server's, for instance "https://api.example.com". Its origin gets the token.
	BaseURL string
	// Name is the session's in the Store, where one user has several, without |, line breaks and NUL; "": "default".
	Name string
	// Origins are more origins that get the token (scheme, host, port). To spell out an http one is to consent
	// to sending the token unencrypted.
	Origins []string
	// Endpoint says how the auth server is talked to; zero: POST with JSON to /auth/login, /auth/refresh and
	// /auth/logout, the refresh token in a cookie.
	Endpoint endpoint.Settings
	// Exchanger talks to the auth server in place of Endpoint, which is then left out; nil: Endpoint does. A Client
	// and its Forks call it concurrently.
	Exchanger auth.Exchanger
	// Attach says how requests carry the token; zero: Authorization: Bearer (RFC 6750 section 2.1).
	Attach auth.Attach
	// Base carries API calls and auth calls alike (certificates, a proxy, a socket); nil: http.DefaultTransport.
	Base http.RoundTripper
	// AuthBase carries the auth calls, where Base is not an *http.Transport that can be cloned: they must have a pool of
	// their own, in which API requests that wait for a refresh do not take their connections, and whose connections are
	// not reused. nil: a clone of Base, or else Base itself, of which New warns.
	AuthBase http.RoundTripper
	// Store keeps the session beyond this process; nil: nowhere.
	Store Store
	// MemoryOnly never writes the access token down, even encrypted. Each process then renews for itself.
	MemoryOnly bool

	// Timeout is the deadline of one exchange, of Credentials, and of each read of the Store; 0: 30 s; at most 24 h.
	Timeout time.Duration
	// MaxWait is how long a request without a usable token waits through a backoff; 0: 10 s; negative: not at
	// all. A refresh that is under way is always waited for, until the request's own context ends.
	MaxWait time.Duration
	// RefreshBefore is how long before its end a token is renewed, or up to a tenth of that earlier; at least a second,
	// since servers round ends down, and never more than half the lifetime; 0: about 20 % of the lifetime, and once after
	// a start, a failure or one of many logins much earlier, so that a fleet that was started together spreads.
	RefreshBefore time.Duration
	// MaxAge is when to renew a token whose lifetime is unknown, or earlier for the same reasons; 0: only when it is rejected.
	MaxAge time.Duration
	// IdleTimeout stops renewals in the background after that long without a request; the next request renews
	// first where needed. 0: never.
	IdleTimeout time.Duration
	// MaxExchanges bounds the refreshes that run at a time, and the logins by Credentials, for this Client and all
	// its Forks; 0: no bound. What a caller asks for with Login and Logout is not counted.
	MaxExchanges int

	// MaxReplayBody is the size, in bytes, up to which the body of a request is kept for a replay, where it has no GetBody and its
	// length is known; 0: 64 KiB; negative: none is.
	MaxReplayBody int64
	// HandOutHeader names a header of API responses in which the server hands out a newer access token; "": none.
	HandOutHeader string
	// RejectedStatus lists the statuses, from 400 to 499, by which the API says that the token is not valid (any more);
	// nil: 401, read by RFC 6750 section 3.1. A list stands alone: name 401 in it.
	RejectedStatus []int
	// RejectedIf are rules by which API responses reject the token, beside RejectedStatus: a redirect to a login page, or
	// words in a body, of which the first 64 KiB are looked at.
	RejectedIf []auth.ResponseMatch
	// Rejected decides instead of RejectedStatus and RejectedIf; nil: they do. It is called concurrently, and must not read
	// the body.
	Rejected func(*http.Response) bool

	// Credentials returns what logs in again without a person; nil: nobody does. It is called where no session is left,
	// inside the one refresh and under the record's lock, and has to return within Timeout. To ask a person there, check
	// auth.Foreground first, and make Timeout long enough for people.
	Credentials func(context.Context) (any, error)
	// Observe is told what happens, in order and one event at a time, outside every lock; it may call back. It runs on
	// another goroutine, and a little later. While 256 events wait for it, further ones are dropped and counted. A Client
	// and its Forks call it concurrently.
	Observe func(Event)
	// ObserveWait is told when a caller begins to wait for a token, with the caller's context and on its goroutine,
	// outside every lock; so it has to be quick. Of the Wait, Name and Trigger are set. What it returns, which may be
	// nil, is called in the same way with the whole Wait when that is over. It is called concurrently, and never for a
	// request that finds a usable token.
	ObserveWait func(context.Context, Wait) (over func(Wait))
	// Logger gets the same as Observe; nil: nobody does, except that warnings go to slog.Default() if Observe is nil as well.
	Logger *slog.Logger
}

// shared is what a Client and its Forks have in common. It does not change after New.
type shared struct {
	cfg           Config
	base          origin.Origin
	baseURL       *url.URL
	origins       origin.List
	cookies       auth.CookieAuthenticator // nil where a header carries the token
	renewsByToken bool                     // a refresh presents the access token, and no refresh token beside it
	tokenCookie   string                   // the cookie that is the access token; "": a header carries it
	header        string                   // that carries the token, in canonical form
	spellings     []string                 // of header that callers may use as well
	takes         bool                     // API responses may bring something for the session, or extend it
	statuses      []int                    // rejected ones; nil: 401 by RFC 6750
	rejectedIf    match.Rules              // other responses that reject the token
	api           http.RoundTripper
	auth          http.RoundTripper
	timeouts      auth.Timeouts      // that a person wrote down
	signer        auth.RequestSigner // nil: requests are not signed
	ownPool       bool               // auth calls have one
	slots         chan struct{}      // one for each exchange that may run; nil: no bound
	sessionPolicy policy
	warned        onceEach
	none          noStore // where there is no Store
	flights       singleflight.Group
	clients       atomic.Uint64 // that were made
	logins        pace.Crowd
}

func newShared(cfg Config) (*shared, error) {
	s := &shared{cfg: cfg}
	mistakes := slices.Concat(s.readOrigins(), s.readExchanger(), s.readNumbers())
	if len(mistakes) > 0 {
		return nil, fmt.Errorf("silentrefresh: the Config has mistakes: %w", errors.Join(mistakes...))
	}
	s.defaults()
	return s, nil
}

func (s *shared) readOrigins() (mistakes []error) {
	wrong := func(format string, args ...any) { mistakes = append(mistakes, fmt.Errorf(format, args...)) }
	for _, o := range s.cfg.Origins {
		parsed, err := origin.Parse(o)
		if err != nil {
			wrong("Origins: %q: %w", withoutSecrets(o), err)
			continue
		}
		s.origins = append(s.origins, parsed)
	}
	u, err := url.Parse(s.cfg.BaseURL)
	switch {
	case s.cfg.BaseURL == "":
		wrong(`BaseURL is missing; give the server's URL, for instance "https://api.example.com"`)
		return mistakes
	case !strings.Contains(s.cfg.BaseURL, "://"):
		wrong("BaseURL %q has neither https:// nor http://; write it as https://api.example.com", withoutSecrets(s.cfg.BaseURL))
		return mistakes
	case err != nil:
		wrong("BaseURL cannot be parsed; write it as https://api.example.com")
		return mistakes
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		wrong("BaseURL: give it without user, query and fragment; credentials go to Login")
		return mistakes
	}
	o, err := origin.Of(u)
	if err != nil {
		wrong("BaseURL %q: %w", withoutSecrets(s.cfg.BaseURL), err)
		return mistakes
	}
	if o.Scheme == "http" && !origin.Loopback(u.Hostname()) && !slices.Contains(s.origins, o) {
		wrong("BaseURL: %w", origin.PlainHTTP(o))
	}
	s.base, s.baseURL = o, u
	s.origins = append(origin.List{{Scheme: strings.ToLower(u.Scheme), Host: u.Host}, o}, s.origins...) // as it is written first: it is the usual one
	return mistakes
}

func (s *shared) readExchanger() (mistakes []error) {
	if err := s.cfg.Attach.Check(); err != nil {
		mistakes = append(mistakes, err)
	}
	if s.cfg.Exchanger == nil {
		base := s.baseURL
		if base == nil { // a mistake of its own, beside which those of the Endpoint are to be named
			base = &url.URL{Scheme: "https", Host: "base.invalid"}
		}
		bound, err := s.cfg.Endpoint.Bind(base, s.cfg.Attach)
		if err != nil {
			return append(mistakes, err)
		}
		s.cfg.Exchanger = bound
	} else if !reflect.ValueOf(s.cfg.Endpoint).IsZero() {
		mistakes = append(mistakes, errors.New("Endpoint and Exchanger are both set; leave one of the two out"))
	}
	needsToken := false
	if err := shielded("the Exchanger", func() error { needsToken = s.askExchanger(); return nil }); err != nil {
		mistakes = append(mistakes, err)
	}
	if needsToken && s.cfg.MemoryOnly && s.cfg.Store != nil {
		mistakes = append(mistakes, errors.New("MemoryOnly: the refresh endpoint wants the old access token "+
			"(refresh.access_token_field, refresh.access_token_header), which would then be lost at the end of the process; "+
			"leave one of the two out"))
	}
	return mistakes
}

// askExchanger asks which cookie is the access token, how long sessions live, and whether a refresh needs the token.
func (s *shared) askExchanger() (needsToken bool) {
	if x, ok := s.cfg.Exchanger.(auth.CookieAuthenticator); ok {
		if name := x.TokenCookie(); name != "" {
			s.cookies, s.tokenCookie = x, name
		}
	}
	s.signer, _ = s.cfg.Exchanger.(auth.RequestSigner)
	if x, ok := s.cfg.Exchanger.(auth.TimeoutKeeper); ok {
		s.timeouts = x.Timeouts()
	}
	x, ok := s.cfg.Exchanger.(auth.AccessTokenUser)
	s.renewsByToken = ok && x.RefreshNeedsAccessToken()
	return s.renewsByToken
}

func (s *shared) readNumbers() (mistakes []error) {
	for name, d := range map[string]time.Duration{
		"Timeout": s.cfg.Timeout, "RefreshBefore": s.cfg.RefreshBefore, "MaxAge": s.cfg.MaxAge, "IdleTimeout": s.cfg.IdleTimeout,
	} {
		if d < 0 {
			mistakes = append(mistakes, fmt.Errorf("%s is negative (%s); leave it 0 for the default", name, d))
		} else if err := tooShort(name, d); err != nil {
			mistakes = append(mistakes, err)
		}
	}
	if err := tooShort("MaxWait", s.cfg.MaxWait); err != nil {
		mistakes = append(mistakes, err)
	}
	if s.cfg.MaxExchanges < 0 {
		mistakes = append(mistakes, fmt.Errorf("MaxExchanges is negative (%d); leave it 0 for no bound", s.cfg.MaxExchanges))
	}
	for _, code := range s.cfg.RejectedStatus {
		if code < 400 || code > 499 {
			mistakes = append(mistakes, fmt.Errorf("RejectedStatus: %d is not a client error; list statuses from 400 to 499", code))
		}
	}
	if err := match.Rules(s.cfg.RejectedIf).Check(); err != nil {
		mistakes = append(mistakes, fmt.Errorf("RejectedIf: %w", err))
	}
	if err := checkName(s.cfg.Name); err != nil {
		mistakes = append(mistakes, err)
	}
	if s.cfg.HandOutHeader != "" && !httpguts.ValidHeaderFieldName(s.cfg.HandOutHeader) {
		mistakes = append(mistakes, fmt.Errorf("HandOutHeader %q is not a header name", s.cfg.HandOutHeader))
	}
	slices.SortFunc(mistakes, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return mistakes
}

// tooShort finds durations that were meant as seconds: MaxAge: 300 is 300 ns.
func tooShort(name string, d time.Duration) error {
	if d <= 0 || d >= time.Millisecond {
		return nil
	}
	return fmt.Errorf("%s is %s, which is shorter than anything can be; write %d*time.Second if that was meant", name, d, d.Nanoseconds())
}

func checkName(name string) error {
	if strings.ContainsAny(name, "|\x00\n") {
		return fmt.Errorf("Name %q: leave out |, line breaks and NUL", name)
	}
	return nil
}

// storeKey is the key of the session of that name in the Store: two paths of one origin are two servers.
func (s *shared) storeKey(name string) string {
	return s.base.String() + strings.TrimRight(s.baseURL.EscapedPath(), "/") + "|" + name
}

// flightKey is a key of its own for each Client. They share one Group, whose map would be most of an idle session.
func (s *shared) flightKey() string { return strconv.FormatUint(s.clients.Add(1), 36) }

func (s *shared) defaults() {
	cfg := &s.cfg
	if cfg.Name == "" {
		cfg.Name = "default"
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 30 * time.Second
	}
	cfg.Timeout = min(cfg.Timeout, 24*time.Hour) // sums of it must not overflow
	if cfg.MaxWait == 0 {
		cfg.MaxWait = 10 * time.Second
	}
	if cfg.MaxReplayBody == 0 {
		cfg.MaxReplayBody = 64 << 10
	}
	if cfg.MaxExchanges > 0 {
		s.slots = make(chan struct{}, cfg.MaxExchanges)
	}
	s.statuses, s.rejectedIf = slices.Clone(cfg.RejectedStatus), slices.Clone(cfg.RejectedIf)
	s.sessionPolicy = policy{
		renewBefore: cfg.RefreshBefore, maxAge: cfg.MaxAge, idleTimeout: cfg.IdleTimeout, timeouts: s.timeouts, maxWait: cfg.MaxWait,
		hasStore: cfg.Store != nil, logsInAgain: cfg.Credentials != nil, onlyWarnings: cfg.Observe == nil && cfg.Logger == nil,
	}
	s.api = cfg.Base
	if s.api == nil {
		s.api = http.DefaultTransport
	}
	s.auth = once.Transport(cmp.Or(cfg.AuthBase, s.api))
	s.ownPool = cfg.AuthBase != nil || once.HasOwnPool(s.api)
	s.takes = cfg.HandOutHeader != "" || cfg.Attach.Cookies || s.tokenCookie != "" || s.timeouts.Idle > 0
	asWritten, _ := cfg.Attach.Value("")
	s.header = http.CanonicalHeaderKey(asWritten)
	s.spellings = []string{strings.ToLower(s.header)}
	if asWritten != s.header && asWritten != s.spellings[0] {
		s.spellings = append(s.spellings, asWritten)
	}
}

// withoutSecrets is a URL of the caller's for an error: nothing of it but scheme and host.
func withoutSecrets(s string) string {
	u, err := url.Parse(s)
	switch {
	case !strings.ContainsAny(s, "@?#"):
		return s
	case err != nil:
		return "..."
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
