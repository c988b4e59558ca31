package silentrefresh

import "github.com/silentrefresh/silentrefresh/auth"

// carriedForward is s with what it leaves out and old has.
func carriedForward(s, old auth.Session) auth.Session {
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
	if s.CSRF.IsZero() {
		s.CSRF = old.CSRF
	}
	if s.Extra.IsZero() {
		s.Extra = old.Extra
	}
	return s
}
