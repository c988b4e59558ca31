package oauth_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/oauth"
	"github.com/silentrefresh/silentrefresh/oauth/oauthtest"
)

// newClient is a Client of op's API that logs in through op.
func newClient(t *testing.T, op *oauthtest.Provider, c oauth.Config, change ...func(*silentrefresh.Config)) *silentrefresh.Client {
	t.Helper()
	return clientOf(t, op, exchanger(t, c), change...)
}

// clientOf is a Client of op's API that logs in with e.
func clientOf(t *testing.T, op *oauthtest.Provider, e *oauth.Exchanger, change ...func(*silentrefresh.Config)) *silentrefresh.Client {
	t.Helper()
	cfg := silentrefresh.Config{BaseURL: op.URL(), Exchanger: e, Base: op.Transport()}
	for _, f := range change {
		f(&cfg)
	}
	cl, err := silentrefresh.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cl.Close() })
	return cl
}

// me asks the API who is logged in.
func me(t *testing.T, cl *silentrefresh.Client, op *oauthtest.Provider) string {
	t.Helper()
	resp, err := cl.HTTPClient().Get(op.URL() + "/me")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(body))
}

const ada = `{"sub":"ada"}`

// bubble runs f with a provider and a Client in a bubble of time, on a network in memory.
func bubble(t *testing.T, config oauthtest.Config, change func(*oauthtest.Provider, *oauth.Config),
	f func(*testing.T, *oauthtest.Provider, *silentrefresh.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		op := oauthtest.NewProvider(t, config)
		c := op.ClientConfig(oauth.Device, "")
		change(op, &c)
		f(t, op, newClient(t, op, c))
	})
}

// TestF60_NobodyIsAskedAtNight: interactive flows do not run from the timer.
func TestF60_NobodyIsAskedAtNight(t *testing.T) {
	op := start(t, oauthtest.Config{})
	for _, flow := range []oauth.Flow{oauth.Browser, oauth.Device} {
		c := browserSettings(op, func(string) error { t.Error("a browser popped up"); return nil })
		c.Flow = flow
		c.Prompt = func(oauth.Prompt) { t.Error("a prompt popped up") }
		_, err := exchanger(t, c).Exchange(t.Context(), client(t), auth.Grant{Kind: auth.KindLogin})
		if f := failure(t, err); f.Refused || !strings.Contains(err.Error(), "nobody waits") {
			t.Error(err)
		}
	}
}

// TestBroughtCookie: a session of the provider's that a browser began goes on here.
func TestBroughtCookie(t *testing.T) {
	op := start(t, oauthtest.Config{NoRefreshTokens: true})
	cookie := op.Session("ada")
	for name, begin := range map[string]func(*silentrefresh.Client) error{
		"Login": func(cl *silentrefresh.Client) error { return cl.Login(t.Context(), oauth.Cookies{cookie}) },
		"Resume": func(cl *silentrefresh.Client) error {
			return cl.Resume(t.Context(), auth.Session{Cookies: []auth.Cookie{
				{Name: cookie.Name, Value: auth.NewSecret(cookie.Value), Domain: "127.0.0.1", HostOnly: true, Path: "/"}}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			cl := newClient(t, op, settings(op))
			if err := begin(cl); err != nil {
				t.Fatal(err)
			}
			if got := me(t, cl, op); got != ada {
				t.Errorf("logged in as %s", got)
			}
			if err := cl.Renew(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCredentialsOfAnotherType(t *testing.T) {
	op := start(t, oauthtest.Config{})
	err := newClient(t, op, settings(op)).Login(t.Context(), map[string]string{"password": "hunter2"})
	if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "map[string]string") {
		t.Error(err)
	}
}

// TestSilentWeek: a week without a refresh token, renewed by silent authentication alone.
func TestSilentWeek(t *testing.T) {
	config := oauthtest.Config{NoRefreshTokens: true, TokenTTL: time.Hour}
	bubble(t, config, func(op *oauthtest.Provider, c *oauth.Config) { c.Flow, c.RedirectURI = oauth.Silent, redirectURI }, func(t *testing.T, op *oauthtest.Provider, cl *silentrefresh.Client) {
		if err := cl.Login(t.Context(), oauth.Cookies{op.Session("ada")}); err != nil {
			t.Fatal(err)
		}
		for range 7 * 24 {
			time.Sleep(time.Hour)
			if got := me(t, cl, op); got != ada {
				t.Fatalf("got %s", got)
			}
		}
		st := cl.Status()
		if st.Stats.Refreshes < 7*24 || st.Stats.Refreshes > 2*7*24 {
			t.Errorf("%d refreshes in a week of one-hour tokens", st.Stats.Refreshes)
		}
		if n := op.Calls("/.well-known/openid-configuration"); n > 8 {
			t.Errorf("discovered %d times in a week", n)
		}
	})
}

// TestF32_TokenEndpointRedirects: the credential does not follow to another origin.
func TestF32_TokenEndpointRedirects(t *testing.T) {
	op := start(t, oauthtest.Config{})
	thief := start(t, oauthtest.Config{})
	cl := newClient(t, op, settings(op))
	if err := cl.Login(t.Context(), oauth.Cookies{op.Session("ada")}); err != nil {
		t.Fatal(err)
	}
	op.Change(func(p *oauthtest.Config) {
		p.Intercept = response("/token", http.StatusTemporaryRedirect, "", map[string]string{"Location": thief.URL() + "/token"})
	})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := cl.Renew(ctx); err == nil || errors.Is(err, silentrefresh.ErrSessionOver) {
		t.Errorf("error %v", err)
	}
	if n := thief.Calls("/token"); n != 0 {
		t.Errorf("the refresh token went to another origin %d times", n)
	}
}

// TestF28_SilentSocket: a provider that never responses does not hang a login whose context has no deadline.
func TestF28_SilentSocket(t *testing.T) {
	config := oauthtest.Config{Intercept: func(_ http.ResponseWriter, r *http.Request) bool {
		<-r.Context().Done()
		return true
	}}
	bubble(t, config, func(op *oauthtest.Provider, c *oauth.Config) { c.Prompt = func(oauth.Prompt) {} }, func(t *testing.T, op *oauthtest.Provider, cl *silentrefresh.Client) {
		began := time.Now()
		if err := cl.Login(context.Background(), nil); err == nil {
			t.Error("logged in by silence")
		}
		if took := time.Since(began); took != 30*time.Second {
			t.Errorf("took %v", took)
		}
	})
}
