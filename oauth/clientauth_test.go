package oauth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/oauth"
	"github.com/silentrefresh/silentrefresh/oauth/oauthtest"

	"github.com/go-jose/go-jose/v4"
)

func decoded(t *testing.T, part string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func pkcs8(t *testing.T, key any) auth.Secret {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return auth.NewSecret(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
}

// TestClientKeys: assertions about the client (RFC 7523 section 3) signed by the keys that tools write.
func TestClientKeys(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	sec1, err := x509.MarshalECPrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	jwk, err := json.Marshal(jose.JSONWebKey{Key: ec, KeyID: "k1"})
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte) auth.Secret {
		return auth.NewSecret(string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})))
	}
	for name, test := range map[string]struct {
		key    auth.Secret
		public any
		alg    jose.SignatureAlgorithm
		kid    string
	}{
		"EC PKCS 8":  {pkcs8(t, ec), &ec.PublicKey, jose.ES256, ""},
		"EC SEC 1":   {block("EC PRIVATE KEY", sec1), &ec.PublicKey, jose.ES256, ""},
		"RSA PKCS 8": {pkcs8(t, rs), &rs.PublicKey, jose.RS256, ""},
		"RSA PKCS 1": {block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rs)), &rs.PublicKey, jose.RS256, ""},
		"JWK":        {auth.NewSecret(string(jwk)), &ec.PublicKey, jose.ES256, "k1"},
	} {
		t.Run(name, func(t *testing.T) {
			form, basic := tokenRequest(t, func(c *oauth.Config) { c.ClientKey = test.key })
			if basic || form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
				t.Fatalf("%v", form)
			}
			jws, err := jose.ParseSigned(form.Get("client_assertion"), []jose.SignatureAlgorithm{test.alg})
			if err != nil {
				t.Fatal(err)
			}
			payload, err := jws.Verify(test.public)
			if err != nil || jws.Signatures[0].Header.KeyID != test.kid {
				t.Fatalf("%v, kid %q", err, jws.Signatures[0].Header.KeyID)
			}
			var c struct {
				ISS, SUB, AUD, JTI string
				EXP                int64
			}
			if json.Unmarshal(payload, &c) != nil || c.ISS != oauthtest.ClientID || c.SUB != oauthtest.ClientID || c.JTI == "" ||
				!strings.HasPrefix(c.AUD, "http://127.0.0.1:") || strings.Contains(c.AUD, "/token") || time.Until(time.Unix(c.EXP, 0)) > 2*time.Minute {
				t.Errorf("%+v", c)
			}
		})
	}
}

// tokenRequest is the form of the token request that a client sends, and whether it authenticates by HTTP Basic.
func tokenRequest(t *testing.T, change func(*oauth.Config)) (form url.Values, basic bool) {
	t.Helper()
	op := start(t, oauthtest.Config{Plain: true})
	op.Change(func(p *oauthtest.Config) {
		p.Intercept = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/token" {
				return false
			}
			_, _, basic = r.BasicAuth()
			r.ParseForm()
			form = r.PostForm
			return response("/token", 200, `{"access_token":"a","token_type":"bearer","expires_in":60}`, nil)(w, r)
		}
	})
	c := oauth.Config{Issuer: op.URL(), ClientID: oauthtest.ClientID, Flow: oauth.ClientCredentials}
	change(&c)
	if _, err := exchanger(t, c).Exchange(t.Context(), client(t), auth.Grant{Kind: auth.KindLogin}); err != nil {
		t.Fatal(err)
	}
	return form, basic
}

// TestForeignClientAssertion: a workload's identity is read anew for every request.
func TestForeignClientAssertion(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	for _, text := range []string{"first", "second"} {
		if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		form, _ := tokenRequest(t, func(c *oauth.Config) { c.ClientAssertionFile = file })
		if form.Get("client_assertion") != text || form.Get("client_id") != oauthtest.ClientID {
			t.Errorf("%v", form)
		}
	}
}

// TestClientCertificate: the client_id alone goes into the form; who shows the certificate is Base.
func TestClientCertificate(t *testing.T) {
	form, basic := tokenRequest(t, func(c *oauth.Config) { c.ClientAuth = oauth.TLSClientAuth })
	if basic || form.Get("client_id") != oauthtest.ClientID || form.Has("client_secret") || form.Has("client_assertion") {
		t.Errorf("%v", form)
	}
}

// TestMutualTLS: a client with a certificate uses the endpoints that want one (RFC 8705 section 5).
func TestMutualTLS(t *testing.T) {
	shown := ""
	guarded := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown = r.TLS.PeerCertificates[0].Subject.String()
		w.Write([]byte(`{"access_token":"a","token_type":"Bearer"}`))
	}))
	guarded.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	guarded.StartTLS()
	t.Cleanup(guarded.Close)
	op := start(t, oauthtest.Config{Plain: true, Metadata: func(doc map[string]any) {
		doc["mtls_endpoint_aliases"] = map[string]string{"token_endpoint": guarded.URL + "/token"}
	}})
	transport := guarded.Client().Transport.(*http.Transport)
	transport.TLSClientConfig.Certificates = guarded.TLS.Certificates
	hc := client(t)
	hc.Transport = transport
	c := oauth.Config{Issuer: op.URL(), ClientID: "c", ClientAuth: oauth.TLSClientAuth, Flow: oauth.ClientCredentials}
	if _, err := exchanger(t, c).Exchange(t.Context(), hc, auth.Grant{Kind: auth.KindLogin}); err != nil || shown == "" {
		t.Errorf("shown %q, %v", shown, err)
	}
	if op.Calls("/token") != 0 {
		t.Error("the endpoint without a certificate was used")
	}
}

// TestClientMetadataDocument: the URL is the client_id where the server supports that, and a registration serves where it
// does not.
func TestClientMetadataDocument(t *testing.T) {
	const about = "https://app.example.com/client.json"
	for _, supported := range []bool{true, false} {
		op := start(t, oauthtest.Config{Plain: true, Registers: true, Metadata: func(doc map[string]any) {
			doc["client_id_metadata_document_supported"] = supported
		}})
		var id string
		c := throughResource(op)
		c.ClientMetadataURL = about
		c.Prompt = func(p oauth.Prompt) { id = query(t, p.URL).Get("client_id") }
		c.Patience = time.Second
		newClient(t, op, c).Login(t.Context(), nil) // the fake does not fetch documents
		if (id == about) != supported || (op.Calls("/register") == 0) != supported {
			t.Errorf("supported %v: client_id %q, %d registrations", supported, id, op.Calls("/register"))
		}
	}
}

// TestKeysThatAreNone: what is wrong with a key is said by New, and the key is not.
func TestKeysThatAreNone(t *testing.T) {
	for text, want := range map[string]string{
		"hunter2": "neither PEM nor a JWK",
		"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n":                                                                 "CERTIFICATE",
		"-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n":                                                                 "cannot be parsed",
		"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n":                                             "encrypted",
		`{"kty":"oct","k":"c2VjcmV0"}`:                                                                                                   "not a private key",
		`{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`: "not a private key",
	} {
		_, err := oauth.New(oauth.Config{Issuer: "https://as.example.com", ClientID: "c", ClientKey: auth.NewSecret(text)})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
