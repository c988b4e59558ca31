package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// provider is the least that an identity provider with a device flow can be, and an API that believes it.
func provider(t *testing.T) *httptest.Server {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	say := func(path string, document func(r *http.Request) any) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			json.NewEncoder(w).Encode(document(r))
		})
	}
	say("/.well-known/openid-configuration", func(*http.Request) any {
		return map[string]any{"issuer": s.URL, "authorization_endpoint": s.URL + "/authorize", "token_endpoint": s.URL + "/token",
			"device_authorization_endpoint": s.URL + "/device", "jwks_uri": s.URL + "/keys", "id_token_signing_alg_values_supported": []string{"ES256"}}
	})
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	say("/keys", func(*http.Request) any {
		return map[string]any{"keys": []any{map[string]string{"kty": "EC", "crv": "P-256", "kid": "k", "x": encode(point[1:33]), "y": encode(point[33:])}}}
	})
	say("/device", func(*http.Request) any {
		return map[string]any{"device_code": "d", "user_code": "ABCD-EFGH", "verification_uri": s.URL + "/enter", "expires_in": 60, "interval": 1}
	})
	say("/token", func(*http.Request) any {
		now := time.Now().Unix()
		token := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{"iss": s.URL, "sub": "ada", "aud": "tool", "iat": now, "exp": now + 60, "email": "ada@example.com"})
		token.Header["kid"] = "k"
		signed, err := token.SignedString(key)
		if err != nil {
			t.Error(err)
		}
		return map[string]any{"access_token": "token-of-ada", "token_type": "Bearer", "expires_in": 900, "refresh_token": "r", "id_token": signed}
	})
	say("/me", func(r *http.Request) any { return r.Header.Get("Authorization") == "Bearer token-of-ada" })
	return s
}

// TestLoginWithAProvider: the code is shown, and the other commands work as ever.
func TestLoginWithAProvider(t *testing.T) {
	s := provider(t)
	b := newBox(t)
	file := b.file("config.json", `{"base_url": "`+s.URL+`", "oidc": {"issuer": "`+s.URL+`", "client_id": "tool", "flow": "device"}}`)
	r := b.run("login", "-config", file)
	if r.code != 0 || !strings.Contains(r.err, "ABCD-EFGH") || !strings.Contains(r.out, " as ada@example.com\n  token    15 min, ") {
		t.Fatalf("%+v", r)
	}
	if got := b.ok("request", "/me"); got != "true\n" {
		t.Errorf("answered %q", got)
	}
	b.ok("status")
	b.fails(exitUsage, []string{"leave -d out"}, "login", "-d", "{}")
}
