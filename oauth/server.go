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

	"github.com/silentrefresh/silentrefresh/auth"

	goidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// discoverAgain is how long a discovery document is good for.
const discoverAgain = 24 * time.Hour

// metadata is what is used of the discovery document (OpenID Connect Discovery section 3, RFC 8414, RFC 8628
// section 4, RFC 9207 section 3).
type metadata struct {
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	TokenEndpoint         string   `json:"token_endpoint"`
	JWKSURI               string   `json:"jwks_uri"`
	DeviceEndpoint        string   `json:"device_authorization_endpoint"`
	RevocationEndpoint    string   `json:"revocation_endpoint"`
	EndSessionEndpoint    string   `json:"end_session_endpoint"`
	AuthMethods           []string `json:"token_endpoint_auth_methods_supported"`
	Algorithms            []string `json:"id_token_signing_alg_values_supported"`
	SendsIssuer           bool     `json:"authorization_response_iss_parameter_supported"`
}

// provider is a provider whose discovery document was found good. It does not change.
type provider struct {
	metadata
	endpoint    oauth2.Endpoint
	authorizeAt *url.URL        // nil if it has no authorization endpoint
	origins     map[string]bool // that a silent authentication may be redirected through
	keys        goidc.KeySet
	fetched     time.Time
}

// discovered returns the provider, fetching its document when there is none or it is old. An old one is better
// than none.
func (x *exchange) discovered(ctx context.Context) (*provider, error) {
	x.mu.Lock()
	p := x.known
	x.mu.Unlock()
	if p != nil && time.Since(p.fetched) < discoverAgain {
		return p, nil
	}
	fresh, err := x.discover(ctx)
	if err != nil {
		if p != nil {
			return p, nil
		}
		return nil, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.known = fresh
	return fresh, nil
}

func (x *exchange) discover(ctx context.Context) (*provider, error) {
	doc, err := goidc.NewProvider(x.with(ctx), x.c.Issuer)
	if err != nil {
		return nil, x.undiscovered(err)
	}
	p := &provider{fetched: time.Now()}
	if err := doc.Claims(&p.metadata); err != nil {
		return nil, x.undiscovered(err)
	}
	if err := p.check(x.c); err != nil {
		return nil, x.mistake("the discovery document of %s is wrong: %w", x.c.Issuer, err)
	}
	p.endpoint = doc.Endpoint()
	p.endpoint.AuthStyle = x.c.authStyle(p.AuthMethods)
	if p.AuthorizationEndpoint != "" {
		p.authorizeAt, _ = url.Parse(p.AuthorizationEndpoint) // check has parsed it
	}
	p.origins = p.ownOrigins(x.c)
	p.keys = keySet(x.hc, x.wire.base, p.JWKSURI)
	return p, nil
}

// undiscovered is a failure to get the discovery document.
func (x *exchange) undiscovered(err error) error {
	if lie, ok := errors.AsType[*goidc.IssuerMismatchError](err); ok {
		return x.mistake("the discovery document of %s is wrong: it calls its issuer %q", lie.Provided, lie.Discovered)
	}
	e := harmless(x.failed(err))
	if e.Status == http.StatusOK {
		e.Err = errors.New("that is no discovery document")
	}
	if e.Status == http.StatusNotFound {
		e.Hint = "is issuer the provider's identifier, to the letter?"
	}
	return e
}

// check demands what every flow uses, and https everywhere: a document must not send a secret over a plain line.
// A provider on loopback may use http for what is on loopback.
func (p *provider) check(c Config) error {
	plain := strings.HasPrefix(c.Issuer, "http:")
	var errs []error
	for _, f := range []struct {
		name, value string
		required    bool
	}{
		{"authorization_endpoint", p.AuthorizationEndpoint, c.Flow != Device},
		{"token_endpoint", p.TokenEndpoint, true},
		{"jwks_uri", p.JWKSURI, true},
		{"device_authorization_endpoint", p.DeviceEndpoint, c.Flow == Device},
		{"revocation_endpoint", p.RevocationEndpoint, false},
		{"end_session_endpoint", p.EndSessionEndpoint, false},
	} {
		if f.value == "" && !f.required {
			continue
		}
		if err := checkEndpoint(f.value, plain); err != nil {
			errs = append(errs, fmt.Errorf("%s %w", f.name, err))
		}
	}
	return errors.Join(errs...)
}

// ownOrigins are the provider's: where its endpoints are, and what the settings add.
func (p *provider) ownOrigins(c Config) map[string]bool {
	own := map[string]bool{}
	for _, raw := range append([]string{c.Issuer, p.AuthorizationEndpoint, p.TokenEndpoint, p.EndSessionEndpoint}, c.Origins...) {
		if u, err := url.Parse(raw); err == nil && u.Host != "" {
			own[origin(u)] = true
		}
	}
	return own
}

// origin is u's origin (RFC 6454), for comparing.
func origin(u *url.URL) string {
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return u.Scheme + "://" + host
}

// keySet fetches the provider's keys when a token is signed with one that is not known yet. It outlives the
// exchange, so it has a client of its own, without cookies.
func keySet(hc *http.Client, base http.RoundTripper, uri string) goidc.KeySet {
	own := &http.Client{Transport: capped{base}, CheckRedirect: hc.CheckRedirect, Timeout: timeout}
	return quietKeys{goidc.NewRemoteKeySet(goidc.ClientContext(context.Background(), own), uri)}
}

// quietKeys keeps responses out of errors: go-oidc repeats there whatever was fetched.
type quietKeys struct{ goidc.KeySet }

// VerifySignature implements KeySet.
func (k quietKeys) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := k.KeySet.VerifySignature(ctx, jwt)
	if err != nil {
		return nil, errors.New("none of the provider's keys fits, or they could not be fetched")
	}
	return payload, nil
}

// signingAlgorithms are those of the provider's that sign: never none, never a shared secret. Empty means RS256.
func (p *provider) signingAlgorithms() []string {
	good := []string{goidc.RS256, goidc.RS384, goidc.RS512, goidc.ES256, goidc.ES384, goidc.ES512,
		goidc.PS256, goidc.PS384, goidc.PS512, goidc.EdDSA}
	return slices.DeleteFunc(slices.Clone(p.Algorithms), func(a string) bool { return !slices.Contains(good, a) })
}

var _ auth.Exchanger = (*Exchanger)(nil)
