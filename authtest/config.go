package authtest

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"
)

// The account that every server has unless Config.Users names others.
const (
	DefaultEmail    = "ada@example.com"
	DefaultPassword = "correct horse"
)

// A Place says where something travels.
type Place string

// The places. Which of them a setting allows is said there.
const (
	InJSON   Place = "json"   // a field of the JSON document
	InHeader Place = "header" // a header field
	InCookie Place = "cookie" // an HttpOnly cookie
	InAccess Place = "access" // nowhere: the access token itself, while it is valid, is what renews it
)

// Config says what kind of server to be. The zero value is a strict one: JSON Web Tokens of 15 minutes in the JSON
// document, a refresh token in an HttpOnly cookie of 7 days that can be used once, and no mercy for using it twice.
type Config struct {
	// AccessTTL is how long an access token is valid. 0: 15 minutes. If it is not whole seconds, neither are the
	// token's claims and expiresIn; some readers cut the rest off.
	AccessTTL time.Duration
	// RefreshTTL is how long a refresh token is valid; every rotation starts anew. 0: 7 days.
	RefreshTTL time.Duration
	// Grace is how long a spent refresh token may be presented again, as long as its successor is unused: the
	// response then has that successor. 0: never, it is reuse and ends the session (RFC 9700 section 4.14.2).
	Grace time.Duration
	// Reusable refresh tokens are not rotated; responses to a refresh do not have one.
	Reusable bool

	// Opaque access tokens are random strings and not JSON Web Tokens.
	Opaque bool
	// TokenIn is where responses have the access token: InJSON, InHeader or InCookie. "": InJSON.
	TokenIn Place
	// TokenName is the name of that field, header or cookie. "": accessToken, X-Access-Token or access_token.
	TokenName string
	// RefreshIn is where the refresh token travels: InCookie, InJSON or InAccess. "": InCookie. InJSON takes a
	// form as well.
	RefreshIn Place
	// RefreshName is the name of that cookie or field. "": refresh_token or refreshToken.
	RefreshName string
	// Secure marks cookies Secure without TLS too. Browsers take a loopback address for safe and send such
	// cookies there; net/http/cookiejar does not. With TLS every cookie is Secure.
	Secure bool
	// TokenAtRefresh says whether a refresh has to carry the session's latest access token, valid or not, as API
	// requests carry it.
	TokenAtRefresh Need

	// NoLoginToken leaves the access token out of the response to a login: the first refresh gives it.
	NoLoginToken bool
	// NoExpiresIn leaves the lifetime out of responses.
	NoExpiresIn bool
	// Reshape, if set, turns the JSON document of a response to a login or a refresh into the one that is sent,
	// to rename or nest its fields. It may change and return its argument. It is called concurrently.
	Reshape func(map[string]any) any

	// Header is the request header in which the API expects the access token. "": Authorization. It does not
	// matter where TokenIn is InCookie.
	Header string
	// Scheme comes before the token in that header. "": Bearer in Authorization, none in another header.
	Scheme string
	// Bare means that no scheme does.
	Bare bool
	// RejectStatus is the status of the response to a token which is expired, revoked or unknown. 0: 401. No token at
	// all always gets a 401.
	RejectStatus int
	// RejectBytes is the size of the body of such a response. 0: a short one.
	RejectBytes int
	// RefuseStatus is the status of the response to a refresh token which is expired, revoked or unknown. 0: 401.
	RefuseStatus int
	// HandOut names a header of API responses that hands out a new access token, once the one that the request
	// carried has lived half its life. "": none.
	HandOut string

	// CSRF asks for a double submit at refresh and logout, and for unsafe methods of the API where TokenIn is
	// InCookie: the cookie csrf_token repeated in the header X-CSRF-Token.
	CSRF bool
	// RateLimit is how many refreshes are let through within RateWindow; 429 and Retry-After are the response to the rest.
	// 0: no limit.
	RateLimit int
	// RateWindow is the time of RateLimit. 0: one minute.
	RateWindow time.Duration

	// Skew is how far the server's clock is ahead of this machine's, or behind if it is negative: in the Date
	// header and in the claims of tokens.
	Skew time.Duration
	// RefreshDelay is how long a refresh takes, from the rotation to the response.
	RefreshDelay time.Duration
	// APIDelay is how long an API request takes. Its token is checked when it arrives.
	APIDelay time.Duration

	// Users are the accounts: passwords by email address. nil: DefaultEmail with DefaultPassword.
	Users map[string]string
	// API, if set, responds to requests that carry a valid token, in place of the built-in API.
	API http.Handler
	// Buttons serves the buttons under /_test/, for programs that cannot call them: to anybody who can reach the
	// server. See Server.
	Buttons bool

	// Addr is the address to listen on. "": a free port of 127.0.0.1.
	Addr string
	// InMemory listens on a network in memory: only Transport reaches the server. In a testing/synctest bubble every
	// server does.
	InMemory bool
	// TLS serves https, with a certificate that Transport trusts.
	TLS bool
	// HTTP2 serves HTTP/2 beside HTTP/1.1, and makes Transport use it, without TLS too.
	HTTP2 bool
	// AuthApart serves login, refresh and logout at an address of their own, AuthURL.
	AuthApart bool
}

