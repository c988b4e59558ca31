package endpoint

import (
	"errors"
	"slices"
	"strings"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/response"
)

// backAtTheForm reports whether a login ends where it began: the server redirects to the URL that took the credentials,
// and has not begun another session, as one does that lets somebody in.
func (x *exchange) backAtTheForm(a *response.Response) bool {
	if x.grant.Kind != auth.KindLogin || !isRedirect(a.Status) {
		return false
	}
	to, err := x.url.Parse(a.Header.Get("Location"))
	if err != nil || !strings.EqualFold(to.Host, x.url.Host) || strings.Trim(to.Path, "/") != strings.Trim(x.url.Path, "/") {
		return false
	}
	set := a.Cookie(x.e.AccessToken.Cookie)
	return set == nil || slices.ContainsFunc(x.before, func(c auth.Cookie) bool {
		return c.Name == set.Name && c.Value.Reveal() == set.Value
	})
}

func (x *exchange) wrongCredentials(a *response.Response) *auth.Error {
	f := x.failure()
	f.Status, f.Refused = a.Status, true
	f.Err, f.Hint = errors.New("the server redirects back to its login form"), "check the credentials"
	return f
}

// cookieless is for a login by form that succeeded, and brought no cookie: nothing else would.
func (x *exchange) cookieless(a *response.Response) *auth.Error {
	cookie := x.e.AccessToken.Cookie
	if x.grant.Kind != auth.KindLogin || cookie == "" || len(x.call.AcceptedStatus) == 0 && !x.e.Refresh.Touch {
		return nil
	}
	f := x.failure()
	f.Status, f.Err = a.Status, errors.New("the login brought no cookie "+cookie)
	f.Hint = "look at access_token.cookie; and if the server refuses credentials so, say by what, in login.refused"
	return f
}
