package oauth_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/oauth"
	"github.com/silentrefresh/silentrefresh/oauth/oauthtest"
)

func TestIDTokensThatLie(t *testing.T) {
	set := func(name string, value any) func(map[string]any) {
		return func(c map[string]any) { c[name] = value }
	}
	for _, test := range []struct {
		name      string
		claims    func(map[string]any)
		algorithm string
		want      string
	}{
		{"not signed", nil, "none", "none"},
		{"wrong key", nil, "stranger", "none of the server's keys fits"},
		{"issuer", set("iss", "https://evil.example.com"), "", "different provider"},
		{"audience", set("aud", "another"), "", "audience"},
		{"several audiences, no azp", set("aud", []string{oauthtest.ClientID, "another"}), "", "another client"},
		{"azp", set("azp", "another"), "", "another client"},
		{"nonce", set("nonce", "another"), "", "nonce"},
		{"no nonce", set("nonce", ""), "", "nonce"},
		{"no subject", set("sub", ""), "", "subject"},
		{"expired", set("exp", time.Now().Add(-3*time.Minute).Unix()), "", "expired"},
		{"not yet", set("nbf", time.Now().Add(time.Hour).Unix()), "", "not before"},
		{"at_hash", set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), "", "another access token"},
	} {
		t.Run(test.name, func(t *testing.T) {
			op := start(t, oauthtest.Config{Claims: test.claims, Algorithm: test.algorithm})
			s, err := exchanger(t, settings(op)).Exchange(t.Context(), client(t),
				auth.Grant{Kind: auth.KindLogin, Credentials: oauth.Cookies{op.Session("ada")}})
			if f := failure(t, err); f.Refused || !strings.Contains(err.Error(), test.want) {
				t.Errorf("refused %v: %v", f.Refused, err)
			}
			if !s.AccessToken.IsZero() {
				t.Error("the access token was taken all the same")
			}
			if n := op.Calls("/token"); n != 1 {
				t.Errorf("%d token requests: the code was replayed", n)
			}
		})
	}
}

func TestIDTokenLeeway(t *testing.T) {
	op := start(t, oauthtest.Config{Claims: func(c map[string]any) { c["exp"] = time.Now().Add(-time.Minute).Unix() }})
	login(t, exchanger(t, settings(op)), client(t), op, "ada")
}

// TestF17_WrongClockStillLogsIn: ID tokens are checked by the provider's clock, lifetimes counted by ours.
func TestF17_WrongClockStillLogsIn(t *testing.T) {
	ahead := 26 * time.Hour
	op := start(t, oauthtest.Config{TokenTTL: time.Minute, Claims: func(c map[string]any) {
		c["iat"], c["exp"] = time.Now().Add(-ahead).Unix(), time.Now().Add(-ahead+time.Minute).Unix()
	}})
	hc := client(t)
	hc.Transport = dated(-ahead)
	s := login(t, exchanger(t, settings(op)), hc, op, "ada")
	if left := time.Until(s.Expires); left < 50*time.Second || left > time.Minute {
		t.Errorf("the token is good for %v more", left)
	}
}

// dated is a transport whose responses come from a clock that is off.
type dated time.Duration

func (d dated) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		resp.Header.Set("Date", time.Now().Add(time.Duration(d)).UTC().Format(http.TimeFormat))
	}
	return resp, err
}

func TestNoIDToken(t *testing.T) {
	op := start(t, oauthtest.Config{Intercept: response("/token", 200, `{"access_token":"a","refresh_token":"r"}`, map[string]string{"Content-Type": "application/json"})})
	_, err := exchanger(t, settings(op)).Exchange(t.Context(), client(t),
		auth.Grant{Kind: auth.KindLogin, Credentials: oauth.Cookies{op.Session("ada")}})
	if err == nil || !strings.Contains(err.Error(), "no ID token") {
		t.Error(err)
	}
}

func TestF52_RefreshForAnotherSubject(t *testing.T) {
	op := start(t, oauthtest.Config{})
	e := exchanger(t, settings(op))
	old := login(t, e, client(t), op, "ada")
	op.Change(func(p *oauthtest.Config) { p.Claims = func(c map[string]any) { c["sub"] = "eve" } })
	s, err := refresh(t, e, client(t), old)
	if f := failure(t, err); !f.Refused || !s.RefreshToken.IsZero() || !s.AccessToken.IsZero() {
		t.Errorf("the tokens of another account were taken: %v", err)
	}
}

// TestRefreshWithABadIDToken: the credential is spent all the same, so the one that came instead is kept.
func TestRefreshWithABadIDToken(t *testing.T) {
	for _, lie := range []func(*oauthtest.Config){
		func(p *oauthtest.Config) { p.Algorithm = "stranger" },
		func(p *oauthtest.Config) { p.Claims = func(c map[string]any) { c["nonce"] = "another" } },
	} {
		op := start(t, oauthtest.Config{})
		e, hc := exchanger(t, settings(op)), client(t)
		old := login(t, e, hc, op, "ada")
		op.Change(lie)
		s, err := refresh(t, e, hc, old)
		if f := failure(t, err); f.Refused || !s.AccessToken.IsZero() || s.RefreshToken.IsZero() || s.RefreshToken.Reveal() == old.RefreshToken.Reveal() {
			t.Errorf("%+v, %v", f, err)
		}
	}
}
