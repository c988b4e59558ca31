package authtest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// subject is what the server calls an account: not its email address, as with most servers.
func subject(email string) string {
	sum := sha256.Sum256([]byte(email))
	return "user-" + hex.EncodeToString(sum[:6])
}

// newAccessToken makes a token; that it is valid is written down elsewhere.
func (s *Server) newAccessToken(c *Config, sub, session string, now time.Time) string {
	if c.Opaque {
		return "at-" + rand.Text()
	}
	issued, expires := claimTimes(now, c.AccessTTL)
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": s.URL(), "sub": sub, "sid": session, "jti": rand.Text(), "iat": issued, "exp": expires,
	}).SignedString(s.key)
	if err != nil {
		panic("authtest: sign a token: " + err.Error()) // an HMAC over a map of strings and numbers
	}
	return token
}

// claimTimes are iat and exp. They are whole seconds, as nearly all servers write them, unless the lifetime is not.
func claimTimes(now time.Time, ttl time.Duration) (issued, expires float64) {
	issued = float64(now.UnixMilli()) / 1000
	if ttl%time.Second == 0 {
		issued = math.Floor(issued)
	}
	return issued, issued + ttl.Seconds()
}

// Keyfunc returns the key that signs the server's JSON Web Tokens. It is a jwt.Keyfunc of golang-jwt.
func (s *Server) Keyfunc(t *jwt.Token) (any, error) {
	if t.Method != jwt.SigningMethodHS256 {
		return nil, fmt.Errorf("authtest: this server signs with HS256, not with %s", t.Method.Alg())
	}
	return s.key, nil
}
