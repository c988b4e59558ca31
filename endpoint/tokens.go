package endpoint

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/bearer"
	"github.com/silentrefresh/silentrefresh/internal/lifetime"
)

// accessToken is the access token in a response, and the object that holds it: "" if there is none where the
// settings look for it.
func (e *Exchanger) accessToken(a *response) (token string, in *object, err error) {
	at := e.AccessToken
	if at.Cookie != "" {
		if c, ok := a.cookie(at.Cookie); ok && !a.deletes(c) {
			return c.Value, nil, nil
		}
		return "", nil, a.err
	}
	if at.Header != "" {
		if token = e.stripped(a.header.Get(at.Header)); token != "" {
			return token, nil, nil
		}
	}
	switch {
	case a.err != nil:
		return "", nil, a.err
	case at.JSON != "":
		return e.accessTokenAt(a.document, at.JSON)
	case at.Header != "":
		return "", nil, nil
	default:
		return e.findAccessToken(a.document)
	}
}

// stripped is a token without the scheme that it is attached with.
func (e *Exchanger) stripped(token string) string {
	return bearer.WithoutScheme(token, e.attach.SchemeName())
}

var errEmptyToken = errors.New("the access token in the response is empty")

func (e *Exchanger) accessTokenAt(document any, path string) (string, *object, error) {
	v, in, ok := lookup(document, path)
	if !ok || v == nil {
		return "", nil, nil
	}
	token, ok := v.(string)
	if !ok {
		return "", nil, errors.New("what access_token.json names in the response is not a string")
	}
	if token = e.stripped(token); token == "" {
		return "", nil, errEmptyToken
	}
	return token, in, nil
}

// findAccessToken looks under the usual names. A response that is nothing but a text is the token itself.
func (e *Exchanger) findAccessToken(document any) (string, *object, error) {
	if token, ok := document.(string); ok {
		return e.stripped(token), nil, nil
	}
	token, in, ok := findText(document, accessNames, aside)
	if !ok { // "refresh" may also be what was done, as in GraphQL
		token, in, ok = findText(document, accessNames[:1], nowhere)
	}
	if token = e.stripped(token); ok && token == "" {
		return "", nil, errEmptyToken
	}
	return token, in, nil
}

// elsewhere says which setting would find an access token that the response has in another place than where it was
// looked for; "" if there is none in sight.
func (e *Exchanger) elsewhere(a *response) string {
	at := e.AccessToken
	if at != (AccessTokenAt{ExpiresJSON: at.ExpiresJSON}) {
		if token, in, _ := findText(a.document, accessNames, aside); token != "" {
			return "the response has one at " + in.path(in.nameOf(token)) + ": set access_token.json to that, and leave header and cookie empty"
		}
	}
	for _, name := range []string{"Authorization", "X-Access-Token", "X-Auth-Token", "Access-Token", "Token"} {
		if a.header.Get(name) != "" {
			return "the response has a header " + name + ": set access_token.header to that"
		}
	}
	for _, c := range a.cookies {
		if strings.Contains(plain(c.Name), "access") && c.Name != at.Cookie && !a.deletes(c) {
			return "the response sets a cookie " + c.Name + ": set access_token.cookie to that"
		}
	}
	if path := strangeJWT(a.document); path != "" {
		return "the response has a JWT at " + path + ": set access_token.json to that if it is the one"
	}
	return ""
}

// strangeJWT is the path to a JWT under a name that nothing is known of.
func strangeJWT(document any) (path string) {
	each(document, aside, func(o *object) bool {
		for name, v := range o.fields {
			if token, ok := v.(string); ok && !aside(plain(name)) && bearer.Parse(token) != nil {
				path = o.path(name)
			}
		}
		return path == ""
	})
	return path
}

// sessionLife is how long the session lives that the response renews: what it says, the refresh token's own end, or
// the end of the cookie that carries it.
func (e *Exchanger) sessionLife(a *response, refresh string, in *object) time.Duration {
	if in != nil && aside(plain(in.name)) && in.get(accessNames[0]) == nil { // an object of its own: its "expires" is meant
		if m, ok := in.moment(expiryNames); ok {
			return m.Left(a.date)
		}
	}
	if m, ok := findExpiry(a.document, in, endNames); ok {
		return m.Left(a.date)
	}
	if c := bearer.Parse(refresh); c != nil {
		return accessLife(lifetime.Moment{}, c, a.date)
	}
	for _, c := range a.cookies {
		if e.mayRefresh(c) && !a.deletes(c) {
			return lifetime.Shorter(lifetime.OfCookie(c).Left(a.date), accessLife(lifetime.Moment{}, bearer.Parse(c.Value), a.date))
		}
	}
	return 0
}

// mayRefresh reports whether a cookie looks like the refresh token: nothing else is said about it.
func (e *Exchanger) mayRefresh(c *http.Cookie) bool {
	if c.Name == e.AccessToken.Cookie || e.CSRF.isCookie(c.Name) {
		return false
	}
	return c.HttpOnly || strings.Contains(plain(c.Name), "refresh")
}

// refreshToken is the refresh token in a response, "" if there is none, and the object that holds it.
func (e *Exchanger) refreshToken(a *response) (token string, in *object) {
	switch {
	case e.RefreshToken.Header != "":
		token = a.header.Get(e.RefreshToken.Header)
	case e.RefreshToken.JSON != "":
		var v any
		v, in, _ = lookup(a.document, e.RefreshToken.JSON)
		token, _ = v.(string)
	default:
		token, in = findRefreshToken(a.document)
	}
	if token == "" && e.RefreshToken != (RefreshTokenAt{}) {
		token, in = findRefreshToken(a.document) // a rotated one that is not taken costs the session
	}
	token = bearer.WithoutScheme(token)
	if bearer.Check(token) != nil {
		return "", nil
	}
	return token, in
}

// findRefreshToken looks under the usual names, of which "refresh" may also be an object.
func findRefreshToken(document any) (token string, in *object) {
	if token, in, _ = findText(document, refreshNames, nowhere); token != "" {
		return token, in
	}
	each(document, nowhere, func(o *object) bool {
		for _, name := range refreshNames {
			if fields, ok := o.get(name).(map[string]any); ok {
				in = newObject(fields, o, name)
				token, _ = in.text([]string{"token", "value", "jwt"})
			}
		}
		return token == ""
	})
	return token, in
}

// isJSONDocument reports whether the response is JSON rather than a form.
func isJSONDocument(a *response) bool { return decodeJSON(trimmed(a.body)) != nil }
