package authtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/wall"
)

// ExpireAll makes every access token expire now.
func (s *Server) ExpireAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	for _, a := range s.access {
		if a.expires.After(now) {
			a.expires = now
		}
	}
}

// RevokeAccess revokes every access token. Refresh tokens stay valid.
func (s *Server) RevokeAccess() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.access {
		a.revoked = true
	}
}

// EndSessions ends every session, as an administrator does: refresh tokens are refused as invalid_grant from now on,
// and access tokens too.
func (s *Server) EndSessions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.families {
		s.end(f)
	}
}

// EndSession ends the session with that ID, and reports whether there was one.
func (s *Server) EndSession(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.families {
		if f.id == id {
			s.end(f)
			return true
		}
	}
	return false
}

// Sleep puts this machine to sleep for d, at once: afterwards the wall clock has moved on, for the server and for
// every silentrefresh Client in this process, and timers have not. Close takes it back. After
// Close it does nothing.
func (s *Server) Sleep(d time.Duration) {
	if s.sleep(d) {
		s.upIfDue()
	}
}

func (s *Server) sleep(d time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed() {
		return false // nobody would take it back
	}
	s.slept += d
	wall.Sleep(d)
	return true
}

// buttonList is what people are told of the buttons.
const buttonList = `  POST /_test/expire                       every access token expires
  POST /_test/revoke                       every access token is revoked
  POST /_test/end                          every session ends
  POST /_test/down?how=unavailable&for=5s  the auth server is away; how: unavailable, resetting, refusing
  POST /_test/up                           it is back
  POST /_test/sleep?for=1h                 this machine has slept
  POST /_test/delay?refresh=2s&api=100ms   how long requests take from now on
  POST /_test/fault?kind=drop              the next refresh goes wrong; at, times, commit, status, body say more; kinds:
                                           drop, reset, hang, status, html, garbage, huge, truncated, no-token,
                                           same-token, other-subject
  POST /_test/release                      those that hang go on
  GET  /_test/counters                     what was asked so far
  GET  /_test/sessions                     the sessions there are
  GET  /_test/state                        all that the page shows
  GET  /_test/                             a page with these buttons, for a browser
`

// buttons serves the buttons: to programs, and to the page, and not to pages of other origins.
func (s *Server) buttons() http.Handler {
	mux := http.NewServeMux()
	for name, press := range map[string]func(){
		"expire": s.ExpireAll, "revoke": s.RevokeAccess, "end": s.EndSessions, "up": s.Up, "release": s.Release,
	} {
		button(mux, name, func(*http.Request) error { press(); return nil })
	}
	button(mux, "down", s.pressDown)
	button(mux, "sleep", s.pressSleep)
	button(mux, "delay", s.pressDelay)
	button(mux, "fault", s.pressFault)
	serveButton(mux, http.MethodGet, "counters", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, s.Counters())
	})
	serveButton(mux, http.MethodGet, "sessions", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, append([]Session{}, s.Sessions()...))
	})
	serveButton(mux, http.MethodGet, "state", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, s.state())
	})
	mux.HandleFunc("GET /_test/{$}", servePage)
	mux.HandleFunc("/_test/", func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "there is no such button; there are:\n"+buttonList, http.StatusNotFound)
	})
	return http.NewCrossOriginProtection().Handler(mux)
}

// serveButton serves one with its method, and says which that is to whoever uses another.
func serveButton(mux *http.ServeMux, method, name string, h http.HandlerFunc) {
	mux.HandleFunc(method+" /_test/"+name, h)
	mux.HandleFunc("/_test/"+name, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", method)
		http.Error(w, "use the method "+method, http.StatusMethodNotAllowed)
	})
}

// button serves one: 204, or 400 with what is wrong.
func button(mux *http.ServeMux, name string, press func(*http.Request) error) {
	serveButton(mux, http.MethodPost, name, func(w http.ResponseWriter, r *http.Request) {
		if err := press(r); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

func (s *Server) pressDown(r *http.Request) error {
	how := Outage(r.URL.Query().Get("how"))
	if how == "" {
		how = Unavailable
	}
	if !how.known() {
		return fmt.Errorf("how=%s: use unavailable, resetting or refusing", how)
	}
	d, err := queryDuration(r, "for")
	if err != nil {
		return err
	}
	if d == 0 && how == Refusing && s.auth == s.api {
		return errors.New("how=refusing needs a time, such as for=5s: until it is over nothing listens here, and up cannot be pressed")
	}
	if d == 0 {
		s.Down(how)
		return nil
	}
	s.DownFor(how, d)
	return nil
}

func (s *Server) pressSleep(r *http.Request) error {
	d, err := queryDuration(r, "for")
	if err == nil {
		s.Sleep(d)
	}
	return err
}

func (s *Server) pressDelay(r *http.Request) error {
	refresh, err := queryDuration(r, "refresh")
	if err != nil {
		return err
	}
	api, err := queryDuration(r, "api")
	if err != nil {
		return err
	}
	s.Change(func(c *Config) { c.RefreshDelay, c.APIDelay = refresh, api })
	return nil
}

func (s *Server) pressFault(r *http.Request) error {
	script, err := readScript(r)
	if err != nil {
		return err
	}
	for _, f := range script {
		if !f.known() {
			return fmt.Errorf("there is no fault %q at endpoint %q", f.Kind, f.At)
		}
	}
	s.Fault(script...)
	return nil
}

// readScript reads faults from the body, or one from the query.
func readScript(r *http.Request) (script []Fault, err error) {
	q := r.URL.Query()
	if q.Get("kind") == "" {
		if err := json.NewDecoder(r.Body).Decode(&script); err != nil {
			return nil, fmt.Errorf("give ?kind=, or a JSON array of faults as the body: %w", err)
		}
		return script, nil
	}
	f := Fault{Kind: FaultKind(q.Get("kind")), At: Endpoint(q.Get("at")), Body: q.Get("body")}
	if f.Times, err = queryInt(q, "times"); err != nil {
		return nil, err
	}
	if f.Status, err = queryInt(q, "status"); err != nil {
		return nil, err
	}
	if q.Has("commit") {
		if f.Commit, err = strconv.ParseBool(q.Get("commit")); err != nil {
			return nil, fmt.Errorf("commit=%s: use true or false", q.Get("commit"))
		}
	}
	return []Fault{f}, nil
}

func queryInt(q url.Values, name string) (int, error) {
	if !q.Has(name) {
		return 0, nil
	}
	n, err := strconv.Atoi(q.Get(name))
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s=%s: use a whole number", name, q.Get(name))
	}
	return n, nil
}

func queryDuration(r *http.Request, name string) (time.Duration, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%s=%s: use a duration, such as 5s or 1h30m", name, text)
	}
	return d, nil
}
