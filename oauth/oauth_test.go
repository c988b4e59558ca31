package oauth_test

import (
	"errors"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/oauth"
	"github.com/silentrefresh/silentrefresh/oauth/oauthtest"
)

// redirectURI is never fetched: nothing listens there.
const redirectURI = "http://127.0.0.1:1/callback"

// start runs a provider until the test ends.
func start(t *testing.T, c oauthtest.Config) *oauthtest.Provider {
	t.Helper()
	return oauthtest.NewProvider(t, c)
}

// settings is a client of op's that authenticates silently.
func settings(op *oauthtest.Provider) oauth.Config {
	c := op.ClientConfig(oauth.Silent, "")
	c.RedirectURI, c.Scopes = redirectURI, []string{"openid", "offline_access"}
	return c
}

func exchanger(t *testing.T, c oauth.Config) *oauth.Exchanger {
	t.Helper()
	e, err := oauth.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// client is what a silentrefresh.Client gives an exchanger: a jar, and no redirects to elsewhere.
func client(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if r.URL.Host != via[0].URL.Host {
			return errors.New("a redirect to another origin")
		}
		return nil
	}}
}

// login logs in silently, with a session that the provider has for account.
func login(t *testing.T, e *oauth.Exchanger, hc *http.Client, op *oauthtest.Provider, account string) auth.Session {
	t.Helper()
	s, err := e.Exchange(t.Context(), hc, auth.Grant{Kind: auth.KindLogin, Credentials: oauth.Cookies{op.Session(account)}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func refresh(t *testing.T, e *oauth.Exchanger, hc *http.Client, old auth.Session) (auth.Session, error) {
	t.Helper()
	s, err := e.Exchange(t.Context(), hc, auth.Grant{Kind: auth.KindRefresh, Old: old})
	if err != nil {
		keepsSecrets(t, err, old)
	}
	return s, err
}

// next carries forward what a Client does.
func next(s, old auth.Session) auth.Session {
	if s.RefreshToken.IsZero() {
		s.RefreshToken = old.RefreshToken
	}
	if s.Subject == "" {
		s.Subject = old.Subject
	}
	if s.Extra.IsZero() {
		s.Extra = old.Extra
	}
	return s
}

// failure is the *auth.Error in err.
func failure(t *testing.T, err error) *auth.Error {
	t.Helper()
	e, ok := errors.AsType[*auth.Error](err)
	if !ok {
		t.Fatalf("error %v is no *auth.Error", err)
	}
	return e
}

// keepsSecrets checks that err shows no token of s and no query.
func keepsSecrets(t *testing.T, err error, s auth.Session) {
	t.Helper()
	for _, secret := range []auth.Secret{s.AccessToken, s.RefreshToken, s.Extra} {
		if text := secret.Reveal(); text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("the error shows a secret: %v", err)
		}
	}
	for _, part := range []string{"state=", "code=", "nonce=", "?client_id"} {
		if strings.Contains(err.Error(), part) {
			t.Errorf("the error shows a query: %v", err)
		}
	}
}
