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
	// Kind says which of the two below counts: Credentials for Login, Old for Refresh and Logout.
	Kind Kind
	// Credentials are what was given to Client.Login, or what Config.Credentials returned.
	Credentials any
	// Old is the session to exchange.
	Old Session
}

// An Exchanger exchanges one session for the next. Package endpoint has the one for servers with plain
// HTTP endpoints.
//
// A Client never runs two exchanges of one session at a time. hc carries the cookies of Grant.Old in its jar,
// follows no redirect to another origin, retries nothing and does not refresh by itself; cookies that it receives
// become part of the new session.
//
// What the new Session leaves out (RefreshToken, Subject, Account, Ends, CSRF, Extra) is carried forward from
// Grant.Old. A new Session without AccessToken says that the present one lives on. A Session returned together
// with an error is kept for its credential alone: the server had rotated it before things went wrong.
//
// An Exchanger says with an *auth.Error what a failure means; without one it is taken for transient. Logout
// returns the zero Session.
//
// What else an Exchanger may be able to do stands in interfaces of its own: RenewalChecker, TokenChecker,
// InteractiveExchanger, AccessTokenUser, LogoutTokenUser, CookieAuthenticator, TimeoutKeeper.
type Exchanger interface {
	Exchange(ctx context.Context, hc *http.Client, g Grant) (Session, error)
}
