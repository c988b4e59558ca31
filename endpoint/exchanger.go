package endpoint

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/echo"
	"github.com/silentrefresh/silentrefresh/internal/response"
)

// An Exchanger talks to one server as Settings say. It is made by Settings.Bind, does not change, and is safe for
// concurrent use.
type Exchanger struct {
	Settings // with every default filled in

	base   *url.URL    // the server
	attach auth.Attach // how API requests carry the token
}

var (
	_ auth.Exchanger           = (*Exchanger)(nil)
	_ auth.RenewalChecker      = (*Exchanger)(nil)
	_ auth.TokenChecker        = (*Exchanger)(nil)
	_ auth.AccessTokenUser     = (*Exchanger)(nil)
	_ auth.CookieAuthenticator = (*Exchanger)(nil)
)

// RefreshNeedsAccessToken implements auth.AccessTokenUser.
func (e *Exchanger) RefreshNeedsAccessToken() bool {
	return e.Refresh.sendsAccessToken() && e.Refresh.RefreshTokenField == ""
}

// TokenCookie implements auth.CookieAuthenticator.
func (e *Exchanger) TokenCookie() string { return e.AccessToken.Cookie }

// SendsCookie implements auth.CookieAuthenticator.
func (e *Exchanger) SendsCookie(name string) bool { return e.CSRF.isCookie(name) }

// Exchange implements auth.Exchanger. A refresh whose response was lost presents its credential once more at once, since
// most servers grant some seconds for that; a login or a logout that did not reach the server is tried up to three
// times. Every failure of a call is an *auth.Error.
func (e *Exchanger) Exchange(ctx context.Context, hc *http.Client, g auth.Grant) (auth.Session, error) {
	x, err := e.newExchange(hc, g)
	if err != nil {
		return auth.Session{}, err
	}
	if x.call.target == nil {
		return auth.Session{}, nil // a logout that the server need not know of
	}
	for again := false; ; again = true {
		if fail := x.fetchCSRF(ctx, again); fail != nil {
			return auth.Session{}, fail
		}
		x.do(ctx)
		if !x.csrfFailed || again || x.e.CSRF.target == nil {
			break
		}
	}
	if x.fail != nil {
		return x.session, x.fail
	}
	return x.session, nil
}

// call is the settings' endpoint for kind.
func (e *Exchanger) call(kind auth.Kind) *Call {
	switch kind {
	case auth.KindLogin:
		return &e.Login
	case auth.KindLogout:
		return &e.Logout
	default:
		return &e.Refresh
	}
}

// exchange is one Exchange under way.
type exchange struct {
	e     *Exchanger
	call  *Call
	hc    *http.Client
	grant auth.Grant

	url         *url.URL
	body        any // []byte, or nil for none
	contentType string
	csrf        auth.Secret // what an earlier response gave

	wire        wire
	issued      time.Time       // when the attempt was sent
	sent        map[string]bool // the names of the cookies that it carried
	credentials []string        // those of them that are the credential, as far as one can tell
	carried     *echo.Sent      // what the call carries that nobody may see, once it was asked for
	lost        bool            // the response to an attempt was lost, and another attempt was made

	session    auth.Session
	fail       *auth.Error // why the last attempt failed, nil if it did not
	csrfFailed bool        // it failed for want of a CSRF token that is good
}

func (e *Exchanger) newExchange(hc *http.Client, g auth.Grant) (*exchange, error) {
	x := &exchange{e: e, call: e.call(g.Kind), hc: hc, grant: g, csrf: g.Old.CSRF}
	if x.call.target == nil && g.Kind != auth.KindLogout {
		return nil, x.withoutCall()
	}
	if x.call.target == nil {
		return x, nil
	}
	if g.Kind == auth.KindRefresh {
		if err := e.presents(g.Old, x.cookies()); err != nil {
			return nil, err
		}
	}
	fields, err := x.call.fields(g)
	if err != nil {
		return nil, x.unsent(err)
	}
	body, contentType, err := x.call.encode(fields)
	if err != nil {
		return nil, x.unsent(err)
	}
	x.url, x.contentType = x.call.address(fields), contentType
	if contentType != "" {
		x.body = body
	}
	return x, nil
}

// withoutCall is the failure of an exchange for which the server has no endpoint.
func (x *exchange) withoutCall() error {
	if x.grant.Kind == auth.KindRefresh {
		return fmt.Errorf(`%w: the server has no refresh endpoint (refresh.url is "-")`, auth.ErrNotRenewable)
	}
	return x.unsent(errors.New(`the server has no login endpoint (login.url is "-"); bring a session with Resume`))
}

// failure is an *auth.Error about this call.
func (x *exchange) failure() *auth.Error {
	f := &auth.Error{Op: x.grant.Kind}
	if x.call.target != nil {
		f.Path = x.call.target.Path
	}
	return f
}

// unsent is the failure of a call that was not made.
func (x *exchange) unsent(err error) *auth.Error {
	f := x.failure()
	f.Unsent, f.Err = true, err
	return f
}

// cookies are those that the call's URL gets, apart from what only protects against CSRF.
func (x *exchange) cookies() []*http.Cookie {
	if x.hc.Jar == nil {
		return nil
	}
	var credentials []*http.Cookie
	for _, c := range x.hc.Jar.Cookies(x.call.target) {
		if !x.e.CSRF.isCookie(c.Name) {
			credentials = append(credentials, c)
		}
	}
	return credentials
}

