package silentrefresh

import (
	"net/http"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/pace"
)

// maxPeculiar is how many endpoints are remembered that reject fresh tokens.
const maxPeculiar = 64

// Rejections tell an API that rejects a token from an endpoint that returns 401 for reasons of its own. Such an endpoint
// shows itself by rejecting the replay with a fresh token; its further rejections renew only every 1, 2, 4 ... 60 s, and
// change nothing for the others. The zero value is ready.
type rejections struct {
	peculiar map[string]*peculiarity // by endpoint; nil in a healthy session
}

type peculiarity struct {
	level  int32     // how often in a row a replay was rejected
	blamed uint64    // the generation that raised level last
	quiet  time.Time // until then a rejection changes nothing
}

// of says how a rejection by that endpoint is to be taken: known, as its peculiarity; quiet, as nothing at all.
func (r *rejections) of(endpoint string, now time.Time) (known, quiet bool) {
	p := r.peculiar[endpoint]
	if p == nil {
		return false, false
	}
	return true, now.Before(p.quiet)
}

// blame notes that the endpoint has rejected the token of that generation, which was fresh.
func (r *rejections) blame(endpoint string, generation uint64, now time.Time) {
	if r.peculiar == nil {
		r.peculiar = map[string]*peculiarity{}
	}
	p := r.peculiar[endpoint]
	if p == nil {
		r.makeRoom()
		p = &peculiarity{}
		r.peculiar[endpoint] = p
	}
	if p.blamed == generation {
		return
	}
	p.blamed = generation
	p.level++
	p.quiet = now.Add(min(time.Second<<min(p.level-1, 6), time.Minute))
}

// makeRoom forgets the endpoint whose quiet ends first.
func (r *rejections) makeRoom() {
	if len(r.peculiar) < maxPeculiar {
		return
	}
	first := ""
	for endpoint, p := range r.peculiar {
		if first == "" || p.quiet.Before(r.peculiar[first].quiet) {
			first = endpoint
		}
	}
	delete(r.peculiar, first)
}

// exonerate notes that the endpoint has taken the present token.
func (r *rejections) exonerate(endpoint string) {
	delete(r.peculiar, endpoint)
	if len(r.peculiar) == 0 {
		r.peculiar = nil
	}
}

// endpointOf is the method and the path of a request, apart from what differs from item to item: segments with digits
// or of unusual length are taken for the names of items.
func endpointOf(req *http.Request) string {
	var b strings.Builder
	b.WriteString(req.Method)
	b.WriteByte(' ')
	b.WriteString(req.URL.Host)
	for segment := range strings.SplitSeq(req.URL.Path, "/") {
		if b.Len() > 200 {
			break
		}
		b.WriteByte('/')
		if strings.ContainsAny(segment, "0123456789@") && !version(segment) || len(segment) > 32 {
			segment = "*"
		}
		b.WriteString(segment)
	}
	return b.String()
}

// version reports whether a segment is the version of an API, such as v1.
func version(segment string) bool {
	return len(segment) <= 4 && strings.HasPrefix(segment, "v")
}

// reject records that an endpoint rejected a generation, whose token sent has. It reports whether a renewal may follow: not
// while its rejections are taken for the endpoint's own peculiarity, and not while no exchange is allowed anyway. A later
// generation is rejected with it where a refresh gave no new token.
func (s *session) reject(generation uint64, sent auth.Session, endpoint string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, now := s.state.Load(), time.Now()
	if st.err != nil || st.generation != generation && !sameToken(sent, st.session()) || st.rejected != nil {
		return true
	}
	if !st.ending && !s.schedule.flying && s.allowedLocked(st.session(), now).After(now.Add(2*pace.Floor)) {
		return false
	}
	known, quiet := s.rejections.of(endpoint, now)
	if st.ending && st.wall == never {
		known, quiet = false, false // nothing else would end a session that the auth server has refused
	}
	if !known {
		s.markLocked(st, endpoint)
	}
	return !quiet // and if it is known, others go on with the token, which is fine as far as they can tell
}

// mark makes a generation unusable.
func (s *session) mark(generation uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.state.Load(); st.err == nil && st.generation == generation && st.rejected == nil {
		s.markLocked(st, "")
	}
}

func (s *session) markLocked(st *state, endpoint string) {
	marked := *st
	marked.rejected = &endpoint
	s.swapLocked(&marked)
	s.emitLocked(Event{Kind: EventRejected})
}

// rejectedAgain records that an endpoint rejected a replay with a fresh token.
func (s *session) rejectedAgain(generation uint64, endpoint string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.state.Load()
	if st.generation != generation {
		return
	}
	s.rejections.blame(endpoint, generation, time.Now())
	if st.rejected != nil && *st.rejected == endpoint { // another one may have had reason to
		cleared := *st
		cleared.rejected = nil
		s.swapLocked(&cleared)
	}
}

// exonerate records that an endpoint took a replay: its rejections mean what they say, if that was the present token.
func (s *session) exonerate(generation uint64, endpoint string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Load().generation == generation {
		s.rejections.exonerate(endpoint)
	}
}
