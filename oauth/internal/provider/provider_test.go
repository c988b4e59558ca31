// Package provider_test holds what package oauth does against panva's certified node oidc-provider.
package provider_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/oauth"
)

// op is the one provider of all tests, nil if it cannot run; then why says so.
var (
	op  *provider
	why string
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(child())
	}
	var err error
	op, err = startProvider()
	if err != nil {
		why = err.Error()
	}
	code := m.Run()
	if op != nil {
		op.stop()
	}
	os.Exit(code)
}

// need skips the test without a provider, or fails it where one has to be there. Each test has an account of its
// own, so they run side by side.
func need(t *testing.T) *provider {
	t.Helper()
	t.Parallel()
	if op == nil && os.Getenv("SILENTREFRESH_REQUIRE_NODE") == "1" {
		t.Fatal(why)
	}
	if op == nil {
		t.Skip(why)
	}
	return op
}

// A provider is a running server.mjs.
type provider struct {
	Issuer string `json:"issuer"`
	Secret string `json:"secret"`
	Key    string `json:"privateKey"` // of the client service
	API    string `json:"api"`        // that takes tokens for itself only
	stop   func()
}

func startProvider() (*provider, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, errors.New("node is not installed")
	}
	if _, err := os.Stat("node_modules/oidc-provider"); err != nil {
		return nil, errors.New("node_modules is missing: run npm ci in oauth/internal/provider")
	}
	cmd := exec.Command(node, "server.mjs")
	in, inErr := cmd.StdinPipe() // it ends with its input, also when we are killed
	out, outErr := cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr, cmd.Start()); err != nil {
		return nil, err
	}
	p := &provider{stop: func() { in.Close(); cmd.Wait() }}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, p)
	}
	if err != nil {
		p.stop()
		return nil, fmt.Errorf("oidc-provider did not start: %w", err)
	}
	return p, nil
}

// control pulls one of the provider's levers, for one account.
func (p *provider) control(t *testing.T, name, account string) {
	t.Helper()
	resp, err := http.Get(p.Issuer + "/test/" + name + "?account=" + account)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		t.Fatalf("%s: status %d", name, resp.StatusCode)
	}
}

type counts struct{ Refreshes, Reuses int }

func (p *provider) counts(t *testing.T, account string) (c counts) {
	t.Helper()
	resp, err := http.Get(p.Issuer + "/test/counts?account=" + account)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&c); err != nil {
		t.Fatal(err)
	}
	return c
}

// browserLogin is the public client, for a person at this machine.
func (p *provider) browserLogin(who *person) oauth.Config {
	return oauth.Config{
		Issuer:      p.Issuer,
		ClientID:    "native",
		Scopes:      []string{"openid", "email", "offline_access"},
		OpenBrowser: who.browse,
	}
}

const webRedirect = "https://app.example.com/callback" // nobody ever goes there

// silentLogin is a confidential client, whose secret travels as its name says.
func (p *provider) silentLogin(client string, scopes ...string) oauth.Config {
	return oauth.Config{
		Issuer:       p.Issuer,
		ClientID:     client,
		ClientSecret: auth.NewSecret(p.Secret),
		ClientAuth:   "client_secret_" + client,
		Flow:         oauth.Silent,
		Scopes:       append([]string{"openid", "email"}, scopes...),
		RedirectURI:  webRedirect,
	}
}

// session logs who in at the provider, with a browser, and returns its cookies.
func (p *provider) session(t *testing.T, who *person) oauth.Cookies {
	t.Helper()
	page := p.Issuer + "/auth?" + url.Values{
		"client_id": {"basic"}, "response_type": {"code"}, "scope": {"openid"}, "redirect_uri": {webRedirect},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	}.Encode()
	cookies, err := who.cookies(t.Context(), page, p.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	return cookies
}

func newClient(t *testing.T, c oauth.Config, change ...func(*silentrefresh.Config)) *silentrefresh.Client {
	t.Helper()
	idp, err := oauth.New(c)
	if err != nil {
		t.Fatal(err)
	}
	cfg := silentrefresh.Config{BaseURL: c.Issuer, Exchanger: idp}
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

// whoAmI asks the provider's UserInfo endpoint, an API that takes its access tokens.
func whoAmI(cl *silentrefresh.Client, issuer string) (string, error) {
	resp, err := cl.HTTPClient().Get(issuer + "/me")
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %d: %w", resp.StatusCode, err)
	}
	var user struct{ Email string }
	err = json.Unmarshal(body, &user)
	return user.Email, err
}

func isLoggedIn(t *testing.T, cl *silentrefresh.Client, issuer, account string) {
	t.Helper()
	got, err := whoAmI(cl, issuer)
	if err != nil || got != account+"@example.com" {
		t.Errorf("logged in as %q: %v", got, err)
	}
}

func contains(err error, text string) bool { return err != nil && strings.Contains(err.Error(), text) }
