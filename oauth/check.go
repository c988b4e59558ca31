package oauth

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/origin"
)

// ours are parameters of requests that Params may not set.
var ours = []string{"client_id", "response_type", "response_mode", "redirect_uri", "scope", "state", "nonce",
	"code_challenge", "code_challenge_method", "id_token_hint", "request_uri", "dpop_jkt", "grant_type", "client_secret",
	"client_assertion", "client_assertion_type", "assertion", "subject_token"}

// authMethods are what ClientAuth may be.
var authMethods = []string{"", ClientSecretBasic, ClientSecretPost, PrivateKeyJWT, TLSClientAuth, SelfSignedTLSClient, NoClientAuth}

// mistakes collects what is wrong with a Config, so that all of it can be said at once.
type mistakes struct{ found []error }

func (m *mistakes) add(format string, args ...any) {
	m.found = append(m.found, fmt.Errorf("oauth: "+format, args...))
}

// complete fills in what zero fields mean.
func (c Config) complete() Config {
	if c.Flow == "" {
		c.Flow = Browser
	}
	if c.RedirectURI == "" && c.Flow == Browser {
		c.RedirectURI = "http://127.0.0.1/callback"
	}
	if c.Registration.ClientName == "" {
		c.Registration.ClientName = "silentrefresh"
	}
	if c.OpenBrowser == nil {
		c.OpenBrowser = openSystemBrowser
	}
	if c.Prompt == nil {
		c.Prompt = printPrompt
	}
	if c.Paste == nil {
		c.Paste = pasteOnTerminal
	}
	if c.Page == nil {
		c.Page = plainPage
	}
	if c.Patience == 0 {
		c.Patience = 5 * time.Minute
	}
	return c
}

// check reports every mistake at once.
func (c Config) check() error {
	m := &mistakes{}
	c.checkServer(m)
	c.checkClient(m)
	c.checkRedirect(m)
	c.checkAssertion(m)
	for _, name := range slices.Sorted(maps.Keys(c.Params)) {
		if slices.Contains(ours, name) {
			m.add("params may not set %s", name)
		}
	}
	for _, scope := range c.Scopes {
		if scope == "" || strings.ContainsFunc(scope, func(r rune) bool { return r <= ' ' || r == '"' || r == '\\' || r > '~' }) {
			m.add("scopes: %q is not one scope (RFC 6749 section 3.3); give each as an element of its own", scope)
		}
	}
	for _, rule := range c.Refused {
		if n, err := strconv.Atoi(rule); rule == "" || err == nil && (n < 400 || n > 599) {
			m.add("refused: %q is neither an error code nor a status that refuses", rule)
		}
	}
	if c.DPoP != DPoPAuto && c.DPoP != DPoPAlways && c.DPoP != DPoPNever {
		m.add("dpop %q is neither %q nor %q", c.DPoP, DPoPAlways, DPoPNever)
	}
	if c.IDTokenAsBearer && c.DPoP == DPoPAlways {
		m.add("id_token_as_bearer contradicts dpop: an ID token is not bound to a key")
	}
	if c.Patience < time.Millisecond {
		m.add("Patience of %v is no time for a person; 5*time.Minute is usual", c.Patience)
	}
	return errors.Join(m.found...)
}

func (c Config) checkServer(m *mistakes) {
	byHand := c.Endpoints != Endpoints{}
	switch {
	case c.Issuer == "" && c.Resource == "" && !byHand:
		m.add("issuer is missing: give the authorization server's identifier, the resource that names it, or its endpoints")
	case c.Issuer != "" && byHand:
		m.add("issuer and endpoints exclude each other: the issuer's metadata has the endpoints")
	}
	for name, u := range map[string]string{"issuer": c.Issuer, "resource": c.Resource} {
		if u == "" {
			continue
		}
		if err := checkEndpoint(u, true); err != nil {
			m.add("%s %w", name, err)
		}
	}
	if strings.ContainsAny(c.Issuer, "?#") {
		m.add("issuer has a query, and an identifier has none (RFC 8414 section 2)")
	}
	if byHand {
		for _, err := range c.byHand().check(c, true) {
			m.add("endpoints: %w", err)
		}
		if c.Endpoints.JWKS != "" && c.MetadataIssuer == "" {
			m.add("metadata_issuer is missing: endpoints have a jwks, and an ID token is good only if its issuer is the right one")
		}
	}
	for _, o := range c.Origins {
		if err := checkEndpoint(o, true); err != nil {
			m.add("origins: %w", err)
		}
	}
}

