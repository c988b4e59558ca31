package endpoint

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"github.com/golang-jwt/jwt/v5"
	"github.com/silentrefresh/silentrefresh/auth"
)

// Settings say how a server with plain HTTP endpoints for login, refresh and logout is talked to. The fields are
// independent choices; the zero value suits a server that has POST /auth/login, /auth/refresh and /auth/logout,
// speaks JSON and keeps the refresh token in a cookie. Errors and their hints name a field as the JSON form does:
// Login.URL is "login.url". Bind and silentrefresh.New do not copy the maps and slices in Settings, which must not be
// changed afterwards.
type Settings struct {
	// Login, Refresh and Logout are the calls. The zero value is POST with JSON to /auth/login, /auth/refresh
	// and /auth/logout.
	Login   Call `json:"login"`
	Refresh Call `json:"refresh"`
	Logout  Call `json:"logout"`
	// CSRF says how to satisfy a protection against cross-site request forgery.
	CSRF CSRF `json:"csrf"`
	// AccessToken says where responses have the access token; zero: in JSON, under one of the usual names.
	AccessToken AccessTokenAt `json:"access_token"`
	// RefreshToken says where responses have the refresh token, where it is not a cookie.
	RefreshToken RefreshTokenAt `json:"refresh_token"`
	// Account says what names the account, where the usual claims and fields do not, or change.
	Account AccountAt `json:"account"`
	// Session says how long a session lives, where responses do not.
	Session SessionTimeouts `json:"session"`
	// Verify finds the key to check each access token's signature with, as golang-jwt calls it, concurrently; nil: none is
	// checked. An access token that does not verify is not taken, and the exchange fails. Its times are not looked at:
	// this machine's clock may be wrong.
	Verify jwt.Keyfunc `json:"-"`
	// Issuer is what the iss claim (RFC 7519 section 4.1.1) of each access token must be; "": anything.
	Issuer string `json:"issuer,omitempty"`
}

// Format writes the three calls for every verb, as Call.Format does.
func (s Settings) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "{%v %v %v}", s.Login, s.Refresh, s.Logout)
}

// LogValue is Format, for log/slog.
func (s Settings) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(s)) }

// A Call is one endpoint: where it is, and what the request carries. Zero fields have the usual meaning.
type Call struct {
	// Method is GET, POST, PUT, PATCH or DELETE; "": POST.
	Method string `json:"method"`
	// URL is a path that begins with a slash and counts from the origin of Config.BaseURL, a path without a
	// slash that counts from the whole of Config.BaseURL, or an absolute URL. Its query is kept. "-": the server
	// has no such endpoint. "": the usual path.
	URL string `json:"url"`
	// Encoding of the body: "json" or "form"; "": json. A call without fields has no body.
	Encoding string `json:"encoding"`
	// Headers are fixed header fields (Origin, Referer, an API key).
	Headers map[string]string `json:"headers"`
	// Fields are fixed fields of the body; for GET, of the query. Credentials go over them, nested objects member by
	// member. An empty map that is not nil sends an empty object.
	Fields map[string]any `json:"fields"`
	// RefreshTokenField names the field that carries the refresh token, where it is not a cookie. Refresh and Logout each
	// name their own. In JSON a dotted name makes nested objects ("variables.token").
	RefreshTokenField string `json:"refresh_token_field"`
	// RefreshTokenHeader names the header that carries the refresh token, where neither a cookie nor a field
	// does: in Authorization with the scheme Bearer, in any other header bare.
	RefreshTokenHeader string `json:"refresh_token_header"`
	// AccessTokenField names the field that carries the old access token, where the server wants it, too. In JSON a
	// dotted name makes nested objects.
	AccessTokenField string `json:"access_token_field"`
	// AccessTokenHeader names the header that carries the old access token: in the header that API requests use for it
	// as they do, in Authorization with the scheme Bearer, in any other header bare.
	AccessTokenHeader string `json:"access_token_header"`
	// Refused are rules by which a response refuses the credential for good, where it does so in words that are not
	// understood: a refresh then ends the session, and a login had the wrong credentials. Logout has none.
	Refused RefusedRules `json:"refused"`
	// AcceptedStatus lists the statuses of success, redirects among them, which are then not followed; none: 2xx.
	AcceptedStatus []int `json:"accepted_status"`
	// Touch is for a refresh that renews the session by being made, as any request to the server would: a GET of a
	// page, or a call that moves the session's end. Success alone says that the session lives on; the response may bring
	// a later end or a new cookie, and need not. Only a refresh can be a touch.
	Touch bool `json:"touch"`
	// First is a call that is made before this one, for its cookies and for what Take names. It is a GET unless it says
	// otherwise.
	First *Call `json:"first"`
	// Take names values in the response of a call that is the First of another. The other uses them, and the names
	// access_token, refresh_token and csrf_token, in braces: anywhere in its URL and Headers, and in Fields as the whole
	// of a string. In a login the credentials can be used likewise, and are then not sent as fields.
	Take map[string]ValueAt `json:"take"`

	kind    auth.Kind       // what the call is for
	setting string          // its name in the configuration file, "login.first" say
	target  *url.URL        // URL, resolved, with x for each value in braces; nil if there is no such endpoint
	filled  bool            // values in braces have been put into it
	uses    map[string]bool // the values in braces that it and its First want
}

