package oauth

import (
	"context"
	"net/http"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
)

// Flow is how the first session is got.
type Flow string

// The flows. Browser and Device need a person; the others run by themselves.
const (
	Browser           Flow = "browser"            // the system's browser and a loopback redirect (RFC 8252)
	Device            Flow = "device"             // a code that is entered on another device (RFC 8628)
	Silent            Flow = "silent"             // prompt=none with cookies that were brought
	ClientCredentials Flow = "client_credentials" // the client for itself (RFC 6749 section 4.4)
	JWTBearer         Flow = "jwt_bearer"         // an assertion for a token (RFC 7523 section 2.1)
	TokenExchange     Flow = "token_exchange"     // a token for a token (RFC 8693)
)

// How the client authenticates at the token endpoint, by the names of the IANA registry (OpenID Connect Core section
// 9, RFC 8705 section 2).
const (
	ClientSecretBasic   = "client_secret_basic"
	ClientSecretPost    = "client_secret_post"
	PrivateKeyJWT       = "private_key_jwt"
	TLSClientAuth       = "tls_client_auth"
	SelfSignedTLSClient = "self_signed_tls_client_auth"
	NoClientAuth        = "none"
)

// Whether tokens are bound to a key of ours (RFC 9449).
const (
	DPoPAuto   = ""       // where the protected resource asks for it, or the token endpoint refuses to do without
	DPoPAlways = "always" // in every session
	DPoPNever  = "never"  // in none
)

// Config says which server tokens come from, who we are to it, how we get in, and what is asked for. One of Issuer,
// Resource and Endpoints is needed; most programs set a ClientID as well. Its JSON form is the "oauth" object of the
// command-line tool's configuration file.
type Config struct {
	// Issuer is the authorization server's identifier, an https URL (http on loopback). Its metadata (RFC 8414 or
	// OpenID Connect Discovery) must say the very same.
	Issuer string `json:"issuer"`
	// Resource is the URL of the API, a protected resource. It is sent as the resource parameter (RFC 8707). Without
	// Issuer and Endpoints it also says which authorization server to ask (RFC 9728).
	Resource string `json:"resource"`
	// Endpoints are given where the server has no metadata, as GitHub.
	Endpoints Endpoints `json:"endpoints"`
	// MetadataIssuer is what the metadata calls the issuer, where that is known to differ from Issuer; "": it does not. With
	// Endpoints, it is what ID tokens and responses have to call it.
	// What is in braces stands for one path segment in ID tokens: "https://login.microsoftonline.com/{tenantid}/v2.0".
	MetadataIssuer string `json:"metadata_issuer"`
	// Origins are more origins of the server, beside those in its metadata, that a silent authentication may be
	// redirected through.
	Origins []string `json:"origins"`

	// ClientID is what the server knows this program by; "": ClientMetadataURL or a registration provides one.
	ClientID string `json:"client_id"`
	// ClientSecret makes this a confidential client; zero: a public one, unless one of the next two is set.
	ClientSecret auth.Secret `json:"client_secret"`
	// ClientKey is a private key, PEM or JWK, that the client signs assertions about itself with (RFC 7523 section 3).
	ClientKey auth.Secret `json:"client_key"`
	// ClientAssertionFile has an assertion about the client that somebody else signed, a workload's identity say. It is
	// read anew for every request, because it is replaced while the program runs.
	ClientAssertionFile string `json:"client_assertion_file"`
	// ClientAssertionAudience is whom assertions signed with ClientKey are for; "": the issuer.
	ClientAssertionAudience string `json:"client_assertion_audience"`
	// ClientAuth says how the client authenticates, by the names above; "": as what is set and the metadata say.
	// TLSClientAuth takes its certificate from the Base of silentrefresh.Config.
	ClientAuth string `json:"token_endpoint_auth_method"`
	// ClientMetadataURL is the URL of a document about this program that servers may fetch (Client ID Metadata
	// Document); it is the client_id where the server supports that and ClientID is empty.
	ClientMetadataURL string `json:"client_metadata_url"`
	// Registration is how this program introduces itself where it has no ClientID (RFC 7591).
	Registration Registration `json:"registration"`

	// Flow is how Client.Login gets the first session; "": Browser.
	Flow Flow `json:"flow"`
	// Scopes are asked for. nil: those that the API's challenge names, else those of its metadata; openid, where Issuer
	// is an OpenID provider or Endpoints have a JWKS; and offline_access where that is offered and a person logs in.
	// Empty and not nil: none.
	Scopes []string `json:"scopes"`
	// RedirectURI is one that is registered with the server. Browser needs one on loopback, "" means
	// http://127.0.0.1/callback, and port 0 or none means any free port (RFC 8252 section 7.3). Silent needs
	// one too and never fetches it. With another flow, "" means that silent authentication is not tried.
	RedirectURI string `json:"redirect_uri"`
	// Params are more parameters of the request that asks for authorization, for instance audience or acr_values: the
	// authorization request, for Device the device authorization request, and for flows without a person the token
	// request.
	Params map[string]string `json:"params"`
	// PushRequests sends authorization requests over the back channel first (RFC 9126), also to servers that offer
	// that and do not require it.
	PushRequests bool `json:"push_requests"`
	// Assertion is what JWTBearer and TokenExchange present.
	Assertion Assertion `json:"assertion"`
	// Refused are more ways in which this server refuses a refresh token for good, beside those that are understood: an
	// error code, or a status such as "409".
	Refused []string `json:"refused"`
	// DPoP is DPoPAuto, DPoPAlways or DPoPNever.
	DPoP string `json:"dpop"`
	// IDTokenAsBearer makes the ID token what API requests carry, as Kubernetes wants it.
	IDTokenAsBearer bool `json:"id_token_as_bearer"`

	// OpenBrowser opens a page for a person; nil: in the system's browser.
	OpenBrowser func(url string) error `json:"-"`
	// Prompt tells a person what to do; it is called for every login with Browser or Device. nil: it is printed on
	// standard error, with a QR code where that is a terminal.
	Prompt func(Prompt) `json:"-"`
	// Paste returns the address that a browser on another machine ended at, where no browser could be opened here. It
	// has to return when ctx ends. nil: the address is asked for on the terminal, if there is one.
	Paste func(ctx context.Context) (string, error) `json:"-"`
	// Page writes what the person's browser shows in the end; err is nil after a success. nil: a plain page.
	Page func(w http.ResponseWriter, r *http.Request, err error) `json:"-"`
	// Patience is how long Browser and Device wait for the person; 0: 5 min.
	Patience time.Duration `json:"-"`
}

