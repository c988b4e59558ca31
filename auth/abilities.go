package auth

import (
	"net/http"
	"net/url"
)

// What follows are optional abilities of an Exchanger, whose methods may be called concurrently. A type that has one says
// so at compile time, so that a misspelt method does not go unnoticed:
//
//	var _ auth.RenewalChecker = (*Exchanger)(nil)

// A RenewalChecker says right after a login whether anything will be able to renew the session. Without it, every
// session is taken to be renewable.
type RenewalChecker interface {
	// CheckRenewable returns nil where a refresh with s may succeed, and otherwise an error that wraps
	// ErrNotRenewable and says what is missing.
	CheckRenewable(s Session) error
}

// A TokenChecker judges access tokens that did not come from an exchange: what a caller brings to Client.Resume, or what
// an API response hands out.
type TokenChecker interface {
	// CheckToken returns why the token must not be used, or nil.
	CheckToken(token Secret) error
}

// A SubjectReader says whose an access token is that did not come from an exchange. Without it, the sub claim of a JWT
// says so.
type SubjectReader interface {
	// ReadSubject returns what identifies the token's account, as Session.Subject has it; "": unknown.
	ReadSubject(token Secret) string
}

// An InteractiveExchanger may wait for a person. Its logins are bounded by the caller's context alone, and not by the
// deadline that other exchanges have.
type InteractiveExchanger interface {
	// Interactive reports whether a login may wait for a person.
	Interactive() bool
}

// An AccessTokenUser presents the old access token when it refreshes, so that a session without it cannot be renewed.
type AccessTokenUser interface {
	// RefreshNeedsAccessToken reports whether a refresh needs it.
	RefreshNeedsAccessToken() bool
}

// A CookieAuthenticator is for servers whose access token is a cookie: API requests carry that cookie, and no header.
type CookieAuthenticator interface {
	// TokenCookie names the cookie that is the access token; "": a header carries the token after all.
	TokenCookie() string
	// SendsCookie reports whether API requests carry the cookie of that name, too: the other half of a double submit.
	SendsCookie(name string) bool
	// CSRFHeader is the header that shows a token against cross-site request forgery to the API at u, "" if there is
	// none to show. jar holds the cookies of s.
	CSRFHeader(jar http.CookieJar, u *url.URL, s Session) (name, value string)
}

// A LogoutTokenUser presents the access token when it logs out. A token that has ended would be rejected there, and
// nothing revoked: a Client refreshes first where it has to.
type LogoutTokenUser interface {
	// LogoutNeedsAccessToken reports whether a logout needs a token that is alive.
	LogoutNeedsAccessToken() bool
}

// A TimeoutKeeper knows how long sessions live where no response says so. A Client asks it about sessions that no
// exchange has brought, and counts an idle timeout anew with each API request.
type TimeoutKeeper interface {
	// Timeouts returns the lifetimes that the configuration names.
	Timeouts() Timeouts
}

// A RequestSigner proves with each API request that the access token is in the hands of the client that it was given to
// (DPoP, RFC 9449). Its methods are called on the request path, concurrently.
type RequestSigner interface {
	// SignsRequests reports whether requests with s are to be signed. It is asked once for each new session, so that
	// the requests of others stay as they are.
	SignsRequests(s Session) bool
	// SignRequest sets on req, a copy that is about to be sent with the access token of s, what proves possession of
	// it. It may replace the header that carries the token. It is called anew for every attempt.
	SignRequest(req *http.Request, s Session) error
	// ReadSigned reads the header of the response to a signed request. It reports whether the request was denied for
	// its signature alone, so that the same request, signed anew, may pass: once, and without a refresh.
	ReadSigned(resp *http.Response, s Session) (again bool)
}
