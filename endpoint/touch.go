package endpoint

import (
	"bytes"
	"errors"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/bearer"
	"github.com/silentrefresh/silentrefresh/internal/lifetime"
	"github.com/silentrefresh/silentrefresh/internal/refusal"
	"github.com/silentrefresh/silentrefresh/internal/response"
)

// touched makes a session of the response to a touch. Whatever it holds, it says that the session lives on, unless it
// complains or takes the session away.
func (x *exchange) touched(a *response.Response) (auth.Session, *auth.Error) {
	if x.takenAway(a) {
		f := x.failure()
		f.Status, f.Refused, f.Err = a.Status, true, errors.New("the response says that there is no session")
		return auth.Session{}, f
	}
	if refusal.Complains(a) {
		return auth.Session{}, x.refusal(a)
	}
	s := auth.Session{Issued: a.Issued, CSRF: x.e.csrfIn(a)}
	if s.CSRF.IsZero() && !x.csrf.Equal(x.grant.Old.CSRF) {
		s.CSRF = x.csrf
	}
	token, in, err := x.touchToken(a)
	switch {
	case err != nil:
		return s, x.misread(a, err)
	case token != "":
		var fail *auth.Error
		if s, fail = x.withToken(s, a, token, in); fail != nil {
			return s, fail
		}
		return x.withEnds(s), nil
	}
	return x.withEnds(x.prolonged(s, a)), nil
}

// takenAway reports whether the response to a touch deletes the session's cookie, or has nothing but null where the
// session was.
func (x *exchange) takenAway(a *response.Response) bool {
	cookie := x.e.AccessToken.Cookie
	return x.cleared(a) || x.sent[cookie] && a.Drops(cookie) || string(bytes.TrimSpace(a.Body)) == "null"
}

// touchToken is the access token in the response to a touch: only where the settings say that there is one, since a page
// may have anything that is called a token.
func (x *exchange) touchToken(a *response.Response) (token string, in *response.Object, err error) {
	switch at := x.e.AccessToken; {
	case at.Cookie != "":
		token, err = x.cookieToken(a)
	case at.JSON != "" && a.Err == nil:
		token, in, err = x.e.accessTokenAt(a, at.JSON)
	case at.Header != "":
		token = x.e.stripped(a.Header.Get(at.Header))
	}
	return token, in, err
}

// moves reports whether a refresh without an access token in its response moves the end of the one that is there.
func (x *exchange) moves(a *response.Response) bool {
	old := x.grant.Old
	if x.grant.Kind != auth.KindRefresh || old.AccessToken.IsZero() || x.e.elsewhere(a) != "" {
		return false
	}
	end := x.statedEnd(a)
	return !end.IsZero() && (old.Expires.IsZero() || end.After(old.Expires))
}

// statedEnd is the end that a response without an access token states for the one that is there; zero if none.
func (x *exchange) statedEnd(a *response.Response) time.Time {
	c := bearer.Parse(x.e.inner(x.grant.Old.AccessToken.Reveal()))
	if !c.End().At.IsZero() {
		return time.Time{} // it has its end inside, and nothing moves that
	}
	return lifetime.End(a.Issued, x.statedExpiry(a, nil).Left(a.Date))
}

// prolonged is s with the access token that is there, which lives on: until what the response says, or as long as the
// settings do, or else as long as before.
func (x *exchange) prolonged(s auth.Session, a *response.Response) auth.Session {
	old := x.grant.Old
	s.AccessToken, s.Subject = old.AccessToken, old.Subject
	s.Expires = x.statedEnd(a)
	if life := time.Duration(x.e.AccessToken.Lifetime); life > 0 {
		s.Expires = auth.Earlier(s.Expires, a.Issued.Add(life))
	}
	if s.Expires.IsZero() {
		s.Expires = old.Expires
	}
	return s
}

// withEnds is s with the ends that the session's timeouts give it.
func (x *exchange) withEnds(s auth.Session) auth.Session {
	if x.grant.Kind == auth.KindLogin {
		return x.e.Timeouts().LoggedIn(s)
	}
	s.Limit = x.grant.Old.Limit
	return x.e.Timeouts().Used(s, s.Issued)
}
