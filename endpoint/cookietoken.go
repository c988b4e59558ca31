package endpoint

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/bearer"
	"github.com/silentrefresh/silentrefresh/internal/response"
)

// cookieToken is the cookie that is the access token, as the jar has it after a response: what is sent, what is verified
// and what the session says are one thing. It is "" where the response brought none that is new, and the cookie had been
// there before the login, too: it is then the login's all the same.
func (x *exchange) cookieToken(a *response.Response) (string, error) {
	name := x.e.AccessToken.Cookie
	set := a.Cookie(name)
	jar, whole := x.hc.Jar.(*auth.Jar)
	switch {
	case set != nil && a.Deletes(set):
		return "", nil
	case set != nil && !whole:
		return set.Value, nil
	case !whole:
		return "", nil
	}
	kept, there := jar.Sole(name)
	switch {
	case set != nil && (!there || kept.Value.Reveal() != set.Value):
		return "", errors.New(x.refusedCookie(set))
	case set != nil, there && x.grant.Kind == auth.KindLogin:
		return kept.Value.Reveal(), nil
	}
	return "", nil
}

// checkToken reports why token cannot be sent.
func (e *Exchanger) checkToken(token string) error {
	switch {
	case e.AccessToken.Cookie == "":
		return bearer.Check(token)
	case token == "":
		return errors.New("the cookie is empty")
	case !utf8.ValidString(token):
		return errors.New("the cookie is not UTF-8, and could not be kept")
	}
	return nil // the jar has taken it
}

// inner is the token that is verified and read. A cookie may have it with its scheme, and percent-encoded.
func (e *Exchanger) inner(token string) string {
	if e.AccessToken.Cookie == "" {
		return token
	}
	if strings.Contains(token, "%") {
		token = decoded(token)
	}
	return bearer.WithoutScheme(token, e.attach.SchemeName())
}
