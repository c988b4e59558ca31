package endpoint

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/origin"
	"github.com/silentrefresh/silentrefresh/internal/refusal"
	"github.com/silentrefresh/silentrefresh/internal/response"
	"github.com/silentrefresh/silentrefresh/internal/retryafter"
)

// refusal says what a response means that brought no session: a 4xx, a 5xx, a redirect, or a 2xx that complains.
func (x *exchange) refusal(a *response.Response) *auth.Error {
	f := x.failure()
	reading := x.read(a)
	f.Status, f.Until = a.Status, retryafter.At(a.Status, a.Header)
	f.Code, f.Said = reading.Code(x.hidden), reading.Said(x.hidden)
	if a.Status < 300 {
		f.Err = errors.New("the response says that it failed")
	}
	switch {
	case x.call.refusedBy(a, reading), a.Status < 300 && a.Err == nil && f.Op == auth.KindRefresh && x.cleared(a):
		f.Refused = true
	case a.Status == http.StatusTooManyRequests || a.Status == http.StatusServiceUnavailable:
		f.Unsent, f.RateLimited = true, a.Status == http.StatusTooManyRequests
	case a.Status >= 500:
		f.MaybeSpent = true
	case a.Status >= 300 && a.Status < 400:
		f.Hint = x.redirected(a.Header)
	default:
		x.blame(f, a, reading.Meaning)
		f.Unrecognized = f.Unrecognized || reading.Unsure && f.Op == auth.KindRefresh && !f.Refused
	}
	return f
}

// read is what a response that brought no session says.
func (x *exchange) read(a *response.Response) refusal.Reading {
	call := refusal.Call{Refresh: x.grant.Kind == auth.KindRefresh, Scheme: x.e.attach.SchemeName()}
	old := x.grant.Old
	call.AccessToken = x.sent[x.e.AccessToken.Cookie] || !old.AccessToken.IsZero() && x.call.sendsAccessToken()
	call.Other = !old.RefreshToken.IsZero() && x.call.sendsRefreshToken() ||
		len(x.credentials) > 0 && x.credentials[0] != x.e.AccessToken.Cookie
	if a.Status < 300 && !refusal.Complains(a) {
		return refusal.Definite(a, call)
	}
	return refusal.Read(a, call)
}

// blame completes f with what a response means.
func (x *exchange) blame(f *auth.Error, a *response.Response, meaning refusal.Meaning) {
	switch meaning {
	case refusal.Refused:
		f.Refused = true
	case refusal.Busy:
		f.Unsent, f.RateLimited = true, true
	case refusal.Fault:
	case refusal.CSRF:
		x.csrfFailed = true
		f.Hint = "the server wants a CSRF token; look at the csrf settings, and at Origin and Referer in " + x.setting("headers")
	case refusal.Page:
		f.Hint = "an HTML page responded, not the auth server: a captive portal, a proxy or a firewall, or " + x.setting("url") + " is wrong"
	case refusal.Client:
		f.Hint = "it is this client that was refused, not the session; look at " + x.setting("headers") + " and " + x.setting("fields")
	case refusal.Blocked:
		f.Hint = "a proxy, a firewall or a rule about places and addresses refused the request, not the session"
	case refusal.Locked:
		f.Hint = "the account is locked, or the server wants a new password, a second factor or a consent; see to that there"
	case refusal.Clock:
		f.Hint = "the clocks of this machine and of the server are apart; set this one"
	case refusal.Other:
		f.Hint = "another token than the session's was refused; look at " + x.setting("headers") + " and " + x.setting("fields")
	default:
		x.byStatus(f, a, meaning)
	}
	if f.Op == auth.KindLogin && !f.Refused {
		f.Hint = cmp.Or(loginURL(a.Status), f.Hint)
	}
}

// loginURL says what is probably wrong where nothing takes a login, be it in words or with a page; "" if that is not it.
func loginURL(status int) string {
	switch status {
	case http.StatusNotFound:
		return "login.url is probably wrong: its default is /auth/login"
	case http.StatusMethodNotAllowed:
		return "login.url is probably wrong: its default is /auth/login; or login.method is, whose default is POST"
	default:
		return ""
	}
}

// byStatus is for responses whose words do not say it all.
func (x *exchange) byStatus(f *auth.Error, a *response.Response, meaning refusal.Meaning) {
	wrongCredentials := a.Status < 300 || slices.Contains([]int{400, 401, 403, 422}, a.Status)
	switch {
	case f.Op == auth.KindLogin && wrongCredentials:
		f.Refused, f.Hint = true, "check the credentials"
	case meaning == refusal.Elsewhere:
		f.Hint = x.advice(a.Status)
	case f.Op == auth.KindRefresh && x.cleared(a):
		f.Refused = true // a firewall does not clear cookies
	case f.Op == auth.KindRefresh && meaning == refusal.Doubtful:
		f.Doubtful = true // it does not go on and on, either
	default:
		f.Unrecognized = f.Op == auth.KindRefresh
		f.Hint = x.unrecognized(f)
	}
}

