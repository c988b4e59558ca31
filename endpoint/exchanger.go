package endpoint

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
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
	_ auth.SubjectReader       = (*Exchanger)(nil)
	_ auth.AccessTokenUser     = (*Exchanger)(nil)
	_ auth.CookieAuthenticator = (*Exchanger)(nil)
	_ auth.LogoutTokenUser     = (*Exchanger)(nil)
	_ auth.TimeoutKeeper       = (*Exchanger)(nil)
)

// RefreshNeedsAccessToken implements auth.AccessTokenUser.
func (e *Exchanger) RefreshNeedsAccessToken() bool {
	return e.Refresh.sendsAccessToken() && !e.Refresh.sendsRefreshToken()
}

// LogoutNeedsAccessToken implements auth.LogoutTokenUser.
func (e *Exchanger) LogoutNeedsAccessToken() bool {
	return e.Logout.target != nil && (e.Logout.sendsAccessToken() || e.AccessToken.Cookie != "")
}

// Timeouts implements auth.TimeoutKeeper.
func (e *Exchanger) Timeouts() auth.Timeouts {
	return auth.Timeouts{
		Token: time.Duration(e.AccessToken.Lifetime), Idle: time.Duration(e.Session.IdleTimeout),
		Absolute: time.Duration(e.Session.AbsoluteTimeout),
	}
}

// TokenCookie implements auth.CookieAuthenticator.
func (e *Exchanger) TokenCookie() string { return e.AccessToken.Cookie }

// SendsCookie implements auth.CookieAuthenticator.
func (e *Exchanger) SendsCookie(name string) bool { return e.CSRF.isCookie(name) }

// Exchange implements auth.Exchanger. A refresh whose response was lost presents its credential once more at once, since
// most servers grant some seconds for that; a login or a logout that did not reach the server is tried up to three
// times. A cookie that has ended by this machine's clock alone is presented before a session is given up. Every failure
// of a call is an *auth.Error.
func (e *Exchanger) Exchange(ctx context.Context, hc *http.Client, g auth.Grant) (auth.Session, error) {
	x, err := e.newExchange(hc, g)
	if err != nil || x.call.target == nil {
		return auth.Session{}, err // a logout that the server need not know of
	}
	x.run(ctx)
	if x.fail != nil && x.fail.Refused && x.revive() {
		x.run(ctx)
	}
	if x.fail != nil {
		return x.session, x.fail
	}
	if g.Kind == auth.KindLogin {
		x.renewCSRF(ctx)
	}
	return x.session, nil
}

// run makes the call with all that it takes, and once more where the CSRF token was too old.
func (x *exchange) run(ctx context.Context) {
	for again := false; ; again = true {
		if x.fail = x.fetchCSRF(ctx, again); x.fail != nil {
			return
		}
		if x.fail = x.prepare(ctx); x.fail != nil {
			return
		}
		x.do(ctx)
		if !x.csrfFailed || again || x.e.CSRF.target == nil {
			return
		}
	}
}

// revive makes the cookies that have ended by this machine's clock ones that a refresh presents.
func (x *exchange) revive() bool {
	jar, ok := x.hc.Jar.(*auth.Jar)
	return ok && x.grant.Kind == auth.KindRefresh && jar.Revive(x.target())
}

// target is where the call goes as far as the settings say.
func (x *exchange) target() *url.URL { return x.e.call(x.grant.Kind).target }

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
	csrf        auth.Secret     // what an earlier response gave
	spent       map[string]bool // the credentials that settings name, and that are no fields by themselves
	taken       []string        // what calls that came first gave
	before      []auth.Cookie   // what the jar held when the call was made
	fetching    bool            // a CSRF token is being fetched

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
	x := &exchange{e: e, call: e.call(g.Kind), grant: g, csrf: g.Old.CSRF, spent: map[string]bool{}}
	x.hc = x.client(hc)
	if x.call.target == nil && g.Kind != auth.KindLogout {
		return nil, x.withoutCall()
	}
	if x.call.target == nil {
		return x, nil
	}
	if g.Kind == auth.KindRefresh {
		if err := e.presents(g.Old, x.cookies()); err != nil && !x.revive() {
			return nil, err
		}
	}
	x.url = x.call.target
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
	return &auth.Error{Op: x.grant.Kind, Path: x.call.path()}
}

// unsent is the failure of a call that was not made.
func (x *exchange) unsent(err error) *auth.Error {
	f := x.failure()
	f.Unsent, f.Err = true, err
	return f
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
