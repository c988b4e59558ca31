// Package bearer reads what a bearer token says by itself: the claims of a JWT, without trusting them.
package bearer

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/silentrefresh/silentrefresh/internal/lifetime"
)

// MaxToken is the longest token that is taken. No server takes a header of that length.
const MaxToken = 64 << 10

// Check reports why token must not get into a header.
func Check(token string) error {
	switch {
	case token == "":
		return errors.New("the token is empty")
	case len(token) > MaxToken:
		return errors.New("the token is longer than 64 KiB")
	}
	for i := range len(token) {
		if c := token[i]; c <= ' ' || c >= 0x7f {
			return errors.New("the token holds spaces, control characters or non-ASCII characters, which no header can carry")
		}
	}
	return nil
}

// WithoutScheme is a token that came with the scheme it is to be sent with.
func WithoutScheme(token string, schemes ...string) string {
	token = strings.TrimSpace(token)
	first, rest, _ := strings.Cut(token, " ")
	for _, scheme := range append(schemes, "Bearer", "JWT", "Token") {
		if strings.EqualFold(first, scheme) {
			return strings.TrimSpace(rest)
		}
	}
	return token
}

// Claims is what a JWT says (RFC 7519 section 4); nil for any other token. A client reads it to know about its own
// token, not to trust it, so the signature does not matter here.
type Claims map[string]any

// Parse reads token if it is a JWT.
func Parse(token string) Claims {
	if len(token) > MaxToken || strings.Count(token, ".") != 2 {
		return nil
	}
	c := jwt.MapClaims{}
	_, _, err := jwt.NewParser(jwt.WithJSONNumber(), jwt.WithPaddingAllowed()).ParseUnverified(token, c)
	if err != nil && !errors.Is(err, jwt.ErrTokenUnverifiable) { // an unknown alg does not make the claims unreadable
		return nil
	}
	return Claims(c)
}

// End is the exp claim.
func (c Claims) End() lifetime.Moment { return c.At("exp") }

// At is a claim that is a time (RFC 7519 section 2, NumericDate).
func (c Claims) At(name string) lifetime.Moment {
	m, _ := lifetime.Read(c[name])
	return lifetime.Moment{At: m.At}
}

// Lifetime is exp - iat, which needs nobody's clock; 0 if unknown.
func (c Claims) Lifetime() time.Duration {
	issued := c.At("iat").At
	if issued.IsZero() {
		return 0
	}
	return c.End().Left(issued)
}

// Subject is the sub claim.
func (c Claims) Subject() string { return c.Text("sub") }

// Text is a claim of that name, or at that dotted path, as text: "" if there is none, or if it is no single value.
func (c Claims) Text(path string) string {
	if v, ok := c[path]; ok {
		return Text(v)
	}
	name, rest, _ := strings.Cut(path, ".")
	inner, _ := c[name].(map[string]any)
	if inner == nil {
		return ""
	}
	return Claims(inner).Text(rest)
}

// Text is a string, a number or a boolean of a JSON document as text, "" for anything else.
func Text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return fmt.Sprint(v)
	default:
		return ""
	}
}

// Expiry is when a token ends that came without a response, so that there is only this machine's clock to
// compare it with: zero if token does not say.
func Expiry(token string, now time.Time) (expires time.Time) {
	c := Parse(token)
	end := c.End()
	if end.At.IsZero() {
		return time.Time{}
	}
	left := end.At.Sub(now) // negative: it is over
	if whole := c.Lifetime(); whole > 0 {
		left = min(left, whole)
	}
	return now.Add(max(min(left, lifetime.Longest), -lifetime.Longest))
}
