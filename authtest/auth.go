package authtest

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// An Endpoint is one of the three calls of the auth server.
type Endpoint string

// The endpoints, each at its path below /auth/ with POST.
const (
	Login   Endpoint = "login"
	Refresh Endpoint = "refresh"
	Logout  Endpoint = "logout"
)

// An authCall is a call as the endpoints see it.
type authCall struct {
	c      *Config
	r      *http.Request
	fields map[string]string // of the body, JSON or form
	fault  Fault             // zero if all is well
}

const maxAuthBody = 1 << 20

func (s *Server) serveAuth(at Endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			http.Error(w, "use POST", http.StatusMethodNotAllowed)
			return
		}
		c := s.config.Load()
		defer s.enter(at)()
		fields, err := readFields(r)
		if s.away(w, r) {
			return
		}
		if err != nil {
			refuse(http.StatusBadRequest, "invalid_request", "the body is neither JSON nor a form").write(w, c)
			return
		}
		s.perform(w, at, &authCall{c: c, r: r, fields: fields, fault: s.nextFault(at)})
	}
}

// perform does what the endpoint is for, as far as the call's fault lets it.
func (s *Server) perform(w http.ResponseWriter, at Endpoint, call *authCall) {
	if !call.fault.Commit && s.interfere(w, call) {
		return
	}
	response := s.commit(at, call)
	if at == Refresh {
		s.pause(call.r, call.c.RefreshDelay)
	}
	if call.fault.Commit && s.interfere(w, call) {
		return
	}
	call.fault.truncate(w, call, response)
	response.write(w, call.c)
}

func (s *Server) commit(at Endpoint, call *authCall) *response {
	switch at {
	case Login:
		return s.login(call)
	case Refresh:
		return s.renew(call)
	default:
		return s.logout(call)
	}
}

// enter counts a call that arrives; what it returns counts its end.
func (s *Server) enter(at Endpoint) func() {
	if at != Refresh {
		s.count(func(n *Counters) {
			if at == Login {
				n.LoginCalls++
			} else {
				n.LogoutCalls++
			}
		})
		return func() {}
	}
	s.count(func(n *Counters) {
		n.RefreshCalls++
		s.refreshing++
		n.ConcurrentRefreshes = max(n.ConcurrentRefreshes, s.refreshing)
	})
	return func() { s.count(func(*Counters) { s.refreshing-- }) }
}

