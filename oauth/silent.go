package oauth

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/silentrefresh/silentrefresh/auth"
)

// maxHops is how many redirects one silent authentication may take; a handful is usual.
const maxHops = 20

// silent authenticates without a person, as a browser does in a hidden frame (OpenID Connect Core section
// 3.1.2.1, prompt=none).
func (x *exchange) silent(ctx context.Context, old auth.Session) (auth.Session, error) {
	a, code, err := x.authorizeSilently(ctx, old)
	if err != nil {
		return auth.Session{}, err
	}
	s, err := x.redeem(ctx, a, code, old)
	if e, ok := errors.AsType[*auth.Error](err); ok && !errors.Is(err, errOtherSubject) {
		return auth.Session{}, harmless(e) // the code is lost; the server's session is not
	}
	return s, err
}

// authorizeSilently asks the server whether it still knows its session.
func (x *exchange) authorizeSilently(ctx context.Context, old auth.Session) (authorization, string, error) {
	a, err := x.authorization(ctx, x.c.RedirectURI, "none", extraOf(old).IDToken)
	if err != nil {
		return a, "", err
	}
	response, err := x.follow(ctx, a)
	if err != nil {
		return a, "", err
	}
	code, err := x.code(a, response)
	return a, code, err
}

// follow walks from a's URL along the server's redirects to the redirect URI, and returns what its query says.
// It fetches nothing outside the server's origins, and never the redirect URI.
func (x *exchange) follow(ctx context.Context, a authorization) (url.Values, error) {
	hc := *x.hc
	hc.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	at, err := url.Parse(a.url)
	if err != nil {
		return nil, x.mistake("the authorization endpoint is not a URL")
	}
	for range maxHops {
		if !x.own(at) {
			err := x.mistake("the server redirected to %s, which is none of its origins", at.Scheme+"://"+at.Host)
			err.Hint = "if it belongs to the server, add it to origins"
			return nil, err
		}
		at, err = x.hop(ctx, &hc, at)
		if err != nil {
			return nil, err
		}
		if isResponse(at, a.redirectURI) {
			return at.Query(), nil
		}
	}
	return nil, x.mistake("the server redirected %d times without a response", maxHops)
}

// hop fetches one URL of the walk and returns where it redirects to.
func (x *exchange) hop(ctx context.Context, hc *http.Client, at *url.URL) (*url.URL, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, x.mistake("the server redirected to something that is not a URL")
	}
	resp, err := hc.Do(req)
	if err != nil {
		return nil, harmless(x.failed(err))
	}
	io.Copy(io.Discard, resp.Body) // only the header counts
	resp.Body.Close()
	next, err := resp.Location()
	if err == nil && resp.StatusCode/100 == 3 {
		return next, nil
	}
	e := harmless(x.failed(nil))
	if e.Status/100 < 4 {
		e.Err = errors.New("it should have redirected to the redirect URI, and did not")
	}
	return nil, e
}

// isResponse reports whether u is the redirect URI, with a response in its query.
func isResponse(u *url.URL, redirectURI string) bool {
	r, err := url.Parse(redirectURI)
	return err == nil && u.Scheme == r.Scheme && u.Host == r.Host && u.Path == r.Path && u.Opaque == r.Opaque
}