// Endpoints are those of a server without metadata. Token is always needed, Authorization for Browser and Silent,
// DeviceAuthorization for Device; what else is empty is left out.
type Endpoints struct {
	Authorization       string `json:"authorization"`
	Token               string `json:"token"`
	DeviceAuthorization string `json:"device_authorization"`
	PushedAuthorization string `json:"pushed_authorization"`
	Registration        string `json:"registration"`
	Revocation          string `json:"revocation"`
	EndSession          string `json:"end_session"`
	// JWKS has the keys that ID tokens are signed with; who signs them, MetadataIssuer says.
	JWKS string `json:"jwks"`
}

// Registration is how a program introduces itself to a server that registers clients (RFC 7591 section 2).
type Registration struct {
	// ClientName is shown to people when they are asked for consent; "": silentrefresh.
	ClientName string `json:"client_name"`
	// AccessToken is the initial access token, where the server registers only those who have one.
	AccessToken auth.Secret `json:"access_token"`
	// Metadata are more fields of the request: software_statement, contacts, logo_uri, ...
	Metadata map[string]any `json:"metadata"`
}

// An Assertion is what JWTBearer and TokenExchange exchange for an access token. Set one of Token, File and Source.
type Assertion struct {
	// Token is the assertion itself.
	Token auth.Secret `json:"token"`
	// File has the assertion; it is read anew for every request, because it is replaced while the program runs.
	File string `json:"file"`
	// Source makes the assertion. It is called for every request, and may be called concurrently.
	Source func(ctx context.Context, to Audience) (auth.Secret, error) `json:"-"`
	// Type is the subject_token_type of TokenExchange; "": that of a JWT (RFC 8693 section 3).
	Type string `json:"type"`
	// RequestedType is the requested_token_type of TokenExchange; "": the server chooses.
	RequestedType string `json:"requested_type"`
}

// An Audience is whom an assertion is made for.
type Audience struct {
	Issuer        string // the authorization server, "" if it has no metadata
	TokenEndpoint string // where the assertion is sent
	Resource      string // the API that the access token is for, "" if unknown
}

// interactive reports whether the flow waits for a person.
func (f Flow) interactive() bool { return f == Browser || f == Device }

// unattended reports whether the flow needs neither a person nor anybody's cookies, so that it can be run again to
// renew a session.
func (f Flow) unattended() bool {
	return f == ClientCredentials || f == JWTBearer || f == TokenExchange
}
