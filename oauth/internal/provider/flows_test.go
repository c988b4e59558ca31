package provider_test

import (
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/oauth"
)

// TestBrowserFlow: a login in the browser, then renewals with rotation through three lifetimes of the token.
func TestBrowserFlow(t *testing.T) {
	p := need(t)
	before := p.counts(t, "bob")
	cl := newClient(t, p.browserLogin(newPerson("bob")))
	if err := cl.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		isLoggedIn(t, cl, p.Issuer, "bob")
		if err := cl.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	st := cl.Status()
	if st.Account != "bob" || !st.Renewable {
		t.Errorf("account %q, renewable %v", st.Account, st.Renewable)
	}
	if c := p.counts(t, "bob"); c.Refreshes-before.Refreshes < 3 || c.Reuses != before.Reuses {
		t.Errorf("before %+v, after %+v", before, c)
	}
}

// TestShortTokens: a request after the token's end gets its response.
func TestShortTokens(t *testing.T) {
	p := need(t)
	cl := newClient(t, p.browserLogin(newPerson("carol")))
	if err := cl.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); time.Since(began) < 5*time.Second; {
		isLoggedIn(t, cl, p.Issuer, "carol")
		select {
		case <-time.After(250 * time.Millisecond):
		case <-t.Context().Done():
		}
	}
	if got := cl.Status().Stats.Refreshes; got < 2 {
		t.Errorf("%d refreshes in 5 s of 2-second tokens", got)
	}
}

func TestDeviceFlow(t *testing.T) {
	p := need(t)
	for _, c := range []oauth.Config{p.browserLogin(nil), p.silentLogin("basic", "offline_access"), p.silentLogin("post", "offline_access")} {
		c.Flow, c.OpenBrowser = oauth.Device, nil
		t.Run(c.ClientID, func(t *testing.T) {
			t.Parallel()
			entered := make(chan error, 1)
			c.Prompt = func(prompt oauth.Prompt) { go func() { entered <- newPerson("dave").browse(prompt.CompleteURL) }() }
			cl := newClient(t, c)
			if err := cl.Login(t.Context(), nil); err != nil {
				t.Fatalf("%v; the person: %v", err, <-entered)
			}
			isLoggedIn(t, cl, p.Issuer, "dave")
			if err := cl.Renew(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestSilentFlow: a session that a browser began goes on without one.
func TestSilentFlow(t *testing.T) {
	p := need(t)
	for _, client := range []string{"basic", "post"} {
		cl := newClient(t, p.silentLogin(client))
		if err := cl.Login(t.Context(), p.session(t, newPerson("erin"))); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			isLoggedIn(t, cl, p.Issuer, "erin")
			if err := cl.Renew(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestSessionEndedAtTheProvider: a person is needed, and it is said.
func TestSessionEndedAtTheProvider(t *testing.T) {
	p := need(t)
	cl := newClient(t, p.silentLogin("basic"))
	if err := cl.Login(t.Context(), p.session(t, newPerson("frank"))); err != nil {
		t.Fatal(err)
	}
	p.control(t, "end-sessions", "frank")
	err := cl.Renew(t.Context())
	if !errors.Is(err, silentrefresh.ErrSessionOver) || !contains(err, "login_required") {
		t.Errorf("not over: %v", err)
	}
}

// TestSilentRescue: the refresh token is revoked, the provider's session is not.
func TestSilentRescue(t *testing.T) {
	p := need(t)
	cl := newClient(t, p.silentLogin("post"))
	if err := cl.Login(t.Context(), p.session(t, newPerson("grace"))); err != nil {
		t.Fatal(err)
	}
	before := p.counts(t, "grace")
	if err := cl.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c := p.counts(t, "grace"); c.Refreshes != before.Refreshes+1 {
		t.Fatal("there was no refresh token to begin with")
	}
	p.control(t, "revoke-refresh-tokens", "grace")
	if err := cl.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	isLoggedIn(t, cl, p.Issuer, "grace")

	p.control(t, "revoke-refresh-tokens", "grace")
	p.control(t, "end-sessions", "grace")
	err := cl.Renew(t.Context())
	if !errors.Is(err, silentrefresh.ErrSessionOver) || !contains(err, "login_required") || !contains(err, "invalid_grant") {
		t.Errorf("neither way was left: %v", err)
	}
}

func TestLogoutRevokes(t *testing.T) {
	p := need(t)
	c := p.silentLogin("post", "offline_access")
	cookies := p.session(t, newPerson("heidi"))
	cl := newClient(t, c)
	if err := cl.Login(t.Context(), cookies); err != nil {
		t.Fatal(err)
	}
	token, err := cl.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := cl.Logout(t.Context()); err != nil {
		t.Error(err)
	}
	req, err := http.NewRequest(http.MethodGet, p.Issuer+"/me", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token.Value.Reveal())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("the access token still gets %d", resp.StatusCode)
	}
	if err := newClient(t, c).Login(t.Context(), cookies); !contains(err, "login_required") {
		t.Errorf("the provider's session lives on: %v", err)
	}
}

// TestLogoutThatAPersonHasToConfirm: the provider's session lives on until somebody confirms, and Logout says so.
func TestLogoutThatAPersonHasToConfirm(t *testing.T) {
	p := need(t)
	who := newPerson("ivan")
	c := p.silentLogin("basic")
	cl := newClient(t, c)
	cookies := p.session(t, who)
	if err := cl.Login(t.Context(), cookies); err != nil {
		t.Fatal(err)
	}
	if err := cl.Logout(t.Context()); !contains(err, "asks a person to confirm") {
		t.Errorf("logout: %v", err)
	}
	if err := who.browse(p.Issuer + "/session/end?" + url.Values{"client_id": {"basic"}}.Encode()); err != nil {
		t.Fatal(err)
	}
	if err := newClient(t, c).Login(t.Context(), cookies); !contains(err, "login_required") {
		t.Errorf("confirmed, and the session lives on: %v", err)
	}
}

// TestPKCEIsRequired: the provider would have refused us without.
func TestPKCEIsRequired(t *testing.T) {
	p := need(t)
	hc := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := hc.Get(p.Issuer + "/auth?" + url.Values{
		"client_id": {"basic"}, "response_type": {"code"}, "scope": {"openid"}, "redirect_uri": {webRedirect},
	}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	to, err := resp.Location()
	if err != nil || to.Query().Get("error") != "invalid_request" {
		t.Errorf("responded %v, %v", to, err)
	}
}
