package endpoint

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/silentrefresh/silentrefresh/auth"
)

// roundTrip is an http.RoundTripper.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// TestRedirectsEndWithoutCheckRedirect: a client without one follows ten redirects, as net/http has it, and not all.
func TestRedirectsEndWithoutCheckRedirect(t *testing.T) {
	base := &url.URL{Scheme: "https", Host: "api.example.com"}
	e, err := Settings{}.Bind(base, auth.Attach{})
	if err != nil {
		t.Fatal(err)
	}
	sent := 0
	hc := &http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
		sent++
		return &http.Response{StatusCode: http.StatusTemporaryRedirect, Header: http.Header{"Location": {"/auth/login"}},
			Body: http.NoBody, Request: req}, nil
	})}
	_, err = e.Exchange(t.Context(), hc, auth.Grant{Kind: auth.KindLogin, Credentials: map[string]string{"email": "a"}})
	if err == nil || sent > 3*maxRedirects {
		t.Errorf("%v after %d requests", err, sent)
	}
}
