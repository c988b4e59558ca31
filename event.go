package silentrefresh

import (
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
)

// EventKind says what happened.
type EventKind string

// The kinds of events.
const (
	EventLoggedIn     EventKind = "logged in"     // by Login or Credentials
	EventResumed      EventKind = "resumed"       // a session was brought, or found in the Store
	EventRenewed      EventKind = "renewed"       // a refresh gave a new token
	EventUnchanged    EventKind = "unchanged"     // a refresh succeeded without a new token: the present one lives on
	EventAdopted      EventKind = "adopted"       // another process had renewed: no network
	EventHandedOut    EventKind = "handed out"    // an API response brought a new token
	EventRejected     EventKind = "rejected"      // the API rejected the present token
	EventRetrying     EventKind = "retrying"      // a refresh failed and will be tried again at Next
	EventOver         EventKind = "over"          // only a login helps
	EventLoggedOut    EventKind = "logged out"    // by Logout
	EventNotRenewable EventKind = "not renewable" // nothing will be able to renew this session; Err says why
	EventNotSaved     EventKind = "not saved"     // the Store refused the session; it lives on in memory, saving is tried again
	EventSaved        EventKind = "saved"         // what was not saved is saved now
	EventWarning      EventKind = "warning"       // something to look at; Err says what
)

// Trigger says what asked for a refresh.
type Trigger string

// The triggers.
const (
	TriggerTimer    Trigger = "timer"    // the schedule
	TriggerRejected Trigger = "rejected" // the API rejected the token
	TriggerExpired  Trigger = "expired"  // a request came, and the token had ended or was about to
	TriggerAsked    Trigger = "asked"    // Renew, Resume or Token
	TriggerStart    Trigger = "start"    // New found a session whose token was not usable
)

// Event tells the observer what happened. It holds no secret but Response, which redacts itself.
type Event struct {
	Kind       EventKind
	Name       string        // the session's name
	Account    string        // "" if unknown
	Time       time.Time     // when, by the wall clock
	Generation uint64        // the token published last in this process
	Trigger    Trigger       // what asked for it, "" if nothing did
	Refresh    uint64        // which refresh of this process led to it; 0 if none did
	Took       time.Duration // how long the login or the refresh took, 0 where another process had made it
	Expires    time.Time     // when the token ends, zero if unknown
	Next       time.Time     // the next refresh or attempt, zero if none is scheduled
	Attempt    int           // for retrying: attempts that failed so far
	Err        error         // why, nil if all is well
	Response   auth.Response // what the auth server's response carried beside the token
}

// A Wait is how a caller waits for a token: a request, or whoever calls Token.
type Wait struct {
	Name    string        // the session's name
	Trigger Trigger       // TriggerExpired, or TriggerRejected
	Refresh uint64        // which refresh of this process was waited for last; 0 if none was, in a backoff say
	Took    time.Duration // how long
	Err     error         // why there is no token; nil if there is one
}
