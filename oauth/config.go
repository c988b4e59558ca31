package oauth

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"

	goidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Flow is how the first session is got.
type Flow string

// The flows.
const (
	Browser Flow = "browser" // the system's browser and a loopback redirect (RFC 8252)
	Device  Flow = "device"  // a code that is entered on another device (RFC 8628)
	Silent  Flow = "silent"  // no person: prompt=none with cookies that were brought
)

// How a client secret travels, by the names of OpenID Connect Core section 9.
const (
	ClientSecretBasic = "client_secret_basic"
	ClientSecretPost  = "client_secret_post"
)

// Config says who the provider is and who we are to it. Issuer and ClientID are all that most programs set. Its
// JSON form is the "oauth" object of the command-line tool's configuration file.
type Config struct {
	// Issuer is the provider's identifier, an https URL (http on loopback); the discovery document below it
	// must say the very same.
	Issuer string `json:"issuer"`
	// ClientID is what the provider knows this program by.
	ClientID string `json:"client_id"`
	// ClientSecret makes this a confidential client; zero: a public one.
	ClientSecret auth.Secret `json:"client_secret"`
	// ClientAuth says how the secret travels: ClientSecretBasic or ClientSecretPost. "": as the discovery
	// document says, Basic if it allows both.
	ClientAuth string `json:"token_endpoint_auth_method"`
	// Flow is how Client.Login gets the first session; "": Browser.
	Flow Flow `json:"flow"`
	// Scopes are asked for; openid is always among them. nil: openid and offline_access, and for Silent openid
	// alone.
	Scopes []string `json:"scopes"`
	// RedirectURI is one that is registered with the provider. Browser needs one on loopback, "" means
	// http://127.0.0.1/callback, and port 0 or none means any free port (RFC 8252 section 7.3). Silent needs
	// one too and never fetches it. With another flow, "" means that silent authentication is not tried.
	RedirectURI string `json:"redirect_uri"`
	// Params are more parameters of the authorization request, for instance audience or acr_values.
	Params map[string]string `json:"params"`
	// Origins are more origins of the provider, beside those in its discovery document, that a silent
	// authentication may be redirected through.
	Origins []string `json:"origins"`

	// OpenBrowser opens a page for a person; nil: in the system's browser. If it fails, Prompt is called.
	OpenBrowser func(url string) error `json:"-"`
	// Prompt tells a person what to do; nil: it is printed on standard error.
	Prompt func(Prompt) `json:"-"`
	// Patience is how long Browser and Device wait for the person; 0: 5 min.
	Patience time.Duration `json:"-"`
}

// ours are parameters of the authorization request that Params may not set.
var ours = []string{"client_id", "response_type", "response_mode", "redirect_uri", "scope", "state", "nonce",
	"code_challenge", "code_challenge_method", "id_token_hint"}

// check reports every mistake at once.
func (c Config) check() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf("oauth: "+format, args...)) }
	if err := checkEndpoint(c.Issuer, true); err != nil {
		wrong("issuer %w", err)
	}
	if c.ClientID == "" {
		wrong("client_id is missing")
	}
	if c.ClientAuth != "" && c.ClientAuth != ClientSecretBasic && c.ClientAuth != ClientSecretPost {
		wrong("token_endpoint_auth_method %q is neither %s nor %s", c.ClientAuth, ClientSecretBasic, ClientSecretPost)
	}
	if err := c.checkRedirect(); err != nil {
		wrong("%w", err)
	}
	for name := range c.Params {
		if slices.Contains(ours, name) {
			wrong("params may not set %s", name)
		}
	}
	for _, o := range c.Origins {
		if err := checkEndpoint(o, true); err != nil {
			wrong("origins: %w", err)
		}
	}
	return errors.Join(errs...)
}

func (c Config) checkRedirect() error {
	u, err := url.Parse(c.RedirectURI)
	if err != nil || u.Fragment != "" {
		return errors.New("redirect_uri is not a URL without a fragment")
	}
	switch c.Flow {
	case Browser:
		if u.Scheme != "http" || !loopback(u.Hostname()) {
			return errors.New("the browser flow needs a redirect_uri on loopback, like http://127.0.0.1/callback")
		}
	case Silent:
		if u.Scheme == "" {
			return errors.New("the silent flow needs the redirect_uri that is registered with the provider")
		}
	case Device:
		if c.RedirectURI != "" && u.Scheme == "" {
			return errors.New("redirect_uri is not an absolute URL")
		}
	default:
		return fmt.Errorf("flow %q is none of %s, %s, %s", c.Flow, Browser, Device, Silent)
	}
	return nil
}

// complete fills in what zero fields mean.
func (c Config) complete() Config {
	if c.Flow == "" {
		c.Flow = Browser
	}
	if c.RedirectURI == "" && c.Flow == Browser {
		c.RedirectURI = "http://127.0.0.1/callback"
	}
	if c.Scopes == nil && c.Flow != Silent {
		c.Scopes = []string{goidc.ScopeOpenID, goidc.ScopeOfflineAccess}
	}
	if !slices.Contains(c.Scopes, goidc.ScopeOpenID) {
		c.Scopes = append([]string{goidc.ScopeOpenID}, c.Scopes...)
	}
	if c.OpenBrowser == nil {
		c.OpenBrowser = openSystemBrowser
	}
	if c.Prompt == nil {
		c.Prompt = printPrompt
	}
	if c.Patience <= 0 {
		c.Patience = 5 * time.Minute
	}
	return c
}

// authStyle chooses how the client identifies itself, once and for all: x/oauth2 would try both ways otherwise,
// and the first try may spend a refresh token.
func (c Config) authStyle(offered []string) oauth2.AuthStyle {
	post := c.ClientAuth == ClientSecretPost
	if c.ClientAuth == "" && len(offered) > 0 { // left out, it means Basic (Discovery section 3)
		post = !slices.Contains(offered, ClientSecretBasic) && slices.Contains(offered, ClientSecretPost)
	}
	if post || c.ClientSecret.IsZero() {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

// checkEndpoint demands https, except on loopback where plain allows http as well.
func checkEndpoint(raw string, plain bool) error {
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		return errors.New("is missing")
	case err != nil, u.Host == "", u.User != nil, u.Fragment != "":
		return errors.New("is not an absolute https URL")
	case u.Scheme == "https", u.Scheme == "http" && plain && loopback(u.Hostname()):
		return nil
	default:
		return fmt.Errorf("%s://%s is not https", u.Scheme, u.Host)
	}
}

// loopback reports whether host is this machine by its name alone.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
