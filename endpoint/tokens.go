package endpoint

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/bearer"
	"github.com/silentrefresh/silentrefresh/internal/lifetime"
	"github.com/silentrefresh/silentrefresh/internal/response"
)

// accessToken is the access token in a response, and the object that holds it: "" if there is none where the
// settings look for it.
func (e *Exchanger) accessToken(a *response.Response) (token string, in *response.Object, err error) {
	at := e.AccessToken
	if at.Header != "" {
		if token = e.stripped(a.Header.Get(at.Header)); token != "" {
			return token, nil, nil
		}
	}
	switch {
	case a.Err != nil:
		return "", nil, a.Err
	case at.JSON != "":
		return e.accessTokenAt(a, at.JSON)
	case at.Header != "":
		return "", nil, nil
	default:
		return e.findAccessToken(a)
	}
}

// stripped is a token without the scheme that it is attached with.
func (e *Exchanger) stripped(token string) string {
	return bearer.WithoutScheme(token, e.attach.SchemeName())
}

var errEmptyToken = errors.New("the access token in the response is empty")

func (e *Exchanger) accessTokenAt(a *response.Response, path string) (string, *response.Object, error) {
	v, in, ok := a.Lookup(path)
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
func (e *Exchanger) findAccessToken(a *response.Response) (string, *response.Object, error) {
	if token, ok := a.Document.(string); ok {
		return e.stripped(token), nil, nil
	}
	token, in, ok := a.Find(aside, textOf(accessNames))
	if !ok { // "refresh" may also be what was done, as in GraphQL
		token, in, ok = a.Find(response.Nowhere, textOf(accessNames[:1]))
	}
	if token = e.stripped(token); ok && token == "" {
		return "", nil, errEmptyToken
	}
	return token, in, nil
}

// elsewhere says which setting would find an access token that the response has in another place than where it was
// looked for; "" if there is none in sight.
func (e *Exchanger) elsewhere(a *response.Response) string {
	at := e.AccessToken
	if at != (AccessTokenAt{ExpiresJSON: at.ExpiresJSON, ExpiresUnit: at.ExpiresUnit, Lifetime: at.Lifetime}) {
		if token, in, _ := a.Find(aside, textOf(accessNames)); token != "" {
			return "the response has one at " + in.Path(in.NameOf(token)) + ": set access_token.json to that, and leave header and cookie empty"
		}
	}
	for _, name := range []string{"Authorization", "X-Access-Token", "X-Auth-Token", "Access-Token", "Token"} {
		if a.Header.Get(name) != "" {
			return "the response has a header " + name + ": set access_token.header to that"
		}
	}
	for _, c := range a.Cookies {
		if strings.Contains(response.Plain(c.Name), "access") && c.Name != at.Cookie && !a.Deletes(c) {
			return "the response sets a cookie " + c.Name + ": set access_token.cookie to that"
		}
	}
	if path := strangeJWT(a); path != "" {
		return "the response has a JWT at " + path + ": set access_token.json to that if it is the one"
	}
	return ""
}

// strangeJWT is the path to a JWT under a name that nothing is known of.
func strangeJWT(a *response.Response) string {
	for _, o := range a.Objects() {
		if o.Inside(aside) {
			continue
		}
		for _, name := range o.Keys() {
			if token, ok := o.Fields[name].(string); ok && !aside(response.Plain(name)) && bearer.Parse(token) != nil {
				return o.Path(name)
			}
		}
	}
	return ""
}

// sessionLife is how long the session lives that the response renews: what it says, the refresh token's own end, or
// the end of the cookie that carries it.
func (e *Exchanger) sessionLife(a *response.Response, refresh string, in *response.Object) time.Duration {
	if in != nil && aside(response.Plain(in.Name)) && in.Get(accessNames[0]) == nil { // an object of its own: its "expires" is meant
		if m, ok := in.Moment(expiryNames, 0); ok {
			return m.Left(a.Date)
		}
	}
	if m, ok := a.FindMoment(in, endNames, 0, notTheToken); ok {
		return m.Left(a.Date)
	}
	if c := bearer.Parse(refresh); c != nil {
		return accessLife(lifetime.Moment{}, c, a.Date)
	}
	for _, c := range a.Cookies {
		if e.mayRefresh(c) && !a.Deletes(c) {
			return lifetime.Shorter(lifetime.OfCookie(c).Left(a.Date), accessLife(lifetime.Moment{}, bearer.Parse(c.Value), a.Date))
		}
	}
	return 0
}

// mayRefresh reports whether a cookie looks like the refresh token: nothing else is said about it.
func (e *Exchanger) mayRefresh(c *http.Cookie) bool {
	if c.Name == e.AccessToken.Cookie || e.CSRF.isCookie(c.Name) {
		return false
	}
	return c.HttpOnly || strings.Contains(response.Plain(c.Name), "refresh")
}

// refreshToken is the refresh token in a response, "" if there is none, and the object that holds it.
func (e *Exchanger) refreshToken(a *response.Response) (token string, in *response.Object) {
	switch {
	case e.RefreshToken.Header != "":
		token = a.Header.Get(e.RefreshToken.Header)
	case e.RefreshToken.JSON != "":
		var v any
		v, in, _ = a.Lookup(e.RefreshToken.JSON)
		token, _ = v.(string)
	default:
		token, in = findRefreshToken(a)
	}
	if token == "" && e.RefreshToken != (RefreshTokenAt{}) {
		token, in = findRefreshToken(a) // a rotated one that is not taken costs the session
	}
	token = bearer.WithoutScheme(token)
	if bearer.Check(token) != nil {
		return "", nil
	}
	return token, in
}

// findRefreshToken looks under the usual names, of which "refresh" may also be an object.
func findRefreshToken(a *response.Response) (token string, in *response.Object) {
	if token, in, _ = a.Find(response.Nowhere, textOf(refreshNames)); token != "" {
		return token, in
	}
	for _, o := range a.Objects() {
		for _, name := range refreshNames {
			if fields, ok := o.Get(name).(map[string]any); ok {
				in = response.NewObject(fields, o, name)
				token, _ = textOf([]string{"token", "value", "jwt"})(in)
			}
		}
		if token != "" {
			break
		}
	}
	return token, in
}
