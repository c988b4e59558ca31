package oauth_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/oauth"
	"github.com/silentrefresh/silentrefresh/oauth/oauthtest"
)

func TestDiscoveryThatLies(t *testing.T) {
	set := func(name string, value any) func(map[string]any) {
		return func(d map[string]any) { d[name] = value }
	}
	for _, test := range []struct {
		name string
		lie  func(map[string]any)
		want string
	}{
		{"another issuer", set("issuer", "https://evil.example.com"), "calls its issuer"},
		{"no issuer", set("issuer", ""), "calls its issuer"},
		{"plain token endpoint", set("token_endpoint", "http://login.example.com/token"), "token_endpoint http://login.example.com is not https"},
		{"plain keys", set("jwks_uri", "http://login.example.com/jwks"), "jwks_uri"},
		{"plain authorization endpoint", set("authorization_endpoint", "http://login.example.com/a"), "authorization_endpoint"},
		{"plain revocation", set("revocation_endpoint", "http://login.example.com/r"), "revocation_endpoint"},
		{"relative", set("token_endpoint", "/token"), "token_endpoint"},
		{"no token endpoint", set("token_endpoint", ""), "token_endpoint is missing"},
		{"no keys", set("jwks_uri", ""), "jwks_uri is missing"},
		{"no authorization endpoint", set("authorization_endpoint", ""), "authorization_endpoint is missing"},
		{"not text", set("token_endpoint", 7), "no discovery document"},
		{"a list", set("revocation_endpoint", []string{"x"}), "no discovery document"},
	} {
		t.Run(test.name, func(t *testing.T) {
			op := start(t, oauthtest.Config{Metadata: test.lie})
			_, err := exchanger(t, settings(op)).Exchange(t.Context(), client(t),
				auth.Grant{Kind: auth.KindLogin, Credentials: oauth.Cookies{op.Session("ada")}})
			f := failure(t, err)
			if f.Refused || f.MaybeSpent || !f.Unsent || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%+v: %v", f, err)
			}
			if n := op.Calls("/.well-known/openid-configuration"); n != 1 {
				t.Errorf("discovered %d times", n)
			}
		})
	}
}

func TestDiscoveryAway(t *testing.T) {
	for _, test := range []struct {
		status int
		body   string
		want   string
	}{
		{404, "SECRET", "to the letter"},
		{500, "SECRET", "500"},
		{200, "<html>SECRET", "no discovery document"},
	} {
		op := start(t, oauthtest.Config{Intercept: response("/.well-known/openid-configuration", test.status, test.body, nil)})
		e, hc := exchanger(t, settings(op)), client(t)
		grant := auth.Grant{Kind: auth.KindLogin, Credentials: oauth.Cookies{op.Session("ada")}}
		_, err := e.Exchange(t.Context(), hc, grant)
		if f := failure(t, err); f.Refused || f.MaybeSpent || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%d: %v", test.status, err)
		}
		op.Change(func(p *oauthtest.Config) { p.Intercept = nil })
		if _, err := e.Exchange(t.Context(), hc, grant); err != nil {
			t.Errorf("the provider is back, and %v", err)
		}
	}
}

// TestDiscoveryGrowsOld: the document is looked at again after a day, and an old one is better than none.
func TestDiscoveryGrowsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := start(t, oauthtest.Config{NoRefreshTokens: true})
		hc := client(t)
		hc.Transport = op.Transport()
		e := exchanger(t, settings(op))
		s := login(t, e, hc, op, "ada")
		const document = "/.well-known/openid-configuration"
		for _, want := range []int{1, 2} {
			if _, err := refresh(t, e, hc, s); err != nil {
				t.Fatal(err)
			}
			synctest.Wait() // it is renewed beside
			if n := op.Calls(document); n != want {
				t.Errorf("discovered %d times, want %d", n, want)
			}
			time.Sleep(25 * time.Hour)
		}
		op.Change(func(p *oauthtest.Config) { p.Intercept = response(document, 503, "", nil) })
		if _, err := refresh(t, e, hc, s); err != nil {
			t.Errorf("the old document would have done: %v", err)
		}
	})
}
