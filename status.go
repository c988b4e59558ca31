package silentrefresh

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
)

// State says how a session stands.
type State string

// The states.
const (
	StateNone        State = "no session"  // nobody has logged in, somebody has logged out, or the Store cannot be read
	StateLoggedIn    State = "logged in"   // there is a usable token
	StateOffline     State = "offline"     // there is none right now, and a refresh can bring one
	StateInterrupted State = "interrupted" // the response to a spent credential was lost; it is presented once more
	StateUnclear     State = "unclear"     // the auth server refuses in words that are not understood; it is asked once an hour
	StateOver        State = "over"        // only a login helps
	StateClosed      State = "closed"      // Close was called
)

// Healthy reports whether requests can be expected to succeed as far as it depends on this process: a session
// without a usable token that can be renewed is healthy, also while the auth server is away.
func (s State) Healthy() bool { return s == StateLoggedIn || s == StateOffline }

// Status is a snapshot of a session, safe to print: it holds no secret.
type Status struct {
	State       State     `json:"state"`
	Name        string    `json:"session"`
	Account     string    `json:"account,omitempty"`
	Generation  uint64    `json:"generation"`            // counts the tokens of this process
	Version     uint64    `json:"version,omitempty"`     // counts the saves of the record
	Issued      time.Time `json:"issued,omitzero"`       // when the token was asked for
	Expires     time.Time `json:"expires,omitzero"`      // when the token ends; zero if unknown
	NextRefresh time.Time `json:"next_refresh,omitzero"` // zero if none is scheduled
	SessionEnds time.Time `json:"session_ends,omitzero"` // unless it is renewed before; zero if unknown
	Renewable   bool      `json:"renewable"`             // something will be able to renew it
	Saved       bool      `json:"saved"`                 // false while the Store lacks the newest session
	Err         error     `json:"-"`                     // the last failure, or why the session is over; nil if all is well
	Stats       Stats     `json:"stats"`

	EventsWaiting int `json:"events_waiting"` // that the observer is yet to be told, or is being told
}

// Stats counts since New or Fork.
type Stats struct {
	Refreshes     uint64        `json:"refreshes"`       // exchanges that succeeded, logins by Credentials among them
	Failures      uint64        `json:"failures"`        // exchanges that did not
	Adopted       uint64        `json:"adopted"`         // sessions taken over from another process
	Replays       uint64        `json:"replays"`         // requests that were sent again with a newer token
	Waited        uint64        `json:"waited"`          // requests that waited for a token
	LongestWait   time.Duration `json:"longest_wait_ns"` // of those, in nanoseconds
	EventsDropped uint64        `json:"events_dropped"`  // because the observer was slow
}

// counters are Stats while they are counted. None is touched by a request that finds a usable token.
type counters struct {
	refreshes, failures, adopted, replays, waited atomic.Uint64
	longest                                       atomic.Int64
}

func (n *counters) stats() Stats {
	return Stats{
		Refreshes: n.refreshes.Load(), Failures: n.failures.Load(), Adopted: n.adopted.Load(), Replays: n.replays.Load(),
		Waited: n.waited.Load(), LongestWait: time.Duration(n.longest.Load()),
	}
}

func (n *counters) waitedFor(d time.Duration) {
	n.waited.Add(1)
	for {
		longest := n.longest.Load()
		if int64(d) <= longest || n.longest.CompareAndSwap(longest, int64(d)) {
			return
		}
	}
}

// Status returns how the session stands now.
func (c *Client) Status() Status {
	now := c.snapshot()
	st := now.state
	s := Status{
		Name: c.name, Generation: st.generation, Account: st.session().Account, Issued: st.session().Issued,
		Expires: st.expires(), SessionEnds: st.session().Ends, NextRefresh: now.renewal, Saved: now.saved,
		Renewable: st.err == nil && (st.deadEnd == nil || c.cfg.Credentials != nil), Stats: c.counted.stats(),
	}
	s.Stats.EventsDropped, s.EventsWaiting = now.dropped, now.waiting
	if st.record != nil {
		s.Version = st.record.Version
	}
	s.State, s.Err = now.standing(s.Renewable)
	return s
}

// A snapshot is what is true of a session at one moment.
type snapshot struct {
	state   *state
	failure error     // the last one, nil after a success
	renewal time.Time // by the timer; zero if none is due
	saved   bool
	stuck   bool // the auth server refuses in words that are not understood
	dropped uint64
	waiting int // events
}

func (s *session) snapshot() snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.state.Load()
	now := snapshot{state: st, renewal: s.renewalLocked(st), saved: s.unsaved == nil, stuck: s.backoff.stuckAt(time.Now())}
	now.dropped, now.waiting = s.events.dropped, len(s.events.waiting)
	if s.events.telling {
		now.waiting++
	}
	if failure := s.backoff.last(); failure != nil {
		now.failure = failure
	}
	return now
}

// standing is the state in a word, and why it is so.
func (now snapshot) standing(renewable bool) (State, error) {
	st := now.state
	interrupted := false
	if e, ok := errors.AsType[*auth.Error](errors.Join(st.err, now.failure)); ok {
		interrupted = e.Interrupted
	}
	switch {
	case st.closed():
		return StateClosed, st.err
	case st.usable(time.Now()):
		return StateLoggedIn, now.failure
	case now.stuck && st.err == nil:
		return StateUnclear, now.failure
	case interrupted:
		return StateInterrupted, errors.Join(st.err, now.failure)
	case errors.Is(st.err, ErrSessionOver):
		return StateOver, st.err
	case st.err != nil:
		return StateNone, st.err
	case !renewable:
		return StateOver, st.deadEnd
	}
	return StateOffline, now.failure
}
