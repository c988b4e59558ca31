package oauth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/challenge"
)

// grantRefused are codes of the token endpoint that refuse the very grant (RFC 6749 section 5.2, RFC 8628 section
// 3.5, and what servers respond besides).
var grantRefused = []string{"invalid_grant", "expired_token", "login_required", "interaction_required",
	"consent_required", "account_selection_required", "bad_refresh_token", "invalid_refresh_token", "token_revoked",
	"token_expired", "bad_verification_code"}

// clientRefused are codes that are about the client or about the moment, whatever the text beside them says.
var clientRefused = []string{"invalid_client", "unsupported_grant_type", "invalid_scope", "invalid_target",
	"temporarily_unavailable", "server_error", "slow_down", "authorization_pending", "use_dpop_nonce", "invalid_dpop_proof"}

// personNeeded are responses to prompt=none that only a person can change (OpenID Connect Core section 3.1.2.6).
var personNeeded = []string{"login_required", "interaction_required", "consent_required", "account_selection_required"}

// mistake is a failure that no response of the server's is to blame for, or none that carries a code.
func (x *exchange) mistake(format string, args ...any) *auth.Error {
	return &auth.Error{Op: x.op, Unsent: true, Err: fmt.Errorf(format, args...)}
}

// failed says what it means that the last request got no response, or none that is read.
func (x *exchange) failed(err error) *auth.Error {
	c := x.wire.last
	e := &auth.Error{Op: x.op, Path: c.path, Status: c.status, Until: c.until}
	switch {
	case c.status == 0 || c.status < 300 && err != nil:
		e.Unsent, e.MaybeSpent, e.Err = c.unsent, !c.unsent, bare(err)
	case busy(c.status):
		e.Unsent = true
	case c.status >= 500:
		e.MaybeSpent = true
	case c.status/100 == 3:
		e.Err = errors.New("it redirects, and a credential is not sent on")
	default:
		e.Hint = hint("", c.status)
	}
	return e
}

// refusal says what r, which brought nothing, means for the session. It repeats the error code and nothing else of it.
func (x *exchange) refusal(r *response) *auth.Error {
	e := x.failed(nil)
	code := r.code()
	e.Code, e.Hint = errorCode(code), ""
	switch {
	case x.op == auth.KindRefresh && x.forgotten(e):
		x.forget()
		e.Refused, e.Hint = true, "the server has forgotten this program; call Login, which registers it anew"
	case busy(r.status), code == "temporarily_unavailable", code == "slow_down", code == "use_dpop_nonce":
		e.Unsent, e.MaybeSpent = true, false
	case code == "server_error":
		e.MaybeSpent = true
	case slices.Contains(clientRefused, code):
		e.MaybeSpent, e.Hint = false, hint(code, r.status)
	case slices.Contains(grantRefused, code), code == "access_denied" && x.op == auth.KindLogin,
		x.op == auth.KindRefresh && r.status < 500 && dead(r.said()):
		e.Refused, e.MaybeSpent = true, false
	case r.status >= 500:
	case code == "" && r.status/100 == 2:
		e.MaybeSpent, e.Err = true, errors.New("its response is none that can be used")
	case code == "" && x.op == auth.KindRefresh && r.status == http.StatusUnauthorized && !foreign(r.header):
		e.Doubtful = true
	case code == "invalid_request" && x.op == auth.KindRefresh:
		// Some servers say so of a spent refresh token. The same request had been good enough before.
		e.Refused, e.MaybeSpent = true, false
		e.Hint = "call Login; if that does not last, look at client_id and scopes"
	case r.status/100 != 3:
		e.Hint = hint(code, r.status)
	}
	return e
}

// busy are the statuses of a server that did not look at the request.
func busy(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
}

// foreign reports whether a 401 comes from something that wants another kind of credential, a proxy say.
func foreign(h http.Header) bool {
	found, ours := false, false
	challenge.Each(h.Values("Www-Authenticate"), func(scheme, _, _ string) {
		found = true
		ours = ours || strings.EqualFold(scheme, "Bearer") || strings.EqualFold(scheme, "DPoP")
	})
	return found && !ours
}

// hint names the setting to look at, for errors that are a mistake in one.
func hint(code string, status int) string {
	switch {
	case code == "invalid_client", code == "" && status == http.StatusUnauthorized:
		return "look at client_id, client_secret and token_endpoint_auth_method"
	case code == "unauthorized_client", code == "unsupported_grant_type":
		return "the server does not allow this flow to this client_id"
	case code == "invalid_scope":
		return "look at scopes"
	case code == "invalid_target":
		return "look at resource"
	case code == "invalid_dpop_proof":
		return "look at dpop, and at this machine's clock"
	case code == "invalid_request", status == http.StatusBadRequest:
		return "look at client_id, redirect_uri and scopes"
	default:
		return ""
	}
}

// harmless marks a failure that spent nothing: the same thing may be tried again.
func harmless(e *auth.Error) *auth.Error {
	e.Refused, e.MaybeSpent, e.Unsent, e.Doubtful = false, false, true, false
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
