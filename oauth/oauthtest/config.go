package oauthtest

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"
)

const (
	// ClientID is the one client that every provider knows. It may be sent back to any redirect URI.
	ClientID = "test-client"
	// DefaultAccount is who logs in where nobody else is named. Every name is an account.
	DefaultAccount = "ada"
	// Assertion is what the provider takes for an assertion and for a subject token, of whoever brings it.
	Assertion = "an assertion that is good"
)

// Config says what kind of server to be. The zero value is an OpenID provider with one public client, access tokens of 15
// minutes, and refresh tokens, for those who ask for offline_access, that can be used once.
type Config struct {
	// Secret is the client's, "" for a public client.
	Secret string
	// AuthMethods is what the metadata says of how the secret travels, and what is enforced; nil: client_secret_basic.
	AuthMethods []string

	// TokenTTL is how long access tokens live; 0: 15 minutes.
	TokenTTL time.Duration
	// RefreshTTL is how long a refresh token lives; 0: as long as the provider.
	RefreshTTL time.Duration
	// Grace is how long a spent refresh token may be presented again, as long as its successor is unused: the response then
	// has that successor. 0: never, it is reuse and ends all that the login gave (RFC 9700 section 4.14.2).
	Grace time.Duration
	// Reusable refresh tokens are not rotated; responses to a refresh do not have one.
	Reusable bool
	// NoRefreshTokens gives none out.
	NoRefreshTokens bool
	// Interval is what device clients are told to wait between polls, in seconds; 0: they are told nothing, which means 5.
	Interval int

	// Plain makes it a server without OpenID Connect: RFC 8414 metadata, refresh tokens for all, and no ID tokens.
	Plain bool
	// Registers takes clients that introduce themselves (RFC 7591).
	Registers bool
	// RequirePush takes pushed authorization requests only (RFC 9126).
	RequirePush bool
	// RequireDPoP gives tokens only to those who show a proof (RFC 9449), and wants one at the API as well.
	RequireDPoP bool
	// Nonce has to be in proofs, at the token endpoint and at the API; "": none.
	Nonce string
	// Scopes are offered, beside openid and offline_access.
	Scopes []string
	// NeedScope is a scope that the API wants in a token; "": none.
	NeedScope string
	// Deny is a scope that nobody gets.
	Deny string
	// Resource has to be named in every request for a token (RFC 8707); "": nobody looks.
	Resource string

	// API, if set, responds to requests that carry a good token, in place of the built-in API.
	API http.Handler
	// Intercept, if set, sees each request first, and returns true where it has responded. It is called concurrently.
	Intercept func(http.ResponseWriter, *http.Request) bool

	// Metadata changes the metadata before it goes out. This function and the next two must not call the Provider.
	Metadata func(map[string]any)
	// Claims changes an ID token's claims before it is signed.
	Claims func(map[string]any)
	// Response changes the query of a response to an authorization request.
	Response func(map[string]string)
	// Algorithm signs ID tokens: "" is ES256; "none" does not sign; "stranger" signs with a key of somebody else's.
	Algorithm string

	// InMemory listens on a network in memory: only Transport and Browse reach the provider. In a testing/synctest bubble
	// every provider does.
	InMemory bool
}

// complete puts the usual values in place of zero ones, and copies what the caller could change.
func (c Config) complete() Config {
	c.TokenTTL = cmp.Or(c.TokenTTL, 15*time.Minute)
	c.AuthMethods, c.Scopes = slices.Clone(c.AuthMethods), slices.Clone(c.Scopes)
	return c
}

// check names every mistake.
func (c Config) check() error {
	var mistakes []error
	durations := map[string]time.Duration{"TokenTTL": c.TokenTTL, "RefreshTTL": c.RefreshTTL, "Grace": c.Grace}
	for _, name := range slices.Sorted(maps.Keys(durations)) {
		if d := durations[name]; d < 0 {
			mistakes = append(mistakes, fmt.Errorf("%s is negative (%v)", name, d))
		}
	}
	if c.TokenTTL < time.Second {
		mistakes = append(mistakes, fmt.Errorf("TokenTTL is %v, and expires_in is in whole seconds", c.TokenTTL))
	}
	if c.Interval < 0 {
		mistakes = append(mistakes, fmt.Errorf("Interval is negative (%d)", c.Interval))
	}
	if !slices.Contains([]string{"", "none", "stranger"}, c.Algorithm) {
		mistakes = append(mistakes, fmt.Errorf(`Algorithm is %q; "", "none" and "stranger" are known`, c.Algorithm))
	}
	if len(mistakes) > 0 {
		return fmt.Errorf("oauthtest: the Config has mistakes: %w", errors.Join(mistakes...))
	}
	return nil
}