func (c Config) checkClient(m *mistakes) {
	if c.ClientID == "" && c.ClientMetadataURL == "" && c.Resource == "" && c.Endpoints.Registration == "" && c.Issuer == "" {
		m.add("client_id is missing")
	}
	if c.ClientID == "" && (!c.ClientSecret.IsZero() || !c.ClientKey.IsZero() || c.ClientAssertionFile != "") {
		m.add("client_id is missing: a client that has credentials has an identifier")
	}
	if u, err := url.Parse(c.ClientMetadataURL); c.ClientMetadataURL != "" && (err != nil || u.Scheme != "https" || strings.Trim(u.Path, "/") == "" || u.Fragment != "") {
		m.add("client_metadata_url is not an https URL with a path")
	}
	if !c.ClientKey.IsZero() {
		if _, err := parseKey(c.ClientKey); err != nil {
			m.add("client_key: %w", err)
		}
	}
	switch {
	case !slices.Contains(authMethods, c.ClientAuth):
		m.add("token_endpoint_auth_method %q is none of %s", c.ClientAuth, strings.Join(authMethods[1:], ", "))
	case (c.ClientAuth == ClientSecretBasic || c.ClientAuth == ClientSecretPost) && c.ClientSecret.IsZero() && c.ClientID != "":
		m.add("token_endpoint_auth_method %s needs a client_secret", c.ClientAuth)
	case c.ClientAuth == PrivateKeyJWT && c.ClientKey.IsZero() && c.ClientAssertionFile == "":
		m.add("token_endpoint_auth_method %s needs a client_key or a client_assertion_file", c.ClientAuth)
	}
}

func (c Config) checkRedirect(m *mistakes) {
	u, err := url.Parse(c.RedirectURI)
	if err != nil || u.Fragment != "" {
		m.add("redirect_uri is not a URL without a fragment")
		return
	}
	switch {
	case c.Flow == Browser && (u.Scheme != "http" || !origin.Loopback(u.Hostname())):
		m.add("the browser flow needs a redirect_uri on loopback, like http://127.0.0.1/callback")
	case c.Flow == Silent && u.Scheme == "":
		m.add("the silent flow needs the redirect_uri that is registered with the server")
	case c.RedirectURI != "" && u.Scheme == "":
		m.add("redirect_uri is not an absolute URL")
	case !slices.Contains([]Flow{Browser, Device, Silent, ClientCredentials, JWTBearer, TokenExchange}, c.Flow):
		m.add("flow %q is none of %s, %s, %s, %s, %s, %s", c.Flow, Browser, Device, Silent, ClientCredentials, JWTBearer, TokenExchange)
	}
}

func (c Config) checkAssertion(m *mistakes) {
	given := 0
	for _, set := range []bool{!c.Assertion.Token.IsZero(), c.Assertion.File != "", c.Assertion.Source != nil} {
		if set {
			given++
		}
	}
	needed := c.Flow == JWTBearer || c.Flow == TokenExchange
	switch {
	case needed && given == 0:
		m.add("the %s flow needs an assertion: set its token, its file or its Source", c.Flow)
	case given > 1:
		m.add("assertion: token, file and Source exclude each other")
	case !needed && given > 0:
		m.add("the %s flow presents no assertion; the flows %s and %s do", c.Flow, JWTBearer, TokenExchange)
	}
}

// plain reports whether what the settings name is on this machine's loopback, without TLS. Only then may what that names
// in its turn be there as well: a document from elsewhere must not send requests to this machine.
func (c Config) plain() bool {
	for _, u := range []string{c.Issuer, c.Resource} {
		if u != "" {
			return strings.HasPrefix(u, "http:")
		}
	}
	return true // by hand, and checked there
}

// checkEndpoint demands https, except on loopback where plain allows http as well.
func checkEndpoint(raw string, plain bool) error {
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		return errors.New("is missing")
	case err != nil, u.Host == "", u.User != nil, u.Fragment != "":
		return errors.New("is not an absolute https URL, such as https://login.example.com")
	case u.Scheme == "https", u.Scheme == "http" && plain && origin.Loopback(u.Hostname()):
		return nil
	default:
		return fmt.Errorf("%s://%s is not https", u.Scheme, u.Host)
	}
}
