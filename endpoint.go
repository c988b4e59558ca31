package silentrefresh

import (
	"net/url"

	"github.com/golang-jwt/jwt/v5"
)

// Endpoint is the Exchanger for servers with plain HTTP endpoints for login, refresh and logout. Its fields are
// independent choices; the zero value suits a server that has POST /auth/login, /auth/refresh and /auth/logout,
// speaks JSON and keeps the refresh token in a cookie. It must not be changed after New.
type Endpoint struct {
	// Login, Refresh and Logout are the calls. The zero value is POST with JSON to /auth/login, /auth/refresh
	// and /auth/logout.
	Login   Call `json:"login"`
	Refresh Call `json:"refresh"`
	Logout  Call `json:"logout"`
	// CSRF says how to satisfy a protection against cross-site request forgery.
	CSRF CSRF `json:"csrf"`
	// AccessToken says where answers have the access token; zero: in JSON, under one of the usual names.
	AccessToken AccessTokenAt `json:"access_token"`
	// RefreshToken says where answers have the refresh token, where it is not a cookie.
	RefreshToken RefreshTokenAt `json:"refresh_token"`
	// Verify, if set, finds the key to check each access token's signature with, as golang-jwt calls it. An
	// access token that does not verify is refused, with an error.
	Verify jwt.Keyfunc `json:"-"`
	// Issuer, if set, is what the iss claim of each access token must be.
	Issuer string `json:"issuer,omitempty"`

	base *url.URL // Config.BaseURL, set by New on its copy
}

// A Call is one endpoint: where it is, and what the request carries. Zero fields have the usual meaning.
type Call struct {
	// Method is the HTTP method; "": POST.
	Method string `json:"method"`
	// URL is a path below the origin of Config.BaseURL, or an absolute URL. "-": the server has no such
	// endpoint. "": the usual path.
	URL string `json:"url"`
	// Encoding of the body: "json" or "form"; "": json. A call without fields has no body.
	Encoding string `json:"encoding"`
	// Headers are fixed header fields (Origin, Referer, an API key).
	Headers map[string]string `json:"headers"`
	// Fields are fixed fields of the body; for GET and DELETE, of the query.
	Fields map[string]any `json:"fields"`
	// RefreshTokenField names the field that carries the refresh token, where it is not a cookie.
	RefreshTokenField string `json:"refresh_token_field"`
	// SendAccessToken sends the old access token along: "": no; "header": as API requests carry it; else the
	// name of the field that carries it.
	SendAccessToken string `json:"send_access_token"`
	// RefusedStatus lists statuses that refuse the credential for good, beside the usual ones.
	RefusedStatus []int `json:"refused_status"`
}

// CSRF says where a token against cross-site request forgery comes from and which header shows it. Of the
// sources, set one; the zero value does nothing. A token that never changes is a fixed header of each Call.
type CSRF struct {
	// Cookie is the cookie whose value is shown ("double submit").
	Cookie string `json:"cookie"`
	// Header is the request header that shows the token; "": X-CSRF-Token.
	Header string `json:"header"`
	// AnswerHeader is a header of earlier answers that gives the token.
	AnswerHeader string `json:"answer_header"`
	// AnswerJSON is the dotted path to the token in earlier answers.
	AnswerJSON string `json:"answer_json"`
	// URL is fetched first with GET where no token is known yet.
	URL string `json:"url"`
}

// AccessTokenAt says where answers have the access token. Zero: in JSON, under one of the usual names
// (accessToken, access_token, token, access, jwt).
type AccessTokenAt struct {
	// JSON is the dotted path to the token, for instance "data.token".
	JSON string `json:"json"`
	// Header is a response header that has it, with or without a scheme.
	Header string `json:"header"`
	// Cookie is the cookie that is the access token: API requests carry that cookie.
	Cookie string `json:"cookie"`
	// ExpiresJSON is the dotted path to its end or lifetime; "": the usual names.
	ExpiresJSON string `json:"expires_json"`
}

// RefreshTokenAt says where answers have the refresh token.
type RefreshTokenAt struct {
	// JSON is the dotted path to it; "": the usual names (refreshToken, refresh_token, refresh).
	JSON string `json:"json"`
}
