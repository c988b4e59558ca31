package endpoint

import (
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/bearer"
	"github.com/silentrefresh/silentrefresh/internal/lifetime"
)

// CheckToken implements auth.TokenChecker.
func (e *Exchanger) CheckToken(token auth.Secret) error { return e.verify(token.Reveal()) }

// verify checks an access token's signature with the caller's key, and its issuer.
func (e *Exchanger) verify(token string) error {
	token = e.inner(token)
	if e.Verify != nil {
		// Not its times: they are judged by the server's clock, and by the server.
		if _, err := jwt.NewParser(jwt.WithoutClaimsValidation()).Parse(token, e.Verify); err != nil {
			return fmt.Errorf("the access token does not verify: %w", unverified(err))
		}
	}
	if e.Issuer == "" {
		return nil
	}
	if issuer, _ := bearer.Parse(token)["iss"].(string); issuer != e.Issuer {
		return fmt.Errorf("the access token is not from the issuer %q", e.Issuer)
	}
	return nil
}

// unverified is the kind of err. Its text may quote the token.
func unverified(err error) error {
	for _, kind := range []error{jwt.ErrTokenMalformed, jwt.ErrTokenUnverifiable, jwt.ErrTokenSignatureInvalid} {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return errors.New("token is invalid")
}

// accessLife is how long an access token lives, counted from when it was asked for; 0 if unknown. stated is what
// the response says, date what the server's clock showed. A lifetime is believed before a time, because it does not
// depend on anybody's clock; a JWT can only shorten it.
func accessLife(stated lifetime.Moment, c bearer.Claims, date time.Time) time.Duration {
	whole := c.Lifetime()
	if stated.After > 0 {
		return lifetime.Shorter(stated.After, whole)
	}
	return lifetime.Shorter(lifetime.Shorter(stated.Left(date), whole), c.End().Left(date))
}
