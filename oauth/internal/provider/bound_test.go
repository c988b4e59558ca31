package provider_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/oauth"
)

// whose asks the API that takes tokens for itself only.
func whose(t *testing.T, p *provider, cl *silentrefresh.Client) (subject string, bound bool) {
	t.Helper()
	token, err := cl.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.API, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token.Value.Reveal())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var doc struct {
		Sub   string
		Bound bool
	}
	if err := json.NewDecoder(resp.Body).Decode(&doc); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("status %d, %v", resp.StatusCode, err)
	}
	return doc.Sub, doc.Bound
}

// TestBoundTokens: DPoP with required nonces, pushed requests and rotation with reuse detection.
func TestBoundTokens(t *testing.T) {
	p := need(t)
	c := p.browserLogin(newPerson("kim"))
	c.ClientID, c.DPoP, c.PushRequests, c.Resource = "bound", oauth.DPoPAlways, true, p.API
	before := p.counts(t, "kim")
	cl := newClient(t, c)
	if err := cl.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if sub, bound := whose(t, p, cl); sub != "kim" || !bound {
			t.Errorf("%s, bound %v", sub, bound)
		}
		if err := cl.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := p.counts(t, "kim"); got.Reuses != before.Reuses || got.Refreshes-before.Refreshes < 3 {
		t.Errorf("%+v", got)
	}
}

// TestResourceIndicator: the resource goes with the refresh too, or the next token would be for nobody's API.
func TestResourceIndicator(t *testing.T) {
	p := need(t)
	c := p.browserLogin(newPerson("lee"))
	c.Resource = p.API
	cl := newClient(t, c)
	if err := cl.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := cl.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	if sub, bound := whose(t, p, cl); sub != "lee" || bound {
		t.Errorf("%s, bound %v", sub, bound)
	}
}

// TestRegistered: a client that introduces itself, and the session that it begins, through a restart.
func TestRegistered(t *testing.T) {
	p := need(t)
	dir := t.TempDir()
	c := p.browserLogin(newPerson("max"))
	c.ClientID = ""
	stored := func(cfg *silentrefresh.Config) { cfg.Store = openStore(t, dir) }
	first := newClient(t, c, stored)
	if err := first.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	isLoggedIn(t, first, p.Issuer, "max")
	second := newClient(t, c, stored)
	if err := second.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	isLoggedIn(t, second, p.Issuer, "max")
}

// TestService: client_credentials with private_key_jwt, beyond the end of a token.
func TestService(t *testing.T) {
	p := need(t)
	c := oauth.Config{
		Issuer: p.Issuer, Resource: p.API, ClientID: "service", ClientKey: auth.NewSecret(p.Key),
		Flow: oauth.ClientCredentials, Scopes: []string{"read"},
	}
	cl := newClient(t, c)
	if err := cl.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); time.Since(began) < 5*time.Second; time.Sleep(500 * time.Millisecond) {
		if sub, _ := whose(t, p, cl); sub != "service" {
			t.Errorf("%s", sub)
		}
	}
	if n := cl.Status().Stats.Refreshes; n < 2 {
		t.Errorf("%d refreshes in 5 s of 2-second tokens", n)
	}
}

// TestWrongKey: a client whose key the provider does not know is told so, and is not taken for a session that is over.
func TestWrongKey(t *testing.T) {
	p := need(t)
	c := p.browserLogin(nil)
	c.ClientID, c.ClientKey, c.Flow = "basic", auth.NewSecret(p.Key), oauth.ClientCredentials
	err := newClient(t, c).Login(t.Context(), nil)
	var e *auth.Error
	if !errors.As(err, &e) || e.Code == "" || e.Hint == "" {
		t.Errorf("%v", err)
	}
}

// TestDemandsFoundOut: a client of which the provider demands bound tokens and pushed requests, and nothing says so.
func TestDemandsFoundOut(t *testing.T) {
	p := need(t)
	pages := 0
	who := newPerson("nat")
	c := p.browserLogin(who)
	c.ClientID, c.Resource = "bound", p.API
	c.OpenBrowser = func(page string) error { pages++; return who.browse(page) }
	cl := newClient(t, c)
	for range 2 {
		if err := cl.Login(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if sub, bound := whose(t, p, cl); sub != "nat" || !bound {
			t.Errorf("%s, bound %v", sub, bound)
		}
	}
	if pages != 4 { // three for the first login: one for each demand, and one that meets both
		t.Errorf("%d pages: the demands were found out again", pages)
	}
}
