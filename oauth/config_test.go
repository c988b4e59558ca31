package oauth_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/oauth"
	"github.com/silentrefresh/silentrefresh/oauth/oauthtest"
)

func TestConfigFromJSON(t *testing.T) {
	const text = `{"issuer": "https://login.example.com", "client_id": "cli", "client_secret": "s3cret",
		"flow": "device", "scopes": ["openid"], "redirect_uri": "http://127.0.0.1/cb"}`
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	var c oauth.Config
	if err := d.Decode(&c); err != nil {
		t.Fatal(err)
	}
	if c.Flow != oauth.Device || c.ClientSecret.Reveal() != "s3cret" || c.RedirectURI != "http://127.0.0.1/cb" {
		t.Errorf("%+v", c)
	}
	if _, err := oauth.New(c); err != nil {
		t.Error(err)
	}
	dump, err := json.Marshal(c.ClientSecret)
	if err != nil || json.Unmarshal(dump, &c.ClientSecret) == nil {
		t.Error("a dumped secret was read back")
	}
}

// TestF48_ConfigKeepsItsSecret: no verb shows it, nor an exchanger that holds it.
func TestF48_ConfigKeepsItsSecret(t *testing.T) {
	c := oauth.Config{Issuer: "https://login.example.com", ClientID: "cli", ClientSecret: auth.NewSecret("s3cret")}
	e := exchanger(t, c)
	for _, v := range []any{c, &c, e, struct{ c oauth.Config }{c}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, "s3cret") {
				t.Errorf("%s of %T shows it", verb, v)
			}
		}
	}
}

func TestNewListsEveryMistake(t *testing.T) {
	for _, test := range []struct {
		c    oauth.Config
		want []string
	}{
		{oauth.Config{}, []string{"issuer is missing", "client_id is missing"}},
		{oauth.Config{Issuer: "login.example.com", ClientID: "c"}, []string{"issuer is not an absolute https URL, such as https://"}},
		{oauth.Config{Issuer: "http://login.example.com", ClientID: "c"}, []string{"is not https"}},
		{oauth.Config{Issuer: "https://u:p@login.example.com", ClientID: "c"}, []string{"issuer"}},
		{oauth.Config{Issuer: "https://login.example.com", ClientID: "c", Flow: "magic"}, []string{`flow "magic"`}},
		{oauth.Config{Issuer: "https://login.example.com", ClientID: "c", Flow: oauth.Silent}, []string{"redirect_uri"}},
		{oauth.Config{Issuer: "https://login.example.com", ClientID: "c", RedirectURI: "https://app.example.com/cb"}, []string{"loopback"}},
		{oauth.Config{Issuer: "https://login.example.com", ClientID: "c", RedirectURI: "http://127.0.0.1/#x"}, []string{"fragment"}},
		{oauth.Config{Issuer: "https://login.example.com", ClientID: "c", Flow: oauth.Device, RedirectURI: "/cb"}, []string{"redirect_uri"}},
		{oauth.Config{Issuer: "https://login.example.com", ClientID: "c", ClientAuth: "guess"}, []string{"token_endpoint_auth_method"}},
		{oauth.Config{Issuer: "https://login.example.com", ClientID: "c", Params: map[string]string{"state": "s"}}, []string{"params may not set state"}},
		{oauth.Config{Issuer: "https://login.example.com", ClientID: "c", Refused: []string{"200"}}, []string{"refused"}},
		{oauth.Config{Issuer: "https://login.example.com?x", ClientID: "c"}, []string{"query"}},
		{oauth.Config{Issuer: "https://login.example.com", Endpoints: oauth.Endpoints{Token: "https://x.example.com"}, ClientID: "c"}, []string{"exclude each other", "authorization_endpoint is missing"}},
		{oauth.Config{Endpoints: oauth.Endpoints{Authorization: "https://x.example.com", Token: "https://x.example.com", JWKS: "https://x.example.com"}, ClientID: "c"}, []string{"metadata_issuer is missing"}},
		{oauth.Config{Issuer: "https://login.example.com", ClientSecret: auth.NewSecret("s")}, []string{"client_id is missing"}},
		{oauth.Config{Issuer: "https://login.example.com", ClientID: "c", ClientAuth: oauth.PrivateKeyJWT}, []string{"client_key"}},
		{oauth.Config{Issuer: "https://login.example.com", ClientID: "c", Flow: oauth.JWTBearer}, []string{"needs an assertion"}},
		{oauth.Config{Issuer: "https://login.example.com", ClientID: "c", Assertion: oauth.Assertion{File: "f"}}, []string{"presents no assertion"}},
		{oauth.Config{Issuer: "https://login.example.com", ClientID: "c", DPoP: "maybe"}, []string{"dpop"}},
		{oauth.Config{Issuer: "https://login.example.com", ClientID: "c", Patience: 300}, []string{"Patience of 300ns"}},
		{oauth.Config{Issuer: "https://login.example.com", ClientID: "c", Scopes: []string{"openid email"}}, []string{"is not one scope"}},
		{oauth.Config{Issuer: "https://login.example.com", ClientMetadataURL: "https://app.example.com"}, []string{"client_metadata_url"}},
		{oauth.Config{Resource: "http://mcp.example.com/mcp"}, []string{"resource http://mcp.example.com is not https"}},
		{oauth.Config{Issuer: "https://login.example.com", ClientID: "c", Origins: []string{"http://x.example.com"}}, []string{"origins"}},
	} {
		_, err := oauth.New(test.c)
		for _, want := range test.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: error %v does not say %q", test.c, err, want)
			}
		}
	}
}