// unrecognized says which setting decides about a response that is not understood.
func (x *exchange) unrecognized(f *auth.Error) string {
	if f.Op != auth.KindRefresh {
		return "look at " + x.setting("fields")
	}
	return fmt.Sprintf("if the server refuses an ended session so, set refresh.refused to %s; if not, look at "+
		"refresh.refresh_token_field, refresh.access_token_header and refresh.fields", ruleFor(f))
}

// cleared reports whether a response deletes what was sent as the credential.
func (x *exchange) cleared(a *response.Response) bool {
	for _, name := range x.credentials {
		if !a.Drops(name) {
			return false
		}
	}
	return len(x.credentials) > 0
}

// over reports whether a 2xx response without an access token, which gave s otherwise, says that the session is over:
// in its words, with null where the session was, or in that it deletes the credential.
func (x *exchange) over(a *response.Response, s auth.Session) bool {
	renewed := !s.RefreshToken.IsZero() || slices.ContainsFunc(a.Cookies, func(c *http.Cookie) bool {
		return x.e.mayRefresh(c) && !a.Deletes(c)
	})
	return x.grant.Kind == auth.KindRefresh && a.Err == nil && !renewed && (x.cleared(a) || x.read(a).Meaning == refusal.Refused)
}

// setting names a setting of the call, as the configuration file does.
func (x *exchange) setting(name string) string { return x.grant.Kind.String() + "." + name }

// advice is which setting to look at after a status that says nothing about the credential.
func (x *exchange) advice(status int) string {
	switch status {
	case http.StatusNotFound:
		return "nothing is there; look at " + x.setting("url")
	case http.StatusMethodNotAllowed:
		return "look at " + x.setting("method")
	case http.StatusUnsupportedMediaType:
		return "look at " + x.setting("encoding")
	case http.StatusRequestTimeout:
		return ""
	default:
		return "look at " + x.setting("url") + " and " + x.setting("fields")
	}
}

// redirected says where a response redirects to, without its query: a credential does not follow by itself.
func (x *exchange) redirected(h http.Header) string {
	to, err := x.url.Parse(h.Get("Location"))
	if err != nil || h.Get("Location") == "" {
		return "the server redirects; look at " + x.setting("url")
	}
	where := to.Path
	if !origin.Same(to, x.url) {
		where = (&url.URL{Scheme: to.Scheme, Host: to.Host}).String()
	}
	if x.hidden(where) {
		where = "another URL"
	}
	hint := fmt.Sprintf("the server redirects to %s, and a credential does not follow; set %s to the right URL, or look at what "+
		"makes the server redirect", where, x.setting("url"))
	switch x.grant.Kind {
	case auth.KindRefresh:
		hint += `; if it redirects so once a session has ended, set refresh.refused to {"status": 302}`
	case auth.KindLogin:
		hint += "; if it redirects so after a login, set login.accepted_status to [302]"
	}
	return hint
}

// broken is the failure of an attempt that got no response, or one whose redirect was refused.
func (x *exchange) broken(resp *http.Response, err error) *auth.Error {
	f := x.failure()
	switch {
	case resp != nil: // http.Client returns it, closed, with the error of CheckRedirect
		f.Status, f.Hint = resp.StatusCode, x.redirected(resp.Header)
	case x.wire.nothingSent(err):
		f.Unsent, f.Err = true, response.Cause(err)
	default:
		f.MaybeSpent, f.Err = true, response.Cause(err)
	}
	return f
}

// misread is the failure of a 2xx response that cannot be understood. Unless it is a page from somewhere else, the
// server has responded, and the credential may be spent.
func (x *exchange) misread(a *response.Response, err error) *auth.Error {
	f := x.failure()
	f.Status, f.Err = a.Status, err
	switch {
	case err == response.ErrHTML:
		f.Hint = "a captive portal or a web page responds there; look at " + x.setting("url")
	case a.Err != nil:
		f.MaybeSpent = true
	default:
		f.Hint = "look at access_token in the settings"
	}
	return f
}

// tokenless is for a 2xx response without an access token, which is fine (it came too early, or the token comes with
// the first refresh), unless there is one in another place. Then it is a mistake in the settings.
func (x *exchange) tokenless(a *response.Response) *auth.Error {
	hint := x.e.elsewhere(a)
	if hint == "" {
		return nil
	}
	if x.hidden(hint) {
		hint = "there may be one under another name; look at access_token in the settings"
	}
	f := x.failure()
	f.Status, f.Err, f.Hint = a.Status, errors.New("the response has no access token where it was looked for"), hint
	return f
}
