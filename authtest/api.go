package authtest

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// handler serves the API, the auth endpoints, or both.
func (s *Server) handler(api, auth bool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/auth/", http.NotFound)
	if auth {
		for _, at := range []Endpoint{Login, Refresh, Logout} {
			mux.HandleFunc("/auth/"+string(at), s.serveAuth(at))
		}
	}
	if api {
		mux.HandleFunc("/", s.serveAPI)
	}
	if !s.config.Load().Buttons {
		return mux
	}
	if api {
		mux.Handle("/_test/", s.buttons())
	}
	return s.journal.of(mux)
}

// serveAPI lets requests in that carry a valid token.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	c := s.config.Load()
	token := c.presented(r)
	a, err := s.admit(c, r, token)
	if err == nil {
		s.handOut(w, c, a)
	}
	s.pause(r, c.APIDelay+slowFor(r))
	if err != nil {
		reject(w, c, token, err)
		return
	}
	if refused := s.csrfAtAPI(c, r); refused != nil {
		refused.write(w, c)
		return
	}
	if c.API != nil {
		c.API.ServeHTTP(w, r)
		return
	}
	s.builtIn(w, r, a.family.account, token)
}

// admit checks the request's token, and counts.
func (s *Server) admit(c *Config, r *http.Request, token string) (*accessToken, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counters.API++
	if _, err := r.Cookie(c.RefreshName); err == nil && c.RefreshIn == InCookie {
		s.counters.RefreshAtAPI++
	}
	a, err := s.check(token)
	if err != nil {
		s.counters.APIUnauthorized++
	}
	return a, err
}

// handOut gives a new token to who has used half of the present one's life.
func (s *Server) handOut(w http.ResponseWriter, c *Config, a *accessToken) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.HandOut == "" || s.now().Before(a.issued.Add(a.expires.Sub(a.issued)/2)) {
		return
	}
	s.counters.HandOuts++
	w.Header().Set(c.HandOut, s.mint(c, a.family, subject(a.family.account), false))
}

func (s *Server) csrfAtAPI(c *Config, r *http.Request) *response {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return nil
	}
	if c.TokenIn != InCookie {
		return nil
	}
	return s.csrf(c, r)
}

// presented is the access token that a request carries the way the API expects it, "" if none.
func (c *Config) presented(r *http.Request) string {
	if c.TokenIn == InCookie {
		if cookie, err := r.Cookie(c.TokenName); err == nil {
			return cookie.Value
		}
		return ""
	}
	value := r.Header.Get(c.Header)
	if c.Scheme == "" {
		return value
	}
	scheme, token, _ := strings.Cut(value, " ")
	if !strings.EqualFold(scheme, c.Scheme) {
		return ""
	}
	return strings.TrimSpace(token)
}

// reject responds as RFC 6750 section 3 has it: with an error code only if there was a token.
func reject(w http.ResponseWriter, c *Config, token string, err error) {
	challenge, status := `Bearer realm="authtest"`, http.StatusUnauthorized
	if token != "" {
		challenge += fmt.Sprintf(`, error="invalid_token", error_description=%q`, err)
		status = c.RejectStatus
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", challenge)
	}
	doc := map[string]any{"error": "invalid_token", "error_description": err.Error()}
	if c.RejectBytes > 0 {
		doc["padding"] = strings.Repeat(".", c.RejectBytes)
	}
	writeJSON(w, status, doc)
}

// builtIn is the API of a server without Config.API.
func (s *Server) builtIn(w http.ResponseWriter, r *http.Request, account, token string) {
	switch first, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/"); first {
	case "me":
		writeJSON(w, http.StatusOK, map[string]any{"id": subject(account), "account": account})
	case "echo":
		echo(w, r, token)
	case "status":
		status, err := strconv.Atoi(rest)
		if err != nil || status < 200 || status > 599 {
			http.NotFound(w, r)
			return
		}
		w.WriteHeader(status)
	case "forbidden":
		reject(w, s.config.Load(), token, refusal("this endpoint accepts no token"))
	case "scope":
		w.Header().Set("WWW-Authenticate", `Bearer realm="authtest", error="insufficient_scope", scope="admin"`)
		writeJSON(w, http.StatusForbidden, map[string]any{"error": "insufficient_scope"})
	case "stream":
		s.stream(w, r)
	case "upgrade":
		s.upgrade(w, r)
	default:
		writeJSON(w, http.StatusOK, map[string]any{"ok": true})
	}
}

// echo tells what the request was, with the names of its secrets only.
func echo(w http.ResponseWriter, r *http.Request, token string) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "the body broke off", http.StatusBadRequest)
		return
	}
	header := map[string]string{}
	for name, values := range r.Header {
		header[name] = "[redacted]"
		if value := strings.Join(values, ", "); !secret(name) && !strings.Contains(value, token) {
			header[name] = value
		}
	}
	cookies := []string{}
	for _, cookie := range r.Cookies() {
		cookies = append(cookies, cookie.Name)
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"method": r.Method, "path": r.URL.RequestURI(), "proto": r.Proto, "header": header, "cookies": cookies,
		"body": string(body), "length": len(body),
	})
}

func secret(header string) bool {
	switch header {
	case "Authorization", "Cookie", "Proxy-Authorization", http.CanonicalHeaderKey(csrfHeader):
		return true
	}
	return false
}

// stream sends events, one at a time.
func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	events, err := strconv.Atoi(r.URL.Query().Get("events"))
	if err != nil {
		events = 3
	}
	w.Header().Set("Content-Type", "text/event-stream")
	for i := range events {
		s.pause(r, duration(r, "every"))
		if s.closed() || r.Context().Err() != nil {
			return
		}
		fmt.Fprintf(w, "id: %d\ndata: event %d\n\n", i+1, i+1)
		http.NewResponseController(w).Flush()
	}
}

// upgrade switches to the protocol "echo".
func (s *Server) upgrade(w http.ResponseWriter, r *http.Request) {
	if !strings.EqualFold(r.Header.Get("Upgrade"), "echo") {
		w.Header().Set("Upgrade", "echo")
		http.Error(w, "ask for an upgrade to echo", http.StatusUpgradeRequired)
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2, whose requests should not have an Upgrade field
	}
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-s.closing:
		case <-ended:
		}
		conn.Close()
	}()
	io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	io.Copy(conn, bufio.NewReader(buffered))
}

// slowFor is how long a request asks to be made to wait.
func slowFor(r *http.Request) time.Duration {
	if r.URL.Path != "/slow" {
		return 0
	}
	return duration(r, "for")
}

// duration reads a duration from the query, 0 if there is none.
func duration(r *http.Request, name string) time.Duration {
	d, _ := time.ParseDuration(r.URL.Query().Get(name))
	return d
}
