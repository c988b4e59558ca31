package endpoint

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/bearer"
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
		for _, c := range jar.Cookies(at) {
			if c.Name != name {
				continue
			}
			if decoded, err := url.PathUnescape(c.Value); err == nil {
				return decoded
			}
			return c.Value
		}
	}
	return ""
}

// fetchCSRF gets a token from CSRF.URL, where there is one and no token is known, or the known one was refused.
func (x *exchange) fetchCSRF(ctx context.Context, refused bool) *auth.Error {
	u := x.e.CSRF.target
	if u == nil {
		return nil
	}
	if name, _ := x.e.csrfFor(x.hc.Jar, x.url, x.csrf, x.e.CSRF.Cookie); name != "" && !refused {
		return nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return x.unsent(errors.New("csrf.url cannot be requested"))
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "silentrefresh/1")
	x.call.fixedHeaders(req)
	resp, err := x.hc.Do(req)
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
	return nil
}

// withoutCSRF is the failure to get a token: the credential itself was not presented.
func (x *exchange) withoutCSRF(status int, err error) *auth.Error {
	f := x.unsent(err)
	f.Path, f.Status = x.e.CSRF.target.Path, status
	f.Hint = "no CSRF token could be fetched; look at csrf.url"
	return f
}

// csrfIn is the CSRF token that a response gives for the next call.
func (e *Exchanger) csrfIn(a *response.Response) auth.Secret {
	var token string
	if e.CSRF.ResponseHeader != "" {
		token = a.Header.Get(e.CSRF.ResponseHeader)
	} else if e.CSRF.ResponseJSON != "" {
		v, _, _ := a.Lookup(e.CSRF.ResponseJSON)
		token, _ = v.(string)
	}
	if bearer.Check(token) != nil {
		return auth.Secret{}
	}
	return auth.NewSecret(token)
}
