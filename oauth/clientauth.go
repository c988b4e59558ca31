package oauth

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/privatefile"

	"github.com/go-jose/go-jose/v4"
)

// jwtBearer is what an assertion about a client is (RFC 7523 section 2.2).
const jwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// authenticate adds to a request with form what says who we are (RFC 6749 section 2.3, RFC 7523 section 2.2, RFC 8705
// section 2). The header that it returns goes with the request.
func (x *exchange) authenticate(form url.Values) (http.Header, *auth.Error) {
	header := http.Header{}
	if x.client.id == "" {
		return header, nil // an assertion may say it all (RFC 7523 section 3.1)
	}
	switch x.client.method {
	case ClientSecretBasic:
		r := http.Request{Header: header}
		r.SetBasicAuth(url.QueryEscape(x.client.id), url.QueryEscape(x.client.secret.Reveal()))
		return header, nil
	case ClientSecretPost:
		form.Set("client_secret", x.client.secret.Reveal())
	case PrivateKeyJWT:
		assertion, err := x.clientAssertion()
		if err != nil {
			return nil, x.mistake("%w", err)
		}
		form.Set("client_assertion_type", jwtBearer)
		form.Set("client_assertion", assertion)
	}
	form.Set("client_id", x.client.id)
	return header, nil
}

// clientAssertion is what proves who the client is: signed by its key, or read from a file that somebody else keeps.
func (x *exchange) clientAssertion() (string, error) {
	if x.key == nil {
		return readAssertion("client_assertion_file", x.c.ClientAssertionFile)
	}
	to := x.c.ClientAssertionAudience
	if to == "" {
		if to = x.Issuer; to == "" {
			to = x.TokenEndpoint
		}
	}
	now := x.clock.now(x.TokenEndpoint)
	return x.key.sign(map[string]any{
		"iss": x.client.id, "sub": x.client.id, "aud": to, "jti": rand.Text(),
		"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	})
}

// readAssertion reads a file that holds one JWT. It is replaced while the program runs, so it is never kept.
func readAssertion(setting, file string) (string, error) {
	f, err := privatefile.Open(privatefile.Resolve(file), os.O_RDONLY)
	if err != nil {
		return "", fmt.Errorf("%s was not read: %w", setting, privatefile.Reason(err))
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxResponse+1))
	if err != nil {
		return "", fmt.Errorf("%s was not read: %w", setting, privatefile.Reason(err))
	}
	text := string(bytes.TrimSpace(b))
	if text == "" || len(text) > maxResponse {
		return "", fmt.Errorf("%s: there is no assertion in the file", setting)
	}
	return text, nil
}

// A clientKey signs assertions about the client.
type clientKey struct {
	signer jose.Signer
}

// parseKey reads a private key: a JWK, or PEM in the forms that tools write.
func parseKey(secret auth.Secret) (*clientKey, error) {
	text := []byte(secret.Reveal())
	jwk := jose.JSONWebKey{}
	if block, _ := pem.Decode(text); block != nil {
		key, err := parsePEM(block)
		if err != nil {
			return nil, err
		}
		jwk.Key = key
	} else if json.Unmarshal(text, &jwk) != nil {
		return nil, errors.New("it is neither PEM nor a JWK")
	}
	if jwk.IsPublic() || !jwk.Valid() {
		return nil, errors.New("it is not a private key")
	}
	alg := jose.SignatureAlgorithm(jwk.Algorithm)
	if alg == "" {
		if alg = usualAlgorithm(jwk.Key); alg == "" {
			return nil, errors.New("it is of a kind that signs no assertions; use EC P-256 or RSA")
		}
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jwk}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, errors.New("it cannot be used to sign")
	}
	return &clientKey{signer}, nil
}

func parsePEM(block *pem.Block) (crypto.PrivateKey, error) {
	var key crypto.PrivateKey
	var err error
	switch block.Type {
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "ENCRYPTED PRIVATE KEY":
		return nil, errors.New("it is encrypted; decrypt it first")
	default:
		return nil, fmt.Errorf("the PEM block is %q and not a private key", block.Type)
	}
	if err != nil {
		return nil, errors.New("the private key in the PEM block cannot be parsed")
	}
	return key, nil
}

// usualAlgorithm is what a key signs with that does not say; "" for one that cannot sign.
func usualAlgorithm(key any) jose.SignatureAlgorithm {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		return jose.RS256
	case ed25519.PrivateKey:
		return jose.EdDSA
	case *ecdsa.PrivateKey:
		switch k.Curve {
		case elliptic.P256():
			return jose.ES256
		case elliptic.P384():
			return jose.ES384
		case elliptic.P521():
			return jose.ES512
		}
	}
	return ""
}

func (k *clientKey) sign(claims map[string]any) (string, error) { return signJWT(k.signer, claims) }

// signJWT signs claims (RFC 7515 section 3.1).
func signJWT(signer jose.Signer, claims map[string]any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		return "", errors.New("signing failed")
	}
	return jws.CompactSerialize()
}
