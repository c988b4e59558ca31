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
	switch {
	case x.refusedByRule(a):
		return auth.Session{}, x.refusal(a)
	case x.grant.Kind == auth.KindLogout:
		return auth.Session{}, x.loggedOut(a)
	case !x.call.accepts(a.Status):
		return auth.Session{}, x.unaccepted(a)
	case x.backAtTheForm(a):
		return auth.Session{}, x.wrongCredentials(a)
	case x.call.Touch:
		return x.touched(a)
	}
	token, in, err := x.accessToken(a)
	if token == "" && err == nil && x.grant.Kind == auth.KindRefresh && x.e.AccessToken.JSON != "" {
		token, in, err = x.e.findAccessToken(a) // many servers nest it in the response to a login only
	}
	s := x.withoutToken(a)
	switch {
	case token == "" && (refusal.Complains(a) || x.over(a, s)):
		return s, x.refusal(a)
	case err != nil:
		return s, x.misread(a, err)
	case token == "" && x.moves(a):
		return x.withEnds(x.prolonged(s, a)), nil
	case token == "":
		return x.withEnds(s), cmp.Or(x.tokenless(a), x.cookieless(a))
	}
	s, fail := x.withToken(s, a, token, in)
	return x.withEnds(s), fail
}

// refusedByRule reports whether the settings recognise a response as a refusal. One that brings a token is none, unless
// the token is a cookie, which servers set for those who are not logged in, too.
func (x *exchange) refusedByRule(a *response.Response) bool {
	if len(x.call.Refused) == 0 || !x.call.refusedBy(a, x.read(a)) {
		return false
	}
	if a.Status > 299 || x.e.AccessToken.Cookie != "" || x.call.Touch {
		return true
	}
	token, _, _ := x.e.accessToken(a)
	return token == ""
}

// accessToken is the access token of a response and the object that holds it.
func (x *exchange) accessToken(a *response.Response) (token string, in *response.Object, err error) {
	if x.e.AccessToken.Cookie == "" {
		return x.e.accessToken(a)
	}
	token, err = x.cookieToken(a)
	if token == "" && err == nil && len(x.call.AcceptedStatus) == 0 {
		err = a.Err
	}
	return token, nil, err
}

// withoutToken is what a response gives beside the access token.
func (x *exchange) withoutToken(a *response.Response) auth.Session {
	s := auth.Session{Issued: a.Issued, CSRF: x.e.csrfIn(a)}
	if s.CSRF.IsZero() && !x.csrf.Equal(x.grant.Old.CSRF) {
		s.CSRF = x.csrf // fetched before this call
	}
	s.Account = cmp.Or(x.e.nameIn(a, nil), accountIn(a.Document), x.accountGiven())
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
		s.Subject, s.Extra = x.e.subjectIn(a, nil), auth.NewSecret(x.untaken(a))
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
	if err := x.e.checkToken(token); err != nil {
		return refuse(fmt.Errorf("the access token was not taken: %w", err), "look at access_token in the settings")
	}
	if hint, err := x.checkType(in); err != nil {
		return refuse(err, hint)
	}
	if err := x.e.verify(token); err != nil {
		return refuse(err, "the token was not taken; look at Verify and issuer")
	}
	c := x.e.claims(token)
	s.Subject = x.e.subjectIn(a, c)
	if old := x.grant.Old.Subject; x.grant.Kind == auth.KindRefresh && old != "" && s.Subject != "" && s.Subject != old {
		s.Subject = ""
		return refuse(errors.New("the new access token belongs to another account; it was not taken"),
			"log in again; if it is the same account, set account.claim to a claim that does not change")
	}
	s.Account = cmp.Or(x.e.nameIn(a, c), accountIn(a.Document), accountIn(map[string]any(c)), x.accountGiven(), printableName(s.Subject))
	s.AccessToken = auth.NewSecret(token)
	s.Expires = x.expires(a, token, c, in)
	return s, nil
}

// expires is when the access token ends. A token that is handed out once more may have been renewed in place: it lives as
// long as the server says now (RFC 6749 section 5.1), unless it has its end inside; and where the server does not say, no
// longer than before.
func (x *exchange) expires(a *response.Response, token string, c bearer.Claims, in *response.Object) time.Time {
	life := lifetime.Shorter(accessLife(x.statedExpiry(a, in), c, a.Date), time.Duration(x.e.AccessToken.Lifetime))
	expires := lifetime.End(a.Issued, life)
	fixed := expires.IsZero() || !c.End().At.IsZero()
	if old := x.grant.Old; fixed && old.AccessToken.Equal(auth.NewSecret(token)) && old.Expires.After(a.Issued) {
		return old.Expires
	}
	return expires
}

// extends reports whether what a response states about a token that had been there before is a new end for it: the token
// is not one that has its end inside, and the end is a time or a cookie's, or to be extended is what the token was
// expiryAt is what the field at a path says, as access_token.expires_json has it.
func (e *Exchanger) expiryAt(a *response.Response, path string) (lifetime.Moment, bool) {
	v, _, ok := a.Lookup(path)
	unit := e.AccessToken.unit()
	if ok && unit == 0 {
		unit = response.UnitOf(path[strings.LastIndexByte(path, '.')+1:])
	}
	return lifetime.ReadIn(v, unit)
}

// statedExpiry is what the response says about the access token's end. A page that is fetched as a touch may have
// anything that ends under the usual names.
func (x *exchange) statedExpiry(a *response.Response, in *response.Object) lifetime.Moment {
	e, page := x.e, x.call.Touch && x.call.Method == http.MethodGet
	if path := e.AccessToken.ExpiresJSON; path != "" {
		if m, ok := e.expiryAt(a, path); ok {
			return m
		}
	} else if m, ok := a.FindMoment(in, expiryNames, e.AccessToken.unit(), notTheToken); ok && !page {
		return m
	}
	if c := a.Cookie(e.AccessToken.Cookie); c != nil {
		return lifetime.OfCookie(c)
	}
	return lifetime.Moment{}
}
