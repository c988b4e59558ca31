package endpoint

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/origin"
	"github.com/silentrefresh/silentrefresh/internal/retryafter"
)

// refusal says what a response means that brought no session: a 4xx, a 5xx, a redirect, or a 2xx that complains.
func (x *exchange) refusal(a *response) *auth.Error {
	f := x.failure()
	f.Status = a.status
	codes := x.codes(a)
	f.Code = displayable(codes)
	if a.status < 300 {
		f.Err = errors.New("the response says that it failed")
	}
	switch {
	case a.status == http.StatusTooManyRequests || a.status == http.StatusServiceUnavailable:
		f.Unsent, f.Until = true, retryafter.At(a.header, a.date)
	case slices.Contains(x.call.RefusedStatus, a.status):
		f.Refused = true
	case a.status >= 500:
		f.MaybeSpent = true
	case a.status >= 300 && a.status < 400:
		f.Hint = x.redirected(a.header)
	case anyOf(codes, grantCodes):
		f.Refused = true
	case a.blamesCSRF():
		x.csrfFailed = true
		f.Hint = "the server wants a CSRF token; look at the csrf settings, and at Origin and Referer in " + x.setting("headers")
	case a.err == errHTML:
		f.Hint = "an HTML page responded, not the auth server: a captive portal, a proxy or a firewall, or " + x.setting("url") + " is wrong"
	case anyOf(codes, clientCodes) || a.blamesAPIKey():
		f.Hint = "it is this client that was refused, not the session; look at " + x.setting("headers") + " and " + x.setting("fields")
	case !anyOf(codes, passingCodes):
		x.byStatus(f, a)
	}
	return f
}

// byStatus is for responses whose status has to say it all.
func (x *exchange) byStatus(f *auth.Error, a *response) {
	wrongCredentials := a.status < 300 || slices.Contains([]int{400, 401, 403, 422}, a.status)
	switch {
	case f.Op == auth.KindLogin && wrongCredentials:
		f.Refused, f.Hint = true, "check the credentials"
	case f.Op == auth.KindRefresh && a.status == http.StatusUnauthorized:
		f.Refused = true
	case f.Op == auth.KindRefresh && a.status == http.StatusForbidden:
		// A firewall responds so, too; but it does not clear cookies, and it does not go on and on.
		f.Refused = x.cleared(a)
		f.Doubtful = !f.Refused
	default:
		f.Hint = x.advice(a.status)
	}
}

// cleared reports whether a response deletes a cookie that was sent as a credential.
func (x *exchange) cleared(a *response) bool {
	return slices.ContainsFunc(a.cookies, func(c *http.Cookie) bool { return x.sent[c.Name] && a.deletes(c) })
}

// setting names a setting of the call, as the configuration file does.
func (x *exchange) setting(name string) string { return x.grant.Kind.String() + "." + name }

// advice is which setting to look at after a status that says nothing about the credential.
func (x *exchange) advice(status int) string {
	switch {
	case status == http.StatusNotFound:
		return "nothing is there; look at " + x.setting("url")
	case status == http.StatusMethodNotAllowed:
		return "look at " + x.setting("method")
	case status == http.StatusUnsupportedMediaType:
		return "look at " + x.setting("encoding")
	case status == http.StatusProxyAuthRequired:
		return "the proxy wants credentials"
	case status == http.StatusRequestTimeout:
		return ""
	case x.grant.Kind == auth.KindRefresh:
		return fmt.Sprintf("if the server refuses an ended session so, add %d to refresh.refused_status; if not, look at "+
			"refresh.refresh_token_field, refresh.access_token_header and refresh.fields", status)
	default:
		return "look at " + x.setting("fields")
	}
}

// redirected says where a response redirects to, without its query: a credential does not follow by itself.
func (x *exchange) redirected(h http.Header) string {
	to, err := x.url.Parse(h.Get("Location"))
	if err != nil || h.Get("Location") == "" {
		return "the server redirects; look at " + x.setting("url")
	}
	where := to.Path
	from, _ := origin.Of(x.url)
	if o, err := origin.Of(to); err != nil || o != from {
		where = (&url.URL{Scheme: to.Scheme, Host: to.Host}).String()
	}
	return fmt.Sprintf("the server redirects to %s, and a credential does not follow; set %s to the right URL, or look "+
		"at what makes the server redirect", where, x.setting("url"))
}

// broken is the failure of an attempt that got no response, or one whose redirect was refused.
func (x *exchange) broken(resp *http.Response, err error) *auth.Error {
	f := x.failure()
	switch {
	case resp != nil: // http.Client returns it, closed, with the error of CheckRedirect
		f.Status, f.Hint = resp.StatusCode, x.redirected(resp.Header)
	case x.wire.nothingSent(err):
		f.Unsent, f.Err = true, cause(err)
	default:
		f.MaybeSpent, f.Err = true, cause(err)
	}
	return f
}

// misread is the failure of a 2xx response that cannot be understood. Unless it is a page from somewhere else, the
// server has responded, and the credential may be spent.
func (x *exchange) misread(a *response, err error) *auth.Error {
	f := x.failure()
	f.Status, f.Err = a.status, err
	switch {
	case err == errHTML:
		f.Hint = "a captive portal or a web page responds there; look at " + x.setting("url")
	case a.err != nil:
		f.MaybeSpent = true
	default:
		f.Hint = "look at access_token in the settings"
	}
	return f
}

// tokenless is for a 2xx response without an access token, which is fine (it came too early, or the token comes with
// the first refresh), unless there is one in another place. Then it is a mistake in the settings.
func (x *exchange) tokenless(a *response) *auth.Error {
	hint := x.e.elsewhere(a)
	if hint == "" {
		return nil
	}
	f := x.failure()
	f.Status, f.Err, f.Hint = a.status, errors.New("the response has no access token where it was looked for"), hint
	return f
}

// blamesCSRF reports whether a response is about a missing or wrong CSRF token.
func (a *response) blamesCSRF() bool {
	if a.status == 419 { // Laravel's "page expired"
		return true
	}
	said := a.said()
	return strings.Contains(said, "csrf") || strings.Contains(said, "xsrf") || strings.Contains(said, "request forgery")
}

func (a *response) blamesAPIKey() bool {
	said := plain(strings.ReplaceAll(a.said(), " ", ""))
	return strings.Contains(said, "apikey")
}
