package oauth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/refusal"
	"github.com/silentrefresh/silentrefresh/internal/response"
	"golang.org/x/oauth2"
)

// grantRefused are codes of the token endpoint that refuse the very grant (RFC 6749 section 5.2, RFC 8628 section
// 3.5, and what providers response besides).
var grantRefused = []string{"invalid_grant", "expired_token",
	"login_required", "interaction_required", "consent_required", "account_selection_required"}

// personNeeded are responses to prompt=none that only a person can change (OpenID Connect Core section 3.1.2.6).
var personNeeded = []string{"login_required", "interaction_required", "consent_required", "account_selection_required"}

// mistake is a failure that no response of the provider's is to blame for, or none that carries a code.
func (x *exchange) mistake(format string, args ...any) *auth.Error {
	return &auth.Error{Op: x.op, Unsent: true, Err: fmt.Errorf(format, args...)}
}

// failed says what the failure of the last request means for the session. Of err it repeats the error code and
// the name of a network failure; what else the libraries put into their errors may be a whole response.
func (x *exchange) failed(err error) *auth.Error {
	c := x.wire.last
	e := &auth.Error{Op: x.op, Path: c.path, Status: c.status, Until: c.until}
	var said refusal.Meaning
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		e.Code = errorCode(refused.ErrorCode)
		said = x.read(refused)
	}
	switch {
	case c.status == 0:
		e.Unsent, e.MaybeSpent, e.Err = c.unsent, !c.unsent, bare(err)
	case slices.Contains(grantRefused, e.Code), x.op == auth.KindRefresh && said == refusal.Refused:
		e.Refused = true
	case e.Code == "access_denied": // a person's no to a login; a refresh asks no person
		e.Refused, e.Doubtful = x.op != auth.KindRefresh, x.op == auth.KindRefresh
	case e.Code == "invalid_request" && x.op == auth.KindRefresh:
		// Some providers say so of a spent refresh token. The same request had been good enough before.
		e.Refused = true
		e.Hint = "call Login; if that does not last, look at client_id and scopes"
	case busy(c.status), said == refusal.Busy, e.Code == "temporarily_unavailable":
		e.Unsent, e.RateLimited = true, said == refusal.Busy
	case c.status >= 500, e.Code == "server_error":
		e.MaybeSpent = true
	case c.status < 300 && e.Code == "":
		e.MaybeSpent = true
		e.Err = errors.New("its response is none that can be used")
	case c.status/100 == 3:
		e.Err = errors.New("it redirects, and a credential is not sent on")
	default:
		e.Hint = hint(e.Code, c.status)
		e.Doubtful = x.op == auth.KindRefresh && said == refusal.Doubtful
	}
	return e
}

// read is what a response of the token endpoint says in its words.
func (x *exchange) read(refused *oauth2.RetrieveError) refusal.Meaning {
	if refused.Response == nil {
		return refusal.Unrecognized
	}
	r := response.New(refused.Response.StatusCode, refused.Response.Header, refused.Body, x.wire.last.began)
	return refusal.Read(r, refusal.Call{Refresh: x.op == auth.KindRefresh, Other: true}).Meaning
}

// busy are the statuses of a server that did not look at the request.
func busy(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
}

// hint names the setting to look at, for errors that are a mistake in one.
func hint(code string, status int) string {
	switch {
	case code == "invalid_client", code == "" && status == http.StatusUnauthorized:
		return "look at client_id, client_secret and token_endpoint_auth_method"
	case code == "unauthorized_client", code == "unsupported_grant_type":
		return "the provider does not allow this flow to this client_id"
	case code == "invalid_scope":
		return "look at scopes"
	case code == "invalid_request", status == http.StatusBadRequest:
		return "look at client_id, redirect_uri and scopes"
	default:
		return ""
	}
}

// harmless marks a failure that spent nothing: the same thing may be tried again.
func harmless(e *auth.Error) *auth.Error {
	e.Refused, e.MaybeSpent, e.Unsent = false, false, true
	return e
}

// refused reports whether err is a definite no.
func refused(err error) bool {
	e, ok := errors.AsType[*auth.Error](err)
	return ok && e.Refused
}

// afterRefusal adds to the failure of the second way why the first had failed.
func afterRefusal(second, first error) error {
	e, ok := errors.AsType[*auth.Error](second)
	f, ok2 := errors.AsType[*auth.Error](first)
	if !ok || !ok2 {
		return second
	}
	why := fmt.Errorf("silent authentication, after the refresh token was refused with %q", f.Code)
	if e.Err != nil {
		why = fmt.Errorf("%w: %w", why, e.Err)
	}
	e.Err = why
	e.Interrupted = e.Refused && f.Interrupted
	return e
}

// bare drops the URL that net/http puts around an error.
func bare(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// errorCode lets through what looks like an error code, and nothing that could be a token.
func errorCode(s string) string {
	for _, r := range s {
		if r != '_' && (r < 'a' || r > 'z') {
			return ""
		}
	}
	if len(s) > 40 {
		return ""
	}
	return s
}
