package endpoint

import (
	"errors"
	"net/http"
	"strings"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/refusal"
	"github.com/silentrefresh/silentrefresh/internal/response"
	"github.com/silentrefresh/silentrefresh/internal/retryafter"
)

// What keeps a logout from being one.
var (
	errNothingToRevoke = errors.New("the logout presents nothing of the session, so that the server cannot know which one to end")
	errEndedToken      = errors.New("the access token that the logout presents had ended, so that the server did not look at it")
)

// loggedOut reports why a response to a logout does not say that the session has ended; nil if it does: a success, a
// redirect to where one goes next, or the word that a credential which had not ended is good no more.
func (x *exchange) loggedOut(a *response.Response) *auth.Error {
	switch {
	case !x.presentsSession():
		return x.notLoggedOut(a, errNothingToRevoke, "set logout.refresh_token_field or logout.access_token_header"+x.misplaced())
	case x.call.accepts(a.Status):
		return x.misunderstood(a)
	case len(x.call.AcceptedStatus) > 0 && a.Status < 400:
		return x.refusal(a)
	case a.Status != http.StatusUnauthorized && !changesMethod(a.Status):
		return x.refusal(a)
	case x.endedToken():
		return x.notLoggedOut(a, errEndedToken, "the session lives on at the server until it ends there by itself")
	case changesMethod(a.Status):
		return x.wrongTurn(a)
	}
	switch x.read(a).Meaning {
	case refusal.Refused, refusal.Doubtful, refusal.Unrecognized:
		return nil // it was gone already
	case refusal.Page:
		if x.e.AccessToken.Cookie != "" {
			return nil
		}
	}
	return x.refusal(a) // about something else than the session: the client, a CSRF token
}

// misunderstood reports why a success is none: its document complains, or it is a page that no web application of ours
// has sent.
func (x *exchange) misunderstood(a *response.Response) *auth.Error {
	switch {
	case len(x.call.AcceptedStatus) > 0:
		return nil
	case refusal.Complains(a):
		return x.refusal(a)
	case a.Err == response.ErrHTML && x.e.AccessToken.Cookie == "" && !x.cleared(a):
		return x.notLoggedOut(a, a.Err, "a captive portal or a web page responds there; look at logout.url, and if it is the "+
			"server's own page, set logout.accepted_status to its status")
	}
	return nil
}

// wrongTurn reports whether a redirect leads to the very place that was called, spelled in another way: then the server
// has not looked at the request.
func (x *exchange) wrongTurn(a *response.Response) *auth.Error {
	to, err := x.url.Parse(a.Header.Get("Location"))
	if err == nil && strings.EqualFold(to.Hostname(), x.url.Hostname()) && strings.Trim(to.Path, "/") == strings.Trim(x.url.Path, "/") {
		return x.refusal(a)
	}
	return nil
}

func (x *exchange) notLoggedOut(a *response.Response, err error, hint string) *auth.Error {
	f := x.failure()
	f.Status, f.Err, f.Hint = a.Status, err, hint
	f.Until = retryafter.At(a.Status, a.Header)
	return f
}

// presentsSession reports whether the call carries anything that belongs to the session.
func (x *exchange) presentsSession() bool {
	old := x.grant.Old
	return len(x.sent) > 0 || !old.RefreshToken.IsZero() && x.call.sendsRefreshToken() || !old.AccessToken.IsZero() && x.call.sendsAccessToken()
}

// endedToken reports whether the access token that was presented had ended.
func (x *exchange) endedToken() bool {
	old := x.grant.Old
	if old.Expires.IsZero() || x.issued.Before(old.Expires) || old.AccessToken.IsZero() {
		return false
	}
	return x.call.sendsAccessToken() || x.sent[x.e.AccessToken.Cookie]
}

// misplaced says which cookie of the session does not go to the logout's URL; "" if there is none.
func (x *exchange) misplaced() string {
	c, ok := x.e.mostLikely(x.grant.Old.Cookies)
	if !ok {
		return ""
	}
	c = c.At(x.e.base)
	return "; the cookie " + c.Name + " goes to " + c.Path + " only"
}