// do makes the call, and makes it again where that is safe.
func (x *exchange) do(ctx context.Context) {
	if ctx.Err() != nil {
		x.fail = x.unsent(context.Cause(ctx))
		return
	}
	client := &retryablehttp.Client{
		HTTPClient:   x.hc,
		RetryMax:     retryMax(x.grant.Kind),
		CheckRetry:   x.judge,
		Backoff:      x.backoff,
		PrepareRetry: x.dress,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	req, err := retryablehttp.NewRequestWithContext(x.wire.watch(ctx), x.call.Method, x.url.String(), x.body)
	if err != nil {
		x.fail = x.unsent(errors.New("the request cannot be made of these settings"))
		return
	}
	x.fail = nil
	x.dress(req.Request)
	client.Do(req) // judge has seen every response, and closed it
	x.conclude()
}

func retryMax(kind auth.Kind) int {
	if kind == auth.KindRefresh {
		return 1
	}
	return 2
}

// dress gives req its headers, anew for each attempt: the jar's cookies are added to them while it is sent, and
// must not be there twice.
func (x *exchange) dress(req *http.Request) error {
	req.Header = http.Header{"Accept": {"application/json"}, "User-Agent": {"silentrefresh/1"}}
	if x.contentType != "" {
		req.Header.Set("Content-Type", x.contentType)
	}
	if name, value := x.e.csrfFor(x.hc.Jar, x.url, x.csrf, x.e.CSRF.Cookie); name != "" {
		req.Header.Set(name, value)
	}
	if token := x.grant.Old.AccessToken; x.call.AccessTokenHeader != "" && !token.IsZero() {
		req.Header.Set(x.e.carrier(x.call.AccessTokenHeader).Value(token.Reveal()))
	}
	if token := x.grant.Old.RefreshToken; x.call.RefreshTokenHeader != "" && !token.IsZero() {
		req.Header.Set(auth.Attach{Header: x.call.RefreshTokenHeader}.Value(token.Reveal()))
	}
	x.call.fixedHeaders(req)
	x.sent = map[string]bool{}
	for _, c := range x.cookies() {
		x.sent[c.Name] = true
	}
	x.credentials, x.carried = x.e.likeliest(x.hc.Jar, x.sent), nil
	x.wire.reset()
	x.issued = time.Now()
	return nil
}

// carrier is how the header of that name carries an access token.
func (e *Exchanger) carrier(header string) auth.Attach {
	if name, _ := e.attach.Value(""); strings.EqualFold(name, header) {
		return e.attach
	}
	return auth.Attach{Header: header}
}

// fixedHeaders sets the headers of the settings, over all others.
func (c *Call) fixedHeaders(req *http.Request) {
	for name, value := range c.Headers {
		if http.CanonicalHeaderKey(name) == "Host" {
			req.Host = value
		} else {
			req.Header.Set(name, value)
		}
	}
}

// judge is the retry policy, and looks at each response: at its body, too, because a response that breaks off is a
// lost one.
func (x *exchange) judge(ctx context.Context, resp *http.Response, err error) (again bool, _ error) {
	x.session, x.csrfFailed = auth.Session{}, false
	if err != nil {
		x.fail = x.broken(resp, err)
	} else {
		a := response.Read(resp, x.issued)
		resp.Body = http.NoBody
		x.session, x.fail = x.accept(a)
		if status := x.call.redirectRefuses(resp); status != 0 {
			x.session, x.fail = auth.Session{}, x.failure()
			x.fail.Status, x.fail.Refused = status, true
		}
	}
	if x.fail == nil || ctx.Err() != nil {
		return false, nil
	}
	if x.grant.Kind != auth.KindRefresh {
		return x.fail.Unsent && time.Until(x.fail.Until) < 2*time.Second && (x.fail.Status == 0 || !x.fail.Until.IsZero()), nil
	}
	again = x.fail.MaybeSpent && !x.lost && !x.fail.Until.After(time.Now()) && x.stillThere()
	x.lost = x.lost || again
	return again, nil
}

// stillThere reports whether the jar has the cookies that were sent: an error page may have cleared them, and what
// is left is not the same credential.
func (x *exchange) stillThere() bool {
	left := map[string]bool{}
	for _, c := range x.cookies() {
		left[c.Name] = true
	}
	for name := range x.sent {
		if !left[name] {
			return false
		}
	}
	return true
}

// backoff is how long to wait before the next attempt: not at all for a lost response, whose grace is running.
func (x *exchange) backoff(_, _ time.Duration, n int, _ *http.Response) time.Duration {
	switch {
	case x.grant.Kind == auth.KindRefresh:
		return 0
	case !x.fail.Until.IsZero():
		return max(time.Until(x.fail.Until), 0)
	default:
		return 100 * time.Millisecond << n
	}
}

// conclude adds to the failure of the last attempt what was learned from the one before it, and what to do.
func (x *exchange) conclude() {
	if x.fail == nil {
		return
	}
	if x.lost {
		x.fail.Interrupted = true
		x.fail.MaybeSpent = !x.fail.Refused
		x.fail.Unsent = false
	}
	if x.fail.Refused && x.tooLate() {
		x.fail.Hint = "the access token is the only credential here, and it had ended: it was too late to renew it; " +
			"renew earlier, and log in again now"
	}
}

// tooLate reports whether the access token alone was presented, after its end.
func (x *exchange) tooLate() bool {
	old := x.grant.Old
	return x.grant.Kind == auth.KindRefresh && x.e.needsLiveToken(old, x.cookies()) &&
		!old.Expires.IsZero() && !x.issued.Before(old.Expires)
}
