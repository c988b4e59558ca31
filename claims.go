package silentrefresh

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// maxToken is the longest token that is taken. No server takes a header of that length.
const maxToken = 64 << 10

// tokenFault reports why token must not get into a header.
func tokenFault(token string) error {
	switch {
	case token == "":
		return errors.New("the token is empty")
	case len(token) > maxToken:
		return errors.New("the token is longer than 64 KiB")
	}
	for i := range len(token) {
		if c := token[i]; c <= ' ' || c >= 0x7f {
			return errors.New("the token holds spaces, control characters or non-ASCII characters, which no header can carry")
		}
	}
	return nil
}

// withoutScheme is a token that came with the scheme it is to be sent with.
func withoutScheme(token string, schemes ...string) string {
	token = strings.TrimSpace(token)
	first, rest, _ := strings.Cut(token, " ")
	for _, scheme := range append(schemes, "Bearer", "JWT", "Token") {
		if strings.EqualFold(first, scheme) {
			return strings.TrimSpace(rest)
		}
	}
	return token
}

// claims is what a JWT says (RFC 7519 section 4); nil for any other token. A client reads it to know about its own
// token, not to trust it, so the signature does not matter here.
type claims map[string]any

// readClaims reads token if it is a JWT.
func readClaims(token string) claims {
	if len(token) > maxToken || strings.Count(token, ".") != 2 {
		return nil
	}
	c := jwt.MapClaims{}
	_, _, err := jwt.NewParser(jwt.WithJSONNumber(), jwt.WithPaddingAllowed()).ParseUnverified(token, c)
	if err != nil && !errors.Is(err, jwt.ErrTokenUnverifiable) { // an unknown alg does not make the claims unreadable
		return nil
	}
	return claims(c)
}

// end is the exp claim.
func (c claims) end() moment { return c.at("exp") }

// at is a claim that is a time (RFC 7519 section 2, NumericDate).
func (c claims) at(name string) moment {
	m, _ := readMoment(c[name])
	return moment{at: m.at}
}

// wholeLife is exp - iat, which needs nobody's clock; 0 if unknown.
func (c claims) wholeLife() time.Duration {
	issued := c.at("iat").at
	if issued.IsZero() {
		return 0
	}
	return c.end().left(issued)
}

// subject is the sub claim.
func (c claims) subject() string {
	switch sub := c["sub"].(type) {
	case string:
		return sub
	case json.Number:
		return sub.String()
	case bool:
		return fmt.Sprint(sub)
	default:
		return ""
	}
}

// broughtExpiry is when a token ends that came without an answer, so that there is only this machine's clock to
// compare it with: zero if token does not say.
func broughtExpiry(token string, now time.Time) (expires time.Time) {
	c := readClaims(token)
	end := c.end()
	if end.at.IsZero() {
		return time.Time{}
	}
	left := end.at.Sub(now) // negative: it is over
	if whole := c.wholeLife(); whole > 0 {
		left = min(left, whole)
	}
	return now.Add(max(min(left, longestLife), -longestLife))
}
