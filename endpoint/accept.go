package endpoint

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/bearer"
	"github.com/silentrefresh/silentrefresh/internal/lifetime"
)

// accept makes a session of a response, or says what is wrong with it. Together with a failure comes what the response
// gave nevertheless: the server may have rotated the credential.
func (x *exchange) accept(a *response) (auth.Session, *auth.Error) {
	if a.status < 200 || a.status > 299 {
		if x.grant.Kind == auth.KindLogout && (a.status == http.StatusUnauthorized || a.status == http.StatusNotFound) {
			return auth.Session{}, nil // it is gone already
		}
		return auth.Session{}, x.refusal(a)
	}
	if x.grant.Kind == auth.KindLogout {
		return auth.Session{}, nil
	}
	token, in, err := x.e.accessToken(a)
	if token == "" && err == nil && x.grant.Kind == auth.KindRefresh && x.e.AccessToken.JSON != "" {
		token, in, err = x.e.findAccessToken(a.document) // many servers nest it in the response to a login only
	}
	s := x.withoutToken(a)
	switch {
	case token == "" && a.complains():
		return s, x.refusal(a)
	case err != nil:
		return s, x.misread(a, err)
	case token == "":
		return s, x.tokenless(a)
	}
	return x.withToken(s, a, token, in)
}

// withoutToken is what a response gives beside the access token.
func (x *exchange) withoutToken(a *response) auth.Session {
	s := auth.Session{Issued: a.issued, CSRF: x.e.csrfIn(a)}
	if s.CSRF.IsZero() && !x.csrf.Equal(x.grant.Old.CSRF) {
		s.CSRF = x.csrf // fetched before this call
	}
	s.Account = cmp.Or(accountIn(a.document), x.accountGiven())
	switch a.document.(type) {
	case map[string]any, []any:
		if isJSONDocument(a) {
			s.Response = auth.NewResponse(a.body)
		}
	}
	refresh, in := x.e.refreshToken(a)
	if refresh != "" {
		s.RefreshToken = auth.NewSecret(refresh)
	}
	s.Ends = lifetime.End(a.issued, x.e.sessionLife(a, refresh, in))
	if x.grant.Kind == auth.KindLogin {
		s.Extra = auth.NewSecret(x.untaken(a))
	}
	return s
}

// withToken completes s with the access token, unless the token must not be taken.
func (x *exchange) withToken(s auth.Session, a *response, token string, in *object) (auth.Session, *auth.Error) {
	refuse := func(err error, hint string) (auth.Session, *auth.Error) {
		f := x.failure()
		f.Status, f.Err, f.Hint = a.status, err, hint
		return s, f
	}
	if err := bearer.Check(token); err != nil {
		return refuse(fmt.Errorf("the access token was not taken: %w", err), "look at access_token in the settings")
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
	s.Account = cmp.Or(accountIn(a.document), accountIn(map[string]any(c)), x.accountGiven(), printableName(s.Subject))
	s.AccessToken = auth.NewSecret(token)
	s.Expires = x.expires(a, token, c, in)
	return s, nil
}

// expires is when the access token ends. A token that is handed out once more does not live longer for that, unless
// it had ended already by what was known.
func (x *exchange) expires(a *response, token string, c bearer.Claims, in *object) time.Time {
	expires := lifetime.End(a.issued, accessLife(x.e.statedExpiry(a, in), c, a.date))
	old := x.grant.Old
	if old.AccessToken.Equal(auth.NewSecret(token)) && old.Expires.After(a.issued) &&
		(expires.IsZero() || expires.After(old.Expires)) {
		return old.Expires
	}
	return expires
}

// statedExpiry is what the response says about the access token's end.
func (e *Exchanger) statedExpiry(a *response, in *object) lifetime.Moment {
	if path := e.AccessToken.ExpiresJSON; path != "" {
		v, _, _ := lookup(a.document, path)
		m, _ := lifetime.Read(v)
		return m
	}
	if m, ok := findExpiry(a.document, in, expiryNames); ok {
		return m
	}
	if c, ok := a.cookie(e.AccessToken.Cookie); ok && e.AccessToken.Cookie != "" {
		return lifetime.OfCookie(c)
	}
	return lifetime.Moment{}
}
