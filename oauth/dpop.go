package oauth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"

	"github.com/go-jose/go-jose/v4"
)

// proofAlgorithms are what proofs are signed with, the usual one first.
var proofAlgorithms = []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA, jose.ES384, jose.ES512, jose.PS256, jose.RS256}

// A proofKey is the key that a session's tokens are bound to (RFC 9449 section 4). It does not change.
type proofKey struct {
	private    json.RawMessage // as a JWK, for the Store
	thumbprint string          // RFC 7638, for dpop_jkt
	signer     jose.Signer
}

// newProofKey makes a key of a kind that the server takes; supported may be empty.
func newProofKey(supported []string) (*proofKey, error) {
	for _, alg := range proofAlgorithms {
		if len(supported) > 0 && !slices.Contains(supported, string(alg)) {
			continue
		}
		key, err := generate(alg)
		if err != nil {
			return nil, err
		}
		private, err := json.Marshal(jose.JSONWebKey{Key: key, Algorithm: string(alg)})
		if err != nil {
			return nil, err
		}
		return readProofKey(private)
	}
	return nil, errors.New("the server takes proofs with none of the algorithms that are known here")
}

func generate(alg jose.SignatureAlgorithm) (any, error) {
	switch alg {
	case jose.EdDSA:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	case jose.PS256, jose.RS256:
		return rsa.GenerateKey(rand.Reader, 2048)
	case jose.ES384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case jose.ES512:
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	default:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
}

// readProofKey reads a key from where a session keeps it.
func readProofKey(private json.RawMessage) (*proofKey, error) {
	var jwk jose.JSONWebKey
	if err := json.Unmarshal(private, &jwk); err != nil || jwk.IsPublic() || !jwk.Valid() {
		return nil, errors.New("the session's DPoP key cannot be read")
	}
	sum, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, err
	}
	o := (&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt")
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(jwk.Algorithm), Key: jwk.Key}, o)
	if err != nil {
		return nil, err
	}
	return &proofKey{private: private, thumbprint: base64.RawURLEncoding.EncodeToString(sum), signer: signer}, nil
}

// prove makes a proof for one request (section 4.2). token is the access token that goes with it, "" at the
// authorization server.
func (k *proofKey) prove(method string, u *url.URL, token string, c clock, now time.Time) (string, error) {
	claims := map[string]any{"jti": rand.Text(), "htm": method, "htu": withoutQuery(u), "iat": now.Add(c.ahead).Unix()}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		claims["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	if c.nonce != "" {
		claims["nonce"] = c.nonce
	}
	return signJWT(k.signer, claims)
}

func withoutQuery(u *url.URL) string {
	bare := url.URL{Scheme: strings.ToLower(u.Scheme), Host: strings.ToLower(u.Host), Path: u.Path, RawPath: u.RawPath}
	if bare.Path == "" {
		bare.Path = "/"
	}
	return bare.String()
}

// A clock is what is known of a server that takes proofs: the nonce that it wants in the next one (sections 8 and 9), and
// how far its clock is ahead of ours.
type clock struct {
	nonce string
	ahead time.Duration
	// reserved is until when the nonce is left to the request that was denied for want of it: to some servers each is
	// good for one time.
	reserved time.Time
}

// reservation is how long a request that was denied for want of a nonce may take to be sent again.
const reservation = time.Second

// clocks are those of all servers, by origin. They are not worth keeping: each server tells again. The zero value is
// ready, and safe for concurrent use.
type clocks struct {
	mu sync.Mutex
	of map[string]clock
}

// maxClocks and maxNonce bound the memory: an API may be many hosts.
const (
	maxClocks = 1024
	maxNonce  = 1024
)

func (c *clocks) get(at string) clock {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.of[at]
	if time.Now().Before(known.reserved) {
		known.nonce = "" // and the server gives another
	}
	return known
}

// now is the time by the clock of the server at the URL raw.
func (c *clocks) now(raw string) time.Time { return time.Now().Add(c.get(originOf(raw)).ahead) }

// learn reads what a response tells of its server, and reports whether the next proof will be another for it. reserved is
// until when the nonce is somebody's own, zero if it is anybody's.
func (c *clocks) learn(at string, h http.Header, sent, reserved time.Time) (fresh bool) {
	nonce := h.Get("DPoP-Nonce")
	date, err := http.ParseTime(h.Get("Date"))
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.of[at]
	next := known
	if nonce != "" && len(nonce) <= maxNonce && nonce != known.nonce {
		next.nonce, next.reserved = nonce, reserved
	}
	if err == nil {
		// A Date has whole seconds and travels for a while; what is less than half a minute is no difference.
		if next.ahead = date.Sub(sent); next.ahead.Abs() < 30*time.Second {
			next.ahead = 0
		}
	}
	if next == known {
		return false
	}
	if c.of == nil || len(c.of) >= maxClocks {
		c.of = map[string]clock{}
	}
	c.of[at] = next
	return true
}

// bindable settles whether the tokens of a login are to be bound to a key, and makes it.
func (x *exchange) bindable() *auth.Error {
	wanted := x.c.DPoP == DPoPAlways ||
		x.c.DPoP == DPoPAuto && (x.challenge.DPoP || x.resource != nil && x.resource.RequiresDPoP || x.demand().proof)
	if !wanted || x.proof != nil {
		return nil
	}
	key, err := newProofKey(x.DPoPAlgorithms)
	if err != nil {
		return x.mistake("%w", err)
	}
	x.proof = key
	return nil
}
