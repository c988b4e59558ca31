package oidc_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/oidc"
	"github.com/silentrefresh/silentrefresh/oidc/internal/fakeop"
)

func TestConfigFromJSON(t *testing.T) {
	const text = `{"issuer": "https://login.example.com", "client_id": "cli", "client_secret": "s3cret",
		"flow": "device", "scopes": ["openid"], "redirect_uri": "http://127.0.0.1/cb"}`
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	var c oidc.Config
	if err := d.Decode(&c); err != nil {
		t.Fatal(err)
	}
	if c.Flow != oidc.Device || c.ClientSecret.Reveal() != "s3cret" || c.RedirectURI != "http://127.0.0.1/cb" {
		t.Errorf("%+v", c)
	}
	if _, err := oidc.New(c); err != nil {
		t.Error(err)
	}
	dump, err := json.Marshal(c.ClientSecret)
	if err != nil || json.Unmarshal(dump, &c.ClientSecret) == nil {
		t.Error("a dumped secret was read back")
	}
}

// TestF48_ConfigKeepsItsSecret: no verb shows it, nor an exchanger that holds it.
func TestF48_ConfigKeepsItsSecret(t *testing.T) {
	c := oidc.Config{Issuer: "https://login.example.com", ClientID: "cli", ClientSecret: silentrefresh.NewSecret("s3cret")}
	e := exchanger(t, c)
	for _, v := range []any{c, &c, e, struct{ c oidc.Config }{c}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, "s3cret") {
				t.Errorf("%s of %T shows it", verb, v)
			}
		}
	}
}

func TestNewListsEveryMistake(t *testing.T) {
	for _, test := range []struct {
		c    oidc.Config
		want []string
	}{
		{oidc.Config{}, []string{"issuer is missing", "client_id is missing"}},
		{oidc.Config{Issuer: "login.example.com", ClientID: "c"}, []string{"issuer is not an absolute https URL"}},
		{oidc.Config{Issuer: "http://login.example.com", ClientID: "c"}, []string{"is not https"}},
		{oidc.Config{Issuer: "https://u:p@login.example.com", ClientID: "c"}, []string{"issuer"}},
		{oidc.Config{Issuer: "https://login.example.com", ClientID: "c", Flow: "magic"}, []string{`flow "magic"`}},
		{oidc.Config{Issuer: "https://login.example.com", ClientID: "c", Flow: oidc.Silent}, []string{"redirect_uri"}},
		{oidc.Config{Issuer: "https://login.example.com", ClientID: "c", RedirectURI: "https://app.example.com/cb"}, []string{"loopback"}},
		{oidc.Config{Issuer: "https://login.example.com", ClientID: "c", RedirectURI: "http://127.0.0.1/#x"}, []string{"fragment"}},
		{oidc.Config{Issuer: "https://login.example.com", ClientID: "c", Flow: oidc.Device, RedirectURI: "/cb"}, []string{"redirect_uri"}},
		{oidc.Config{Issuer: "https://login.example.com", ClientID: "c", ClientAuth: "guess"}, []string{"token_endpoint_auth_method"}},
		{oidc.Config{Issuer: "https://login.example.com", ClientID: "c", Params: map[string]string{"state": "s"}}, []string{"params may not set state"}},
		{oidc.Config{Issuer: "https://login.example.com", ClientID: "c", Origins: []string{"http://x.example.com"}}, []string{"origins"}},
	} {
		_, err := oidc.New(test.c)
		for _, want := range test.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: error %v does not say %q", test.c, err, want)
			}
		}
	}
}

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
			op := start(t, &fakeop.Provider{Discovery: test.lie})
			_, err := exchanger(t, settings(op)).Exchange(t.Context(), client(t),
				silentrefresh.Grant{Kind: silentrefresh.Login, Credentials: oidc.Cookies{op.Session("ada")}})
			f := failure(t, err)
			if f.Refused || f.Unknown || !f.Unsent || !strings.Contains(err.Error(), test.want) {
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
		op := start(t, &fakeop.Provider{Fault: answer("/.well-known/openid-configuration", test.status, test.body, nil)})
		e, hc := exchanger(t, settings(op)), client(t)
		grant := silentrefresh.Grant{Kind: silentrefresh.Login, Credentials: oidc.Cookies{op.Session("ada")}}
		_, err := e.Exchange(t.Context(), hc, grant)
		if f := failure(t, err); f.Refused || f.Unknown || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%d: %v", test.status, err)
		}
		op.Change(func(p *fakeop.Provider) { p.Fault = nil })
		if _, err := e.Exchange(t.Context(), hc, grant); err != nil {
			t.Errorf("the provider is back, and %v", err)
		}
	}
}

// memory carries requests straight to a handler, without a network.
type memory struct{ http.Handler }

func (m memory) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := &recorder{header: http.Header{}, status: 200}
	in := r.Clone(r.Context())
	in.RequestURI, in.Host = r.URL.RequestURI(), r.URL.Host
	if in.Body == nil {
		in.Body = http.NoBody
	}
	m.ServeHTTP(w, in)
	return w.response(r), nil
}

type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header         { return w.header }
func (w *recorder) WriteHeader(status int)      { w.status = status }
func (w *recorder) Write(b []byte) (int, error) { return w.body.Write(b) }

func (w *recorder) response(r *http.Request) *http.Response {
	return &http.Response{StatusCode: w.status, Header: w.header, Request: r, Body: noClose{&w.body}, ProtoMajor: 1, ProtoMinor: 1}
}

type noClose struct{ *bytes.Buffer }

func (noClose) Close() error { return nil }

// TestDiscoveryGrowsOld: the document is looked at again after a day, and an old one is better than none.
func TestDiscoveryGrowsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := &fakeop.Provider{NoRefreshTokens: true}
		hc := client(t)
		hc.Transport = memory{op.Handler("https://op.example.com")}
		e := exchanger(t, settings(op))
		s := login(t, e, hc, op, "ada")
		const document = "/.well-known/openid-configuration"
		for _, want := range []int{1, 2} {
			if _, err := refresh(t, e, hc, s); err != nil {
				t.Fatal(err)
			}
			if n := op.Calls(document); n != want {
				t.Errorf("discovered %d times, want %d", n, want)
			}
			time.Sleep(25 * time.Hour)
		}
		op.Change(func(p *fakeop.Provider) { p.Fault = answer(document, 503, "", nil) })
		if _, err := refresh(t, e, hc, s); err != nil {
			t.Errorf("the old document would have done: %v", err)
		}
	})
}
