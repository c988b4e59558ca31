package auth

import "time"

// Timeouts are lifetimes from the configuration, for servers whose responses do not say how long their sessions live.
// A zero field is unknown.
type Timeouts struct {
	// Token is how long an access token lives, counted from when it was asked for.
	Token time.Duration
	// Idle is how long a session lives after its last use, which is any request that the server does not reject.
	Idle time.Duration
	// Absolute is how long a session lives after its login, whatever is done with it.
	Absolute time.Duration
}

// LoggedIn returns s, which a login has just brought, or a person, with the ends that t gives it.
func (t Timeouts) LoggedIn(s Session) Session {
	if t.Absolute > 0 && s.Limit.IsZero() {
		s.Limit = s.Issued.Add(t.Absolute)
	}
	if t.Token > 0 && !s.AccessToken.IsZero() {
		s.Expires = Earlier(s.Expires, s.Issued.Add(t.Token))
	}
	return t.Used(s, s.Issued)
}

// Used returns s as it is after a use at now: where an idle timeout ends it, that counts anew.
func (t Timeouts) Used(s Session, now time.Time) Session {
	if t.Idle > 0 {
		s.Ends = now.Add(t.Idle)
	}
	if !s.Ends.IsZero() {
		s.Ends = Earlier(s.Ends, s.Limit)
	}
	if !s.Expires.IsZero() {
		s.Expires = Earlier(s.Expires, s.Limit)
	}
	return s
}

// Earlier is the earlier of two ends, of which either may be unknown, that is zero.
func Earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
