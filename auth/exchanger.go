package auth

import (
	"context"
	"net/http"
)

// Kind is what an exchange is for.
type Kind string

// String returns the word.
func (k Kind) String() string { return string(k) }

// The kinds of exchanges.
const (
	KindLogin   Kind = "login"
	KindRefresh Kind = "refresh"
	KindLogout  Kind = "logout"
)

// A Grant is what is to be exchanged for the next session.
type Grant struct {
	// Kind says which of the two below counts: Credentials for KindLogin, Old for KindRefresh and KindLogout.
	Kind Kind
	// Credentials are what was given to Client.Login, or what Config.Credentials returned.
	Credentials any
	// Old is the session to exchange.
	Old Session
}

// An Exchanger exchanges one session for the next. Package endpoint has the one for servers with plain
// HTTP endpoints.
//
// A Client never runs two refreshes of one session at a time. Exchanges of different sessions, those of Forks, run
// concurrently. ctx ends with Config.Timeout at the latest, or, if a login is interactive, with the caller's. hc carries
// the cookies of Grant.Old in its jar, follows no redirect to another origin, retries nothing and does not refresh by
// itself; cookies that it receives become part of the new session.
//
// Expires and Subject are for the Exchanger to set: a Client does not look for them in a token that an exchange brings.
// Issued may stay zero: when the Exchanger was called is meant. What the new Session leaves out (RefreshToken, Subject, Account, Ends,
// Limit, CSRF, Extra) is carried forward from Grant.Old. A new Session without AccessToken says that the present one
// lives on. A Session returned together with an error is kept for its credential alone: the server had rotated it before
// things went wrong.
//
// An Exchanger says with an *Error what a failure means; any other error is taken for transient. For KindLogout it
// returns the zero Session.
//
// What else an Exchanger may be able to do stands in interfaces of its own: RenewalChecker, TokenChecker, SubjectReader,
// InteractiveExchanger, AccessTokenUser, LogoutTokenUser, CookieAuthenticator, TimeoutKeeper, RequestSigner.
type Exchanger interface {
	Exchange(ctx context.Context, hc *http.Client, g Grant) (Session, error)
}
