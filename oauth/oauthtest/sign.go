package oauthtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// keys are the provider's, and a stranger's of the same name.
type keys struct{ own, stranger jose.JSONWebKey }

func newKeys() keys {
	fresh := func() jose.JSONWebKey {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic(err) // there is no randomness
		}
		return jose.JSONWebKey{Key: key, KeyID: "1", Algorithm: "ES256", Use: "sig"}
	}
	return keys{fresh(), fresh()}
}

func (p *Provider) jwks(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{p.keys.own.Public()}})
}

// idToken makes an ID token, or what Claims and Algorithm make of it.
func (p *Provider) idToken(g *grant, access string) string {
	sum := sha256.Sum256([]byte(access))
	now := time.Now()
	claims := map[string]any{
		"iss": p.url, "aud": g.client, "sub": g.account, "email": g.account + "@example.com",
		"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
		"at_hash": base64.RawURLEncoding.EncodeToString(sum[:16]),
	}
	if g.nonce != "" {
		claims["nonce"] = g.nonce
	}
	if p.config.Claims != nil {
		p.config.Claims(claims)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err) // a lie that is not JSON
	}
	key := p.keys.own
	switch p.config.Algorithm {
	case "none":
		return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(payload) + "."
	case "stranger":
		key = p.keys.stranger
	}
	return signed(key, payload)
}

func signed(key jose.JSONWebKey, payload []byte) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	if err != nil {
		panic(err) // the key is ours
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		panic(err)
	}
	token, err := jws.CompactSerialize()
	if err != nil {
		panic(err)
	}
	return token
}

// subject reads the sub of an ID token of p's, "" if it is none.
func (p *Provider) subject(token string) string {
	jws, err := jose.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return ""
	}
	payload, err := jws.Verify(p.keys.own.Public())
	var claims struct{ Sub string }
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return ""
	}
	return claims.Sub
}
