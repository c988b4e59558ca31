package auth

import (
	"time"
)

// A Session is what one login gave: tokens, cookies, and what is known about them. It is a value: exchanging it for
// the next one makes a new Session and leaves the old one as it was. It prints without its secrets.
type Session struct {
	// AccessToken is what API requests carry. Zero before the first refresh of a login that gives none.
	AccessToken Secret
	// RefreshToken renews the access token (RFC 6749 section 1.5), where it does not travel as a cookie.
	RefreshToken Secret
	// Cookies are the auth server's, with all their attributes. A caller who brings a cookie may leave Domain
	// and Path empty: the host of Config.BaseURL and "/" are meant. The Client fills them in after an exchange.
	Cookies []Cookie
	// Subject identifies the account within the auth server (the sub claim of RFC 7519), "" if unknown.
	Subject string
	// Account is the account's name for people, settled at login: "" if unknown.
	Account string
	// Issued is when the request was sent that brought the access token, by this machine's clock.
	Issued time.Time
	// Expires is when the access token ends, by this machine's clock; zero if unknown: it is then used until it is
	// rejected, or for Config.MaxAge. A monotonic reading (time.Now().Add) makes Expires independent of changes to the
	// wall clock.
	Expires time.Time
	// Ends is when the session itself ends unless it is renewed before, or used, where an idle timeout is all that ends
	// it (Timeouts.Idle); zero if unknown.
	Ends time.Time
	// Limit is when the session ends whatever is done with it, so that only a login helps; zero if unknown. Expires and
	// Ends are never later.
	Limit time.Time
	// CSRF is a token that the next auth call has to show, where an earlier response gave one.
	CSRF Secret
	// Extra is a few bytes of the Exchanger's own.
	Extra Secret
	// Response is the document of the response that made this session. It goes to the observer and is not kept with
	// the session.
	Response Response
}

// CarryForward returns s with what it leaves out and old has, as a Client completes the outcome of an exchange.
func (s Session) CarryForward(old Session) Session {
	if s.RefreshToken.IsZero() {
		s.RefreshToken = old.RefreshToken
	}
	if s.Subject == "" {
		s.Subject = old.Subject
	}
	if old.Account != "" {
		s.Account = old.Account // settled at login
	}
	if s.Ends.IsZero() {
		s.Ends = old.Ends
	}
	if s.Limit.IsZero() {
		s.Limit = old.Limit
	}
	if s.CSRF.IsZero() {
		s.CSRF = old.CSRF
	}
	if s.Extra.IsZero() {
		s.Extra = old.Extra
	}
	return s
}
