package oauth

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/refusal"
	"github.com/silentrefresh/silentrefresh/internal/response"
)

// grantRefused are codes of the token endpoint that refuse the very grant (RFC 6749 section 5.2, RFC 8628 section 3.5,
// OpenID Connect Core section 3.1.2.6). What else refuses a refresh token, package refusal knows.
var grantRefused = []string{"invalid_grant", "expired_token", "login_required", "interaction_required",
	"consent_required", "account_selection_required"}

// clientRefused are codes that are about the client or about the moment, whatever the text beside them says.
var clientRefused = []string{"invalid_client", "unsupported_grant_type", "invalid_scope", "invalid_target",
	"authorization_pending", "invalid_dpop_proof"}

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

// refusal says what r, which brought nothing, means for the session.
func (x *exchange) refusal(r *response.Response) *auth.Error {
	e := x.failed(nil)
	reading := x.read(r)
	code := strings.ToLower(field(r, "error"))
	e.Code, e.Hint = cmp.Or(errorCode(code), reading.Code(x.hidden)), ""
	code = cmp.Or(code, e.Code)
	switch {
	case x.op == auth.KindRefresh && x.forgotten(e):
		x.forget()
		e.Refused, e.Hint = true, "the server has forgotten this program; call Login, which registers it anew"
	case busy(r.Status), reading.Meaning == refusal.Busy, slices.Contains([]string{"temporarily_unavailable", "slow_down", "use_dpop_nonce"}, code):
		e.Unsent, e.MaybeSpent = true, false
		e.RateLimited = r.Status == http.StatusTooManyRequests || reading.Meaning == refusal.Busy
	case code == "server_error":
		e.MaybeSpent = true
	case slices.Contains(clientRefused, code):
		e.MaybeSpent, e.Hint = false, hint(code, r.Status)
	case r.Status >= 500 && !x.listed("", r.Status):
	case x.op == auth.KindLogin && (slices.Contains(grantRefused, code) || code == "access_denied"),
		x.op == auth.KindRefresh && (ends(code, reading.Meaning) || x.listed(code, r.Status)):
		e.Refused, e.MaybeSpent = true, false
	case r.Status/100 != 3:
		x.doubt(e, r, reading)
	}
	return e
}

// ends reports whether a response to a refresh ends the session: its words say so, or its code does and its words do not
// say that something else is to blame.
func ends(code string, meaning refusal.Meaning) bool {
	switch meaning {
	case refusal.Refused:
		return true
	case refusal.Unrecognized, refusal.Doubtful:
		return slices.Contains(grantRefused, code)
	default:
		return false
	}
}

// listed reports whether the settings say that a response refuses the refresh token for good.
func (x *exchange) listed(code string, status int) bool {
	return slices.ContainsFunc(x.c.Refused, func(rule string) bool {
		return strings.EqualFold(rule, code) || rule == strconv.Itoa(status)
	})
}

// doubt completes e where neither the code nor the words settle it.
func (x *exchange) doubt(e *auth.Error, r *response.Response, reading refusal.Reading) {
	e.Hint = hint(e.Code, r.Status)
	if x.op != auth.KindRefresh {
		return
	}
	e.Doubtful = reading.Meaning == refusal.Doubtful || e.Code == "access_denied" // nobody was asked who could have denied
	e.Unrecognized = !e.Doubtful && (reading.Meaning == refusal.Unrecognized || reading.Unsure)
	if e.Unrecognized {
		e.Said = reading.Said(x.hidden)
		rule := cmp.Or(e.Code, strconv.Itoa(r.Status))
		e.Hint = fmt.Sprintf("if the server refuses an ended session so, add %q to refused; if not, %s", rule,
			cmp.Or(hint(e.Code, 0), "look at client_id and scopes"))
	}
}

// tokenless is a response of success that has no access token, where one has to be: the server has acted, and what it
// gave is lost, unless it says that the credential is dead.
func (x *exchange) tokenless(r *response.Response) *auth.Error {
	if x.op == auth.KindRefresh && x.read(r).Meaning == refusal.Refused {
		e := x.failed(nil)
		e.Refused = true
		return e
	}
	e := x.failed(nil)
	e.MaybeSpent, e.Err = true, errors.New("its response is none that can be used")
	if r.Err != nil {
		e.Err = r.Err
	}
	return e
}

// read is what the words of r say.
func (x *exchange) read(r *response.Response) refusal.Reading {
	call := refusal.Call{Refresh: x.op == auth.KindRefresh, Other: true}
	if r.Status < 300 && !refusal.Complains(r) {
		return refusal.Definite(r, call)
	}
	return refusal.Read(r, call)
}

// hidden guards against a server that quotes what was sent to it.
func (x *exchange) hidden(s string) bool {
	for _, secret := range x.sent {
		if len(s) >= 8 && strings.Contains(secret, s) || len(secret) >= 8 && strings.Contains(s, secret) {
			return true
		}
	}
	return false
}

// busy are the statuses of a server that did not look at the request.
func busy(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
}

// hint names the setting to look at, for errors that are a mistake in one.
func hint(code string, status int) string {
	switch {
	case code == "invalid_client", strings.Contains(code, "client_credentials"), code == "" && status == http.StatusUnauthorized:
		return "look at client_id, client_secret and token_endpoint_auth_method"
	case strings.Contains(code, "redirect_uri"):
		return "look at redirect_uri, and at what is registered for this client_id"
	case code == "unauthorized_client", code == "unsupported_grant_type", strings.HasSuffix(code, "_flow_disabled"):
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