// A Need says whether something has to be there.
type Need string

// The needs. The zero value does not care.
const (
	Needed    Need = "needed"
	Forbidden Need = "forbidden"
)

// complete puts the usual values in place of zero ones.
func (c Config) complete() Config {
	c.AccessTTL = cmp.Or(c.AccessTTL, 15*time.Minute)
	c.RefreshTTL = cmp.Or(c.RefreshTTL, 7*24*time.Hour)
	c.RateWindow = cmp.Or(c.RateWindow, time.Minute)
	c.TokenIn = cmp.Or(c.TokenIn, InJSON)
	c.TokenName = cmp.Or(c.TokenName, map[Place]string{
		InJSON: "accessToken", InHeader: "X-Access-Token", InCookie: "access_token",
	}[c.TokenIn])
	c.RefreshIn = cmp.Or(c.RefreshIn, InCookie)
	c.RefreshName = cmp.Or(c.RefreshName, map[Place]string{
		InCookie: "refresh_token", InJSON: "refreshToken",
	}[c.RefreshIn])
	c.Header = http.CanonicalHeaderKey(cmp.Or(c.Header, "Authorization"))
	if c.Header == "Authorization" && !c.Bare {
		c.Scheme = cmp.Or(c.Scheme, "Bearer")
	}
	c.RejectStatus = cmp.Or(c.RejectStatus, http.StatusUnauthorized)
	c.RefuseStatus = cmp.Or(c.RefuseStatus, http.StatusUnauthorized)
	c.Users = maps.Clone(c.Users)
	if c.Users == nil {
		c.Users = map[string]string{DefaultEmail: DefaultPassword}
	}
	return c
}

// check returns every mistake in c, which is complete.
func (c Config) check() error {
	var m mistakes
	m.durations(c)
	m.places(c)
	m.note(c.Bare && c.Scheme != "", "Bare and Scheme exclude each other")
	m.note(c.RateLimit < 0, "RateLimit is negative: %d", c.RateLimit)
	m.note(c.RejectBytes < 0, "RejectBytes is negative: %d", c.RejectBytes)
	m.status("RejectStatus", c.RejectStatus)
	m.status("RefuseStatus", c.RefuseStatus)
	return errors.Join(m...)
}

// mistakes are what is wrong with a Config.
type mistakes []error

func (m *mistakes) note(wrong bool, format string, args ...any) {
	if wrong {
		*m = append(*m, fmt.Errorf("authtest: Config."+format, args...))
	}
}

func (m *mistakes) durations(c Config) {
	for _, d := range []struct {
		name string
		d    time.Duration
	}{
		{"AccessTTL", c.AccessTTL},
		{"RefreshTTL", c.RefreshTTL},
		{"Grace", c.Grace},
		{"RateWindow", c.RateWindow},
		{"RefreshDelay", c.RefreshDelay},
		{"APIDelay", c.APIDelay},
	} {
		m.note(d.d < 0, "%s is negative: %v", d.name, d.d)
	}
}

func (m *mistakes) places(c Config) {
	m.note(c.TokenIn != InJSON && c.TokenIn != InHeader && c.TokenIn != InCookie,
		"TokenIn is %q: use json, header or cookie", c.TokenIn)
	m.note(c.RefreshIn != InCookie && c.RefreshIn != InJSON && c.RefreshIn != InAccess,
		"RefreshIn is %q: use cookie, json or access", c.RefreshIn)
	m.note(c.TokenAtRefresh != "" && c.TokenAtRefresh != Needed && c.TokenAtRefresh != Forbidden,
		"TokenAtRefresh is %q: use needed or forbidden, or leave it empty", c.TokenAtRefresh)
	m.note(c.RefreshIn == InAccess && c.TokenAtRefresh == Forbidden,
		"RefreshIn is access, so TokenAtRefresh cannot be forbidden")
	m.note(c.RefreshIn == InAccess && c.NoLoginToken,
		"RefreshIn is access, so with NoLoginToken nobody could ever refresh")
}

func (m *mistakes) status(name string, status int) {
	m.note(status < 400 || status > 599, "%s is %d: use a status from 400 to 599", name, status)
}
