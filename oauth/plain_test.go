package oauth_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/oauth"
	"github.com/silentrefresh/silentrefresh/oauth/oauthtest"
)

// TestPlainServer: a server without OpenID Connect, found by its metadata and by hand.
func TestPlainServer(t *testing.T) {
	for name, where := range map[string]func(*oauthtest.Provider, *oauth.Config){
		"issuer": func(op *oauthtest.Provider, c *oauth.Config) { c.Issuer = op.URL() },
		"by hand": func(op *oauthtest.Provider, c *oauth.Config) {
			c.Endpoints = oauth.Endpoints{Authorization: op.URL() + "/authorize", Token: op.URL() + "/token", Revocation: op.URL() + "/revoke"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			op := start(t, oauthtest.Config{Plain: true})
			var asked url.Values
			c := oauth.Config{ClientID: oauthtest.ClientID, Prompt: func(p oauth.Prompt) { asked = query(t, p.URL) }, OpenBrowser: op.Browse("ada")}
			where(op, &c)
			cl := newClient(t, op, c)
			if err := cl.Login(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			if got := me(t, cl, op); got != ada {
				t.Errorf("logged in as %s", got)
			}
			for _, parameter := range []string{"scope", "nonce", "prompt", "resource"} {
				if asked.Has(parameter) {
					t.Errorf("%s=%s was asked for", parameter, asked.Get(parameter))
				}
			}
			if err := cl.Renew(t.Context()); err != nil {
				t.Error(err)
			}
			if err := cl.Logout(t.Context()); err != nil {
				t.Error(err)
			}
			if op.Calls("/revoke") != 2 {
				t.Errorf("%d revocations", op.Calls("/revoke"))
			}
		})
	}
}

// TestEndpointsByHandWithOpenID: ID tokens are verified where the settings have what the metadata would say.
func TestEndpointsByHandWithOpenID(t *testing.T) {
	op := start(t, oauthtest.Config{})
	for issuer, want := range map[string]string{op.URL(): "", "https://evil.example.com": "from another server"} {
		c := oauth.Config{
			ClientID: oauthtest.ClientID, Scopes: []string{"openid", "offline_access"}, MetadataIssuer: issuer,
			Endpoints:   oauth.Endpoints{Authorization: op.URL() + "/authorize", Token: op.URL() + "/token", JWKS: op.URL() + string(oauthtest.Keys)},
			OpenBrowser: op.Browse("ada"), Prompt: func(oauth.Prompt) {},
		}
		cl := newClient(t, op, c)
		err := cl.Login(t.Context(), nil)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", issuer, err)
		}
		if err != nil {
			continue
		}
		if err := cl.Renew(t.Context()); err != nil || cl.Status().Account != "ada@example.com" {
			t.Errorf("account %q, %v", cl.Status().Account, err)
		}
	}
}

func query(t *testing.T, page string) url.Values {
	t.Helper()
	u, err := url.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

// TestScopesAskedFor: openid and offline_access only where they are offered, and settings before everything.
func TestScopesAskedFor(t *testing.T) {
	for _, test := range []struct {
		name   string
		offers []string
		scopes []string
		want   string
	}{
		{"offered", []string{"openid", "email", "offline_access"}, nil, "openid offline_access"},
		{"no offline_access", []string{"openid", "email"}, nil, "openid"},
		{"nothing said", nil, nil, "openid"},
		{"settings", []string{"openid", "offline_access"}, []string{"openid", "mail.read"}, "openid mail.read"},
	} {
		t.Run(test.name, func(t *testing.T) {
			op := start(t, oauthtest.Config{Metadata: func(doc map[string]any) {
				if doc["scopes_supported"] = test.offers; test.offers == nil {
					delete(doc, "scopes_supported")
				}
			}})
			var asked url.Values
			c := oauth.Config{Issuer: op.URL(), ClientID: oauthtest.ClientID, Scopes: test.scopes, OpenBrowser: op.Browse("ada"),
				Prompt: func(p oauth.Prompt) { asked = query(t, p.URL) }}
			if err := newClient(t, op, c).Login(t.Context(), nil); err != nil && !strings.Contains(err.Error(), "refresh token") {
				t.Fatal(err)
			}
			if got := asked.Get("scope"); got != test.want {
				t.Errorf("scope %q, want %q", got, test.want)
			}
		})
	}
}
