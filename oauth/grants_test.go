package oauth_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/oauth"
	"github.com/silentrefresh/silentrefresh/oauth/oauthtest"
)

// service is a program without a person.
func service(op *oauthtest.Provider) oauth.Config {
	return op.ClientConfig(oauth.ClientCredentials, "")
}

// TestServiceAccount: client_credentials for a day, from one login, without a refresh token and without a person.
func TestServiceAccount(t *testing.T) {
	config := oauthtest.Config{Plain: true, Secret: "s", TokenTTL: time.Hour}
	bubble(t, config, func(op *oauthtest.Provider, c *oauth.Config) {
		c.Flow = oauth.ClientCredentials
		c.Scopes = []string{"jobs"}
	}, func(t *testing.T, op *oauthtest.Provider, cl *silentrefresh.Client) {
		if err := cl.Login(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		for range 24 {
			time.Sleep(time.Hour)
			if got := me(t, cl, op); got != `{"sub":"test-client"}` {
				t.Fatalf("logged in as %s", got)
			}
		}
		if n := op.Calls("/token"); n < 24 || n > 40 {
			t.Errorf("%d token requests in a day of one-hour tokens", n)
		}
		if !cl.Status().Renewable {
			t.Error("not renewable")
		}
	})
}

// TestF76_RefusedServiceLivesOn: what a server has against a service is mended in the settings, and ends nothing.
func TestF76_RefusedServiceLivesOn(t *testing.T) {
	op := start(t, oauthtest.Config{Plain: true, Secret: "s"})
	e, hc := exchanger(t, service(op)), client(t)
	s, err := e.Exchange(t.Context(), hc, auth.Grant{Kind: auth.KindLogin})
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{`{"error":"invalid_grant"}`, `{"error":"invalid_client"}`, `{"error":"access_denied"}`} {
		op.Change(func(p *oauthtest.Config) { p.Intercept = response("/token", 400, body, nil) })
		_, err := refresh(t, e, hc, s)
		if f := failure(t, err); f.Refused || !f.Unsent {
			t.Errorf("%s: %+v", body, f)
		}
	}
	op.Change(func(p *oauthtest.Config) { p.Intercept = nil })
	if _, err := refresh(t, e, hc, s); err != nil {
		t.Error(err)
	}
}

// TestAssertions: what is traded for a token comes from the settings, from a file that is replaced, or from a function,
// and is asked for anew with every request.
func TestAssertions(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	op := start(t, oauthtest.Config{Plain: true})
	broken := errors.New("the agent is not running")
	var why error
	source := func(_ context.Context, to oauth.Audience) (auth.Secret, error) {
		if to.TokenEndpoint != op.URL()+"/token" || to.Issuer != op.URL() || to.Resource != "https://api.example.com" {
			t.Errorf("made for %+v", to)
		}
		return auth.NewSecret(oauthtest.Assertion), why
	}
	for name, a := range map[string]oauth.Assertion{
		"settings": {Token: auth.NewSecret(oauthtest.Assertion)}, "file": {File: file}, "function": {Source: source},
	} {
		for _, flow := range []oauth.Flow{oauth.JWTBearer, oauth.TokenExchange} {
			t.Run(name+" "+string(flow), func(t *testing.T) {
				write(oauthtest.Assertion + "\n")
				why = nil
				c := oauth.Config{Issuer: op.URL(), Resource: "https://api.example.com", ClientID: oauthtest.ClientID, Flow: flow, Assertion: a}
				e, hc := exchanger(t, c), client(t)
				s, err := e.Exchange(t.Context(), hc, auth.Grant{Kind: auth.KindLogin})
				if err != nil {
					t.Fatal(err)
				}
				write("expired")
				why = broken
				if _, err := refresh(t, e, hc, s); (err == nil) != (name == "settings") {
					t.Errorf("after the assertion was replaced: %v", err)
				}
				write(oauthtest.Assertion)
				why = nil
				if _, err := refresh(t, e, hc, s); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
