package endpoint

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/bearer"
	"github.com/silentrefresh/silentrefresh/internal/lifetime"
	"github.com/silentrefresh/silentrefresh/internal/refusal"
	"github.com/silentrefresh/silentrefresh/internal/response"
)

// accept makes a session of a response, or says what is wrong with it. Together with a failure comes what the response
// gave nevertheless: the server may have rotated the credential.
func (x *exchange) accept(a *response.Response) (auth.Session, *auth.Error) {
	if a.Status < 200 || a.Status > 299 {
		if x.grant.Kind == auth.KindLogout && (a.Status == http.StatusUnauthorized || a.Status == http.StatusNotFound) {
			return auth.Session{}, nil // it is gone already
		}
		return auth.Session{}, x.refusal(a)
	}
	if x.grant.Kind == auth.KindLogout {
		return auth.Session{}, nil
	}
	token, in, err := x.e.accessToken(a)
	if token == "" && err == nil && x.grant.Kind == auth.KindRefresh && x.e.AccessToken.JSON != "" {
		token, in, err = x.e.findAccessToken(a) // many servers nest it in the response to a login only
	}
	s := x.withoutToken(a)
	switch {
	case token == "" && (refusal.Complains(a) || x.over(a, s) || x.call.refusedBy(a, x.read(a))):
		return s, x.refusal(a)
	case err != nil:
		return s, x.misread(a, err)
	case token == "":
		return s, x.tokenless(a)
	}
	return x.withToken(s, a, token, in)
}

// withoutToken is what a response gives beside the access token.
func (x *exchange) withoutToken(a *response.Response) auth.Session {
	s := auth.Session{Issued: a.Issued, CSRF: x.e.csrfIn(a)}
	if s.CSRF.IsZero() && !x.csrf.Equal(x.grant.Old.CSRF) {
		s.CSRF = x.csrf // fetched before this call
	}
	s.Account = cmp.Or(accountIn(a.Document), x.accountGiven())
	switch a.Document.(type) {
	case map[string]any, []any:
		if a.JSON {
			s.Response = auth.NewResponse(a.Body)
		}
	}
	refresh, in := x.e.refreshToken(a)
	if refresh != "" {
		s.RefreshToken = auth.NewSecret(refresh)
	}
	s.Ends = lifetime.End(a.Issued, x.e.sessionLife(a, refresh, in))
	if x.grant.Kind == auth.KindLogin {
		s.Extra = auth.NewSecret(x.untaken(a))
	}
	return s
}

// withToken completes s with the access token, unless the token must not be taken.
func (x *exchange) withToken(s auth.Session, a *response.Response, token string, in *response.Object) (auth.Session, *auth.Error) {
	refuse := func(err error, hint string) (auth.Session, *auth.Error) {
		f := x.failure()
		f.Status, f.Err, f.Hint = a.Status, err, hint
		return s, f
	}
	if err := bearer.Check(token); err != nil {
		return refuse(fmt.Errorf("the access token was not taken: %w", err), "look at access_token in the settings")
	}
	if hint, err := x.checkType(in); err != nil {
		return refuse(err, hint)
	}
	if err := x.e.verify(token); err != nil {
		return refuse(err, "the token was not taken; look at Verify and issuer")
	}
	c := bearer.Parse(token)
	s.Subject = c.Subject()
	if old := x.grant.Old.Subject; x.grant.Kind == auth.KindRefresh && old != "" && s.Subject != "" && s.Subject != old {
		s.Subject = ""
		return refuse(errors.New("the new access token belongs to another account; it was not taken"), "log in again")
	}
	s.Account = cmp.Or(accountIn(a.Document), accountIn(map[string]any(c)), x.accountGiven(), printableName(s.Subject))
	s.AccessToken = auth.NewSecret(token)
	s.Expires = x.expires(a, token, c, in)
	return s, nil
}

// expires is when the access token ends. A token that is handed out once more may have been renewed in place: it lives as
// long as the server says now (RFC 6749 section 5.1), and where the server does not say, no longer than before.
func (x *exchange) expires(a *response.Response, token string, c bearer.Claims, in *response.Object) time.Time {
	expires := lifetime.End(a.Issued, accessLife(x.e.statedExpiry(a, in), c, a.Date))
	if old := x.grant.Old; expires.IsZero() && old.AccessToken.Equal(auth.NewSecret(token)) && old.Expires.After(a.Issued) {
		return old.Expires
	}
	return expires
}

// expiryAt is what the field at a path says, as access_token.expires_json has it.
func (e *Exchanger) expiryAt(a *response.Response, path string) lifetime.Moment {
	v, _, ok := a.Lookup(path)
	unit := e.AccessToken.unit()
	if ok && unit == 0 {
		unit = response.UnitOf(path[strings.LastIndexByte(path, '.')+1:])
	}
	m, _ := lifetime.ReadIn(v, unit)
	return m
}

// statedExpiry is what the response says about the access token's end.
func (e *Exchanger) statedExpiry(a *response.Response, in *response.Object) lifetime.Moment {
	if path := e.AccessToken.ExpiresJSON; path != "" {
		return e.expiryAt(a, path)
	}
	if m, ok := a.FindMoment(in, expiryNames, e.AccessToken.unit(), notTheToken); ok {
		return m
	}
	if c := a.Cookie(e.AccessToken.Cookie); c != nil {
		return lifetime.OfCookie(c)
	}
	return lifetime.Moment{}
}
