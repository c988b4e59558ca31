package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/metadata"
	"github.com/silentrefresh/silentrefresh/internal/origin"

	goidc "github.com/coreos/go-oidc/v3/oidc"
)

// A place is where an authorization server is found. Sessions keep theirs, so that a refresh goes to the server that
// gave them their tokens, whatever the protected resource says by then.
type place struct {
	// Issuer is its identifier, "" for one whose endpoints were given by hand.
	Issuer string `json:"issuer,omitempty"`
	// Named says that a protected resource named it.
	Named bool `json:"named,omitempty"`
	// Assumed says that nothing names it: it is at the origin of the resource, as MCP had it before RFC 9728.
	Assumed bool `json:"assumed,omitempty"`
}

// A server is an authorization server whose metadata was found good. It does not change.
type server struct {
	metadata.Server
	place       place
	authorizeAt *url.URL               // nil if it has no authorization endpoint
	origins     map[origin.Origin]bool // that a silent authentication may be redirected through
	signers     goidc.KeySet           // nil if it has none
	fetched     time.Time              // zero if it was not
	digested    bool                   // it is what a session has kept, and not the whole
}

// byHand is the server whose endpoints are in the settings.
func (c Config) byHand() *server {
	e := c.Endpoints
	s := &server{Server: metadata.Server{
		Issuer:                c.MetadataIssuer,
		AuthorizationEndpoint: e.Authorization,
		TokenEndpoint:         e.Token,
		DeviceEndpoint:        e.DeviceAuthorization,
		PushedRequestEndpoint: e.PushedAuthorization,
		RegistrationEndpoint:  e.Registration,
		RevocationEndpoint:    e.Revocation,
		EndSessionEndpoint:    e.EndSession,
		JWKSURI:               e.JWKS,
	}}
	if e.JWKS != "" {
		s.IDTokenAlgorithms = signatures
	}
	return s
}

// assumed is a server without metadata at the origin of a resource (MCP 2025-03-26, "Fallbacks for Servers without
// Metadata Discovery").
func assumed(at string) *server {
	return &server{Server: metadata.Server{
		AuthorizationEndpoint: at + "/authorize",
		TokenEndpoint:         at + "/token",
		RegistrationEndpoint:  at + "/register",
	}}
}

// ready completes s with what is made of its metadata.
func (s *server) ready(x *exchange, at place) (*server, error) {
	plain := at.Issuer == "" || strings.HasPrefix(at.Issuer, "http:")
	if found := s.check(x.c, plain); found != nil {
		return nil, x.mistake("the discovery document of %s is wrong: %w", shown(at.Issuer), errors.Join(found...))
	}
	s.place = at
	if !s.digested {
		s.fetched = time.Now()
	}
	if s.AuthorizationEndpoint != "" {
		s.authorizeAt, _ = url.Parse(s.AuthorizationEndpoint) // check has parsed it
	}
	s.useCertificate(x.c)
	s.origins = s.ownOrigins(x.c)
	if s.JWKSURI != "" {
		s.signers = keySet(x.hc, x.wire.base, s.JWKSURI)
	}
	return s, nil
}

// check demands what the flow uses, and https everywhere: a document must not send a secret over a plain line.
// A server on loopback may use http for what is on loopback.
func (s *server) check(c Config, plain bool) (found []error) {
	for _, f := range []struct {
		name, value string
		required    bool
	}{
		{"authorization_endpoint", s.AuthorizationEndpoint, c.Flow == Browser || c.Flow == Silent},
		{"token_endpoint", s.TokenEndpoint, true},
		{"jwks_uri", s.JWKSURI, slices.Contains(c.Scopes, goidc.ScopeOpenID)},
		{"device_authorization_endpoint", s.DeviceEndpoint, !s.digested && c.Flow == Device},
		{"pushed_authorization_request_endpoint", s.PushedRequestEndpoint, false},
		{"registration_endpoint", s.RegistrationEndpoint, false},
		{"revocation_endpoint", s.RevocationEndpoint, false},
		{"end_session_endpoint", s.EndSessionEndpoint, false},
	} {
		if f.value == "" && !f.required {
			continue
		}
		if err := checkEndpoint(f.value, plain); err != nil {
			found = append(found, fmt.Errorf("%s %w", f.name, err))
		}
	}
	return found
}

// useCertificate takes the endpoints that a client with a certificate has to use, where there are such (RFC 8705
// section 5).
func (s *server) useCertificate(c Config) {
	if s.MTLS == nil || c.ClientAuth != TLSClientAuth && c.ClientAuth != SelfSignedTLSClient {
		return
	}
	for _, e := range []struct{ own, alias *string }{
		{&s.TokenEndpoint, &s.MTLS.TokenEndpoint},
		{&s.RevocationEndpoint, &s.MTLS.RevocationEndpoint},
		{&s.DeviceEndpoint, &s.MTLS.DeviceEndpoint},
		{&s.PushedRequestEndpoint, &s.MTLS.PushedRequestEndpoint},
	} {
		if checkEndpoint(*e.alias, false) == nil {
			*e.own = *e.alias
		}
	}
}

// ownOrigins are the server's: where its endpoints are, and what the settings add.
func (s *server) ownOrigins(c Config) map[origin.Origin]bool {
	own := map[origin.Origin]bool{}
	for _, raw := range append([]string{s.Issuer, s.AuthorizationEndpoint, s.TokenEndpoint, s.EndSessionEndpoint}, c.Origins...) {
		if u, err := url.Parse(raw); err == nil && u.Host != "" {
			if o, err := origin.Of(u); err == nil {
				own[o] = true
			}
		}
	}
	return own
}

// own reports whether u is at one of the server's origins.
func (s *server) own(u *url.URL) bool {
	o, err := origin.Of(u)
	return err == nil && u.User == nil && s.origins[o]
}

// name is what the server is called in messages.
func (s *server) name() string {
	if s.Issuer != "" {
		return s.Issuer
	}
	u, err := url.Parse(s.TokenEndpoint)
	if err != nil {
		return "the server"
	}
	return u.Scheme + "://" + u.Host
}

// keySet fetches the server's keys when a token is signed with one that is not known yet. It outlives the
// exchange, so it has a client of its own, without cookies.
func keySet(hc *http.Client, base http.RoundTripper, uri string) goidc.KeySet {
	return quietKeys{goidc.NewRemoteKeySet(goidc.ClientContext(context.Background(), lasting(hc, base)), uri)}
}

// lasting is a client that may outlive an exchange.
func lasting(hc *http.Client, base http.RoundTripper) *http.Client {
	return &http.Client{Transport: capped{base}, CheckRedirect: hc.CheckRedirect, Timeout: timeout}
}

// quietKeys keeps responses out of errors: go-oidc repeats there whatever was fetched.
type quietKeys struct{ goidc.KeySet }

// VerifySignature implements KeySet.
func (k quietKeys) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := k.KeySet.VerifySignature(ctx, jwt)
	if err != nil {
		return nil, errors.New("none of the server's keys fits, or they could not be fetched")
	}
	return payload, nil
}
