package oauth_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/oauth"
	"github.com/silentrefresh/silentrefresh/oauth/oauthtest"
)

// TestLogout: both tokens are revoked, and the provider's session ended.
func TestLogout(t *testing.T) {
	for _, secret := range []string{"", "s3cret"} {
		op := start(t, oauthtest.Config{Secret: secret})
		cl := newClient(t, op, settings(op))
		cookie := op.Session("ada")
		if err := cl.Login(t.Context(), oauth.Cookies{cookie}); err != nil {
			t.Fatal(err)
		}
		token, err := cl.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := cl.Logout(t.Context()); err != nil {
			t.Error(err)
		}
		if n := op.Calls("/revoke"); n != 2 {
			t.Errorf("%d revocations, want one of each token", n)
		}
		if status := statusOf(t, op, token.Value); status != http.StatusUnauthorized {
			t.Errorf("the access token still gets %d", status)
		}
		if err := newClient(t, op, settings(op)).Login(t.Context(), oauth.Cookies{cookie}); !strings.Contains(err.Error(), "login_required") {
			t.Errorf("the provider's session lives on: %v", err)
		}
	}
}

func statusOf(t *testing.T, op *oauthtest.Provider, token auth.Secret) int {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, op.URL()+"/me", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token.Reveal())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// TestLogoutWhereTheProviderAsksAPerson: that its session lives on is said.
func TestLogoutWhereTheProviderAsksAPerson(t *testing.T) {
	op := start(t, oauthtest.Config{Intercept: response("/logout", 200, "<form>Do you want to log out?</form>", nil)})
	cl := newClient(t, op, settings(op))
	if err := cl.Login(t.Context(), oauth.Cookies{op.Session("ada")}); err != nil {
		t.Fatal(err)
	}
	err := cl.Logout(t.Context())
	if err == nil || !strings.Contains(err.Error(), "asks a person") {
		t.Error(err)
	}
	if _, err := cl.Token(t.Context()); !errors.Is(err, silentrefresh.ErrNoSession) {
		t.Errorf("the session is still here: %v", err)
	}
}

// TestLogoutWithTheProviderAway: the local session goes all the same, and every step was tried.
func TestLogoutWithTheProviderAway(t *testing.T) {
	op := start(t, oauthtest.Config{})
	cl := newClient(t, op, settings(op))
	if err := cl.Login(t.Context(), oauth.Cookies{op.Session("ada")}); err != nil {
		t.Fatal(err)
	}
	op.Change(func(p *oauthtest.Config) {
		p.Intercept = func(w http.ResponseWriter, r *http.Request) bool { w.WriteHeader(503); return true }
	})
	err := cl.Logout(t.Context())
	if f := failure(t, err); f.Op != auth.KindLogout || f.Status != 503 {
		t.Error(err)
	}
	if op.Calls("/revoke") != 2 || op.Calls("/logout") != 1 {
		t.Errorf("%d revocations, %d logouts were tried", op.Calls("/revoke"), op.Calls("/logout"))
	}
	if _, err := cl.Token(t.Context()); !errors.Is(err, silentrefresh.ErrNoSession) {
		t.Errorf("the session is still here: %v", err)
	}
}

// TestLogoutAtALesserProvider: without the endpoints there is nothing to do, and nothing to complain of.
func TestLogoutAtALesserProvider(t *testing.T) {
	op := start(t, oauthtest.Config{
		Intercept: response("/revoke", 400, `{"error":"unsupported_token_type"}`, nil),
		Metadata: func(d map[string]any) {
			delete(d, "end_session_endpoint")
		},
	})
	cl := newClient(t, op, settings(op))
	if err := cl.Login(t.Context(), oauth.Cookies{op.Session("ada")}); err != nil {
		t.Fatal(err)
	}
	if err := cl.Logout(t.Context()); err != nil {
		t.Error(err)
	}
	if n := op.Calls("/logout"); n != 0 {
		t.Errorf("%d logouts at an endpoint that is not promised", n)
	}
}

// TestLogoutLeadsElsewhere: a provider that sends people on to a home page is done; nobody goes there.
func TestLogoutLeadsElsewhere(t *testing.T) {
	op := start(t, oauthtest.Config{NoRefreshTokens: true})
	home := start(t, oauthtest.Config{})
	cl := newClient(t, op, settings(op))
	if err := cl.Login(t.Context(), oauth.Cookies{op.Session("ada")}); err != nil {
		t.Fatal(err)
	}
	op.Change(func(p *oauthtest.Config) {
		p.Intercept = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/logout" {
				op.EndSessions()
				http.Redirect(w, r, home.URL()+"/logout", http.StatusFound)
			}
			return r.URL.Path == "/logout"
		}
	})
	if err := cl.Logout(t.Context()); err != nil || home.Calls("/logout") != 0 {
		t.Errorf("%d visits, %v", home.Calls("/logout"), err)
	}
}

// TestLogoutWithNothingToEnd: without tokens, cookies and an ID token there is no call at all.
func TestLogoutWithNothingToEnd(t *testing.T) {
	op := start(t, oauthtest.Config{})
	_, err := exchanger(t, settings(op)).Exchange(t.Context(), client(t), auth.Grant{Kind: auth.KindLogout})
	if n := op.Calls("/revoke") + op.Calls("/logout"); err != nil || n != 0 {
		t.Errorf("%d calls, %v", n, err)
	}
}