// ValueAt says where a response has a value. Exactly one of the fields has to be set.
type ValueAt struct {
	// JSON is a dotted path.
	JSON string `json:"json"`
	// Header is a response header.
	Header string `json:"header"`
	// Cookie is a cookie that the response sets, percent-decoded.
	Cookie string `json:"cookie"`
	// Field is a form field of a page, mostly a hidden one: its value is meant.
	Field string `json:"field"`
	// Meta is the name of a meta element of a page: its content is meant.
	Meta string `json:"meta"`
}

// Format writes method and URL without its query for every verb: fixed headers and fields may hold an API key.
func (c Call) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "{%s %s}", cmp.Or(c.Method, "POST"), withoutQuery(c.URL))
}

func withoutQuery(ref string) string {
	path, _, _ := strings.Cut(ref, "?")
	return path
}

// LogValue is Format, for log/slog.
func (c Call) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// CSRF says where a token against cross-site request forgery comes from and which header shows it. Of the
// sources, set one; the zero value does nothing. A token that never changes is a fixed header of each Call.
type CSRF struct {
	// Cookie is the cookie whose value is shown ("double submit"), percent-decoded as browsers' scripts do.
	Cookie string `json:"cookie"`
	// APICookie is the cookie that API requests show, where it is another one than auth calls show; "": Cookie.
	APICookie string `json:"api_cookie"`
	// Header is the request header that shows the token; "": X-CSRF-Token.
	Header string `json:"header"`
	// ResponseHeader is a header of earlier responses that gives the token.
	ResponseHeader string `json:"response_header"`
	// ResponseJSON is the dotted path to the token in earlier responses.
	ResponseJSON string `json:"response_json"`
	// ResponseField is the hidden form field that has the token in pages.
	ResponseField string `json:"response_field"`
	// ResponseMeta is the name of the meta element that has the token in pages.
	ResponseMeta string `json:"response_meta"`
	// Field is a field of the body that shows the token as well, in auth calls.
	Field string `json:"field"`
	// URL is fetched first with GET where no token is known yet, again where the one that is known is refused, and
	// after a login that changed the session's cookies: the token is then another one. It may be a page, which auth
	// calls then name in their Referer.
	URL string `json:"url"`

	target *url.URL
}

// AccessTokenAt says where responses have the access token. Zero: in JSON, under one of the usual names
// (accessToken, access_token, token, access, jwt), at the top or nested. Upper and lower case, underscores and
// hyphens make no difference.
type AccessTokenAt struct {
	// JSON is the dotted path to the token, for instance "data.token".
	JSON string `json:"json"`
	// Header is a response header that has it, with or without a scheme.
	Header string `json:"header"`
	// Cookie is the cookie that is the access token, or that names a session of the server's: API requests carry that
	// cookie, whatever its Path.
	Cookie string `json:"cookie"`
	// ExpiresJSON is the dotted path to its end or lifetime; "": the usual names. A number is a lifetime in
	// seconds, above 5e8 a Unix time in seconds, above 1e11 one in milliseconds; a string may also be a time
	// (RFC 3339 and others) or a duration ("15m", "7d", "PT15M").
	ExpiresJSON string `json:"expires_json"`
	// ExpiresUnit is what such a number counts: "ms", "s", "m", "h" or "d"; "": what the end of the field's name
	// says (expires_in_ms), or else what ExpiresJSON says above.
	ExpiresUnit string `json:"expires_unit"`
	// Lifetime is how long the token lives at most, counted from the login or refresh that brought it, or the touch that
	// extended it; 0: as long as responses say.
	Lifetime Duration `json:"lifetime"`
}

// AccountAt says what names the account that a session belongs to. A refresh that brings the token of another account ends
// the session, so that what identifies the account must not change while it exists.
type AccountAt struct {
	// Claim is the claim of the access token, a JWT, that identifies the account; in an object of the token it is a dotted
	// path. "": sub (RFC 7519 section 4.1.2), unless JSON is set; "-": none does.
	Claim string `json:"claim"`
	// JSON is the dotted path, in the responses to a login and a refresh, to what identifies the account. Where a response
	// does not have it, Claim is looked for.
	JSON string `json:"json"`
	// Name is the dotted path, in a response or else in the access token, to what the account is called for people, in
	// Session.Account; "": the usual names (email, username, name), at the top or in the user's object.
	Name string `json:"name"`
}

// SessionTimeouts are the two ways in which a session ends by itself. Zero fields are unknown.
type SessionTimeouts struct {
	// IdleTimeout is how long the session lives after its last use. A refresh, a touch and every API request that is not
	// rejected are uses.
	IdleTimeout Duration `json:"idle_timeout"`
	// AbsoluteTimeout is how long the session lives after the login, whatever is done with it.
	AbsoluteTimeout Duration `json:"absolute_timeout"`
}

// RefreshTokenAt says where responses have the refresh token.
type RefreshTokenAt struct {
	// JSON is the dotted path to it; "": the usual names (refreshToken, refresh_token, refresh).
	JSON string `json:"json"`
	// Header is a response header that has it, with or without a scheme.
	Header string `json:"header"`
}