// TestF33_SettingsAreNamed: a mistake in the settings does not end the session, and the error names the setting.
func TestF33_SettingsAreNamed(t *testing.T) {
	op := start(t, oauthtest.Config{Secret: "s3cret", AuthMethods: []string{"client_secret_post"}})
	c := settings(op)
	old := login(t, exchanger(t, c), client(t), op, "ada")
	c.ClientAuth = oauth.ClientSecretBasic
	_, err := refresh(t, exchanger(t, c), client(t), old)
	if f := failure(t, err); f.Refused || !strings.Contains(f.Hint, "token_endpoint_auth_method") {
		t.Error(err)
	}
}

func TestClientAuthentication(t *testing.T) {
	for _, test := range []struct {
		name    string
		secret  string
		methods []string
		setting string
		basic   bool
		works   bool
	}{
		{"public", "", nil, "", false, true},
		{"Basic where discovery is silent", "s%3cr t", nil, "", true, true},
		{"Basic", "s", []string{"client_secret_basic"}, "", true, true},
		{"post", "s%3cr t", []string{"client_secret_post"}, "", false, true},
		{"both", "s", []string{"client_secret_post", "client_secret_basic"}, "", true, true},
		{"setting", "s", []string{"client_secret_post"}, oauth.ClientSecretPost, false, true},
		{"wrong setting", "s", []string{"client_secret_post"}, oauth.ClientSecretBasic, true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			op := start(t, oauthtest.Config{Secret: test.secret, AuthMethods: test.methods})
			op.Change(func(p *oauthtest.Config) {
				p.Intercept = func(_ http.ResponseWriter, r *http.Request) bool {
					if _, _, basic := r.BasicAuth(); r.URL.Path == "/token" && basic != test.basic {
						t.Errorf("Basic: %v", basic)
					}
					return false
				}
			})
			c := settings(op)
			c.ClientAuth = test.setting
			e, hc := exchanger(t, c), client(t)
			_, err := e.Exchange(t.Context(), hc, auth.Grant{Kind: auth.KindLogin, Credentials: oauth.Cookies{op.Session("ada")}})
			if (err == nil) != test.works {
				t.Error(err)
			}
			if n := op.Calls("/token"); n != 1 {
				t.Errorf("%d token requests: the way was probed", n)
			}
		})
	}
}