func (s *Server) login(call *authCall) *response {
	email := call.fields["email"]
	if email == "" {
		email = call.fields["username"]
	}
	if password, ok := call.c.Users[email]; !ok || password != call.fields["password"] {
		return refuse(http.StatusUnauthorized, "invalid_credentials", "no such account, or not its password")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g := grant{family: s.begin(call.c, email)}
	g.refresh = g.family.refresh
	if !call.c.NoLoginToken {
		g.access = s.mint(call.c, g.family, subject(email), false)
	}
	return s.granted(call.c, g)
}

func (s *Server) renew(call *authCall) *response {
	if refused := s.csrf(call.c, call.r); refused != nil {
		return refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if wait := s.limited(call.c); wait > 0 {
		return rateLimited(wait)
	}
	f, err := s.credential(call)
	if err != nil {
		s.counters.RefreshRefused++
		return s.refused(call, err)
	}
	if call.fault.Kind == NoToken {
		return s.granted(call.c, grant{family: f})
	}
	sub := subject(f.account)
	if call.fault.Kind == OtherSubject {
		sub = subject("somebody else")
	}
	f.refreshes++
	s.counters.Refreshes++
	g := grant{family: f, access: s.mint(call.c, f, sub, call.fault.Kind == SameToken)}
	if !call.c.Reusable {
		g.refresh = f.refresh
	}
	return s.granted(call.c, g)
}

// credential finds the session that a refresh is for, and spends what it presents.
func (s *Server) credential(call *authCall) (*family, error) {
	access := s.carriedToken(call)
	if call.c.RefreshIn == InAccess {
		a, err := s.check(access)
		if err != nil {
			return nil, err
		}
		return a.family, nil
	}
	token := call.refreshToken()
	switch call.c.TokenAtRefresh {
	case Needed:
		if r := s.refresh[token]; r != nil && r.family.access != access {
			return nil, needsAccess
		}
	case Forbidden:
		if access != "" {
			return nil, unwantedAccess
		}
	}
	if call.fault.Kind == NoToken {
		return s.holder(token)
	}
	return s.exchange(call.c, token)
}

// holder is the session of a refresh token that is not to be spent.
func (s *Server) holder(token string) (*family, error) {
	r := s.refresh[token]
	if r == nil || r.family.over || r.next != "" {
		return nil, unknownToken
	}
	return r.family, nil
}

// refused responds to a refresh whose credential does not serve. Its cookie is cleared.
func (s *Server) refused(call *authCall, err error) *response {
	a := refuse(call.c.RefuseStatus, "invalid_grant", err.Error())
	a.clearRefresh = call.c.RefreshIn == InCookie
	return a
}

func (s *Server) logout(call *authCall) *response {
	if refused := s.csrf(call.c, call.r); refused != nil {
		return refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.loggingOut(call); f != nil {
		s.end(f)
		s.counters.Logouts++
	}
	return &response{status: http.StatusNoContent, clearRefresh: call.c.RefreshIn == InCookie, clearAccess: call.c.TokenIn == InCookie}
}

// loggingOut finds the session of a logout: the one of the refresh token, spent or not, else of the access token.
// It returns nil if there is none.
func (s *Server) loggingOut(call *authCall) *family {
	if r := s.refresh[call.refreshToken()]; r != nil && !r.family.over {
		return r.family
	}
	if a := s.access[s.carriedToken(call)]; a != nil && !a.family.over {
		return a.family
	}
	return nil
}

// refreshToken is the one that the call presents, "" if none.
func (call *authCall) refreshToken() string {
	if call.c.RefreshIn != InCookie {
		return call.fields[call.c.RefreshName]
	}
	if cookie, err := call.r.Cookie(call.c.RefreshName); err == nil {
		return cookie.Value
	}
	return ""
}

// carriedToken is the access token that the call carries, as API requests do or in a field of its body.
func (s *Server) carriedToken(call *authCall) string {
	if token := call.c.presented(call.r); token != "" {
		return token
	}
	return call.fields[call.c.TokenName]
}

// limited says how long the next refresh has to wait, 0 if it may go on.
func (s *Server) limited(c *Config) time.Duration {
	if c.RateLimit == 0 {
		return 0
	}
	now := s.now()
	for len(s.recent) > 0 && now.Sub(s.recent[0]) >= c.RateWindow {
		s.recent = s.recent[1:]
	}
	if len(s.recent) >= c.RateLimit {
		s.counters.RateLimited++
		return s.recent[0].Add(c.RateWindow).Sub(now)
	}
	s.recent = append(s.recent, now)
	return 0
}

// readFields reads the body's fields, JSON or form. No body has none.
func readFields(r *http.Request) (map[string]string, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxAuthBody))
	if err != nil || strings.TrimSpace(string(body)) == "" {
		return map[string]string{}, err
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "application/x-www-form-urlencoded" {
		return formFields(string(body))
	}
	var doc map[string]any
	if err := json.Unmarshal(body, &doc); err != nil {
		return nil, err
	}
	fields := map[string]string{}
	for name, value := range doc {
		if text, ok := value.(string); ok {
			fields[name] = text
		}
	}
	return fields, nil
}

func formFields(body string) (map[string]string, error) {
	form, err := url.ParseQuery(body)
	fields := map[string]string{}
	for name := range form {
		fields[name] = form.Get(name)
	}
	return fields, err
}
