package endpoint

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/bearer"
	"github.com/silentrefresh/silentrefresh/internal/origin"
	"github.com/silentrefresh/silentrefresh/internal/response"
	"github.com/silentrefresh/silentrefresh/internal/retryafter"
	"golang.org/x/net/http/httpguts"
)

// isCookie reports whether the cookie name only protects against CSRF and is no credential.
func (f CSRF) isCookie(name string) bool {
	return name != "" && (name == f.Cookie || name == f.APICookie)
}

// CSRFHeader implements auth.CookieAuthenticator.
func (e *Exchanger) CSRFHeader(jar http.CookieJar, u *url.URL, s auth.Session) (name, value string) {
	cookie := e.CSRF.APICookie
	if cookie == "" {
		cookie = e.CSRF.Cookie
	}
	return e.csrfFor(jar, u, s.CSRF, cookie)
}

// csrfFor is the header for a request to u: the value of cookie, where the token is a cookie, else given.
func (e *Exchanger) csrfFor(jar http.CookieJar, u *url.URL, given auth.Secret, cookie string) (name, value string) {
	value = given.Reveal()
	if e.CSRF.Cookie != "" {
		value = e.cookieValue(jar, u, cookie)
	}
	if value == "" || !httpguts.ValidHeaderFieldValue(value) {
		return "", ""
	}
	return e.CSRF.Header, value
}

// cookieValue is a cookie that requests to u get, or that the refresh endpoint gets: a page's script would have
// both. Frameworks write it percent-encoded, and scripts decode it.
func (e *Exchanger) cookieValue(jar http.CookieJar, u *url.URL, name string) string {
	if jar == nil {
		return ""
	}
	for _, at := range []*url.URL{u, e.Refresh.target} {
		if at == nil {
			continue
		}
		for _, c := range cookiesFor(jar, at) {
			if c.Name == name {
				return decoded(c.Value)
			}
		}
	}
	return ""
}

// csrfToken is the token that this exchange shows, "" if there is none.
func (x *exchange) csrfToken() string {
	_, value := x.e.csrfFor(x.hc.Jar, x.target(), x.csrf, x.e.CSRF.Cookie)
	return value
}

// fetchCSRF gets a token from CSRF.URL, where there is one and no token is known, or the known one was refused.
func (x *exchange) fetchCSRF(ctx context.Context, refused bool) *auth.Error {
	u := x.e.CSRF.target
	if u == nil || x.csrfToken() != "" && !refused {
		return nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return x.unsent(errors.New("csrf.url cannot be requested"))
	}
	req.Header.Set("Accept", x.e.CSRF.accept())
	req.Header.Set("User-Agent", userAgent)
	x.e.call(x.grant.Kind).fixedHeaders(req)
	x.fetching = true
	resp, err := x.hc.Do(req)
	x.fetching = false
	if err != nil {
		return x.withoutCSRF(0, response.Cause(err))
	}
	a := response.Read(resp, time.Now())
	if a.Status > 299 {
		f := x.withoutCSRF(a.Status, nil)
		f.Until = retryafter.At(a.Status, a.Header)
		return f
	}
	if token := x.e.csrfIn(a); !token.IsZero() {
		x.csrf = token
	}
	if x.csrfToken() == "" {
		return x.withoutCSRF(a.Status, errors.New("the response has no CSRF token "+x.e.CSRF.source().where()))
	}
	return nil
}

// renewCSRF fetches the token anew after a login that has changed the session's cookies: a token belongs to a session.
// Where that fails, the login has succeeded all the same, and the next call fetches it.
func (x *exchange) renewCSRF(ctx context.Context) {
	jar, ok := x.hc.Jar.(*auth.Jar)
	if !ok || x.e.CSRF.target == nil || x.e.CSRF.Cookie != "" || !x.session.CSRF.IsZero() && !x.session.CSRF.Equal(x.csrf) {
		return // the response gave the next one, or a cookie does
	}
	if sameValues(x.before, jar.All()) {
		return
	}
	x.session.CSRF, x.csrf = auth.Secret{}, auth.Secret{}
	if fail := x.fetchCSRF(ctx, true); fail == nil {
		x.session.CSRF = x.csrf
	}
}

// sameValues reports whether a and b are the same cookies, whenever they end.
func sameValues(a, b []auth.Cookie) bool {
	return slices.EqualFunc(a, b, func(a, b auth.Cookie) bool { return a.Name == b.Name && a.Value.Equal(b.Value) })
}

// withoutCSRF is the failure to get a token: the credential itself was not presented.
func (x *exchange) withoutCSRF(status int, err error) *auth.Error {
	f := x.unsent(err)
	f.Path, f.Status = x.e.CSRF.target.Path, status
	f.Hint = "no CSRF token could be fetched; look at csrf.url"
	return f
}

// source is where responses have the token.
func (f CSRF) source() ValueAt {
	return ValueAt{Cookie: f.Cookie, Header: f.ResponseHeader, JSON: f.ResponseJSON, Field: f.ResponseField, Meta: f.ResponseMeta}
}

// accept is the Accept field of a request for URL.
func (f CSRF) accept() string {
	if f.ResponseField != "" || f.ResponseMeta != "" || f.Field != "" {
		return acceptPage
	}
	return acceptJSON
}

// referer is what a call to u names as the page that it comes from, "" for none: frameworks that protect against forgery
// over https look at it (a browser sends it by the policy strict-origin-when-cross-origin).
func (f CSRF) referer(u *url.URL) string {
	if f.target == nil || !origin.Same(f.target, u) {
		return ""
	}
	page := *f.target
	page.RawQuery, page.User = "", nil
	return page.String()
}

// csrfIn is the CSRF token that a response gives for the next call; a cookie is in the jar.
func (e *Exchanger) csrfIn(a *response.Response) auth.Secret {
	if e.CSRF.Cookie != "" {
		return auth.Secret{}
	}
	token, _ := e.CSRF.source().in(a)
	if bearer.Check(token) != nil {
		return auth.Secret{}
	}
	return auth.NewSecret(token)
}
