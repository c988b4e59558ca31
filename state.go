package silentrefresh

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/lifetime"
	"github.com/silentrefresh/silentrefresh/internal/pace"
	"github.com/silentrefresh/silentrefresh/internal/record"
	"github.com/silentrefresh/silentrefresh/internal/wall"
)

// state is what the request path sees of the session: one immutable snapshot behind an atomic pointer.
type state struct {
	generation uint64 // counts the tokens that were published
	epoch      uint64 // counts logins and logouts: what began under another one is not published
	record     *record.Record
	err        error // why there is no session; nil if there is one

	header   []string  // the value of the header that carries the token, made once
	jar      *auth.Jar // the cookies that go to the API; nil for none
	mono     time.Time
	wall     int64     // the end by the wall clock; mono is the end by the monotonic one
	renewAt  time.Time // when the timer renews it; zero: it does not
	deadEnd  error     // why nothing will renew the session; nil if something will
	rejected *string   // the endpoint of the API that has rejected this generation; nil if none has
	final    bool      // logged out here: Credentials do not begin a new one
	adopted  bool      // it came from another process
	signs    bool      // requests are signed, which prove possession of the token
	ending   bool      // the session is over when this token ends, for the reason that deadEnd says
}

const never = math.MaxInt64

// errLoggedOut is ErrNoSession after a Logout here: Credentials do not bring that session back.
var errLoggedOut = fmt.Errorf("%w: logged out", ErrNoSession)

// usable reports whether requests may be sent with this state's token: it is there, was not rejected, and neither
// clock says that it has ended. The monotonic clock stands still while a laptop sleeps; the wall clock can be set.
func (st *state) usable(now time.Time) bool {
	return st.err == nil && st.rejected == nil && st.header != nil && st.fresh(now)
}

func (st *state) fresh(now time.Time) bool {
	return st.wall == never || wall.Of(now) < st.wall && now.Before(st.mono)
}

// rejects reports whether the API has rejected the token of held.
func (st *state) rejects(held auth.Session) bool {
	return st.rejected != nil && sameToken(st.session(), held)
}

// sameToken reports whether held has the token that was seen, and not renewed in place since.
func sameToken(seen, held auth.Session) bool {
	return held.AccessToken.Equal(seen.AccessToken) && !held.Expires.After(seen.Expires)
}

// due reports whether the token is inside its margin.
func (st *state) due(now time.Time) bool {
	return !st.renewAt.IsZero() && !now.Before(st.renewAt)
}

func (st *state) closed() bool { return st.err == ErrClosed }

func (st *state) session() auth.Session {
	if st.record == nil {
		return auth.Session{}
	}
	return st.record.Session
}

// replacedBy reports whether somebody else's session stands now where st's was.
func (st *state) replacedBy(now *state) bool {
	return st.epoch != now.epoch && st.err == nil && st.record != nil && now.record != nil && !record.SameAccount(st.record.Session, now.record.Session)
}

func (st *state) expires() time.Time {
	if st.wall == never || st.header == nil {
		return time.Time{}
	}
	return time.Unix(0, st.wall)
}

// stateOf is a state whose session r is; generation, epoch and schedule are given to it when it is published.
func (s *shared) stateOf(r *record.Record, now time.Time) *state {
	st := &state{record: r, wall: never, deadEnd: s.deadEnd(r.Session)}
	token := r.Session.AccessToken.Reveal()
	if token == "" {
		return st
	}
	_, value := s.cfg.Attach.Value(token)
	st.header = []string{value}
	shared := *r // one copy of the token in memory, not two
	shared.Session.AccessToken = auth.NewSecret(value[len(value)-len(token):])
	st.record = &shared
	if s.signer != nil {
		_ = shielded("the Exchanger", func() error { st.signs = s.signer.SignsRequests(r.Session); return nil })
	}
	if s.cfg.Attach.Cookies || s.tokenCookie != "" {
		st.jar = auth.NewJar(r.Session.Cookies...)
		st.jar.Sole(s.tokenCookie)
	}
	if end := r.Session.Expires; !end.IsZero() {
		left := max(timeLeft(r.Session, now), -lifetime.Longest)
		st.mono = now.Add(left)
		st.wall = wall.Of(now) + int64(left)
	}
	return st
}

// timeLeft is what is left of s's token: by the monotonic clock where s has its reading, else by the wall clock; and
// never more than its whole life, in case that clock was set back since.
func timeLeft(s auth.Session, now time.Time) time.Duration {
	end := s.Expires
	if least := s.Issued.Add(pace.ShortestLife); !s.Issued.IsZero() && end.Before(least) {
		end = least
	}
	left := end.Sub(now)
	if !s.Issued.IsZero() {
		left = min(left, end.Sub(s.Issued))
	}
	return min(left, lifetime.Longest)
}

// lifeOf is the whole life of s's token, 0 if it is unknown.
func lifeOf(s auth.Session) time.Duration {
	if s.Issued.IsZero() || s.Expires.IsZero() {
		return 0
	}
	return max(s.Expires.Sub(s.Issued), 0)
}

// transient reports whether err is worth another attempt.
func transient(err error) bool {
	return !errors.Is(err, ErrSessionOver) && !errors.Is(err, ErrNoSession) && !errors.Is(err, ErrClosed)
}
