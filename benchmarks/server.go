package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A server is an API and the auth server in front of it, with one session. Its refresh credential is a cookie that
// is good for one use. Fields are set before the first request.
type server struct {
	life      time.Duration        // of an access token, in whole seconds
	delay     time.Duration        // how long a refresh takes
	apiDelay  func() time.Duration // how long the API thinks before it responds
	open      bool                 // the API accepts anything
	strict    bool                 // a credential that is used twice ends the session
	skew      time.Duration        // the server's clock minus ours
	expOnly   bool                 // responses have no expires_in: the exp claim must do
	elsewhere string               // where GET /away redirects to

	down  atomic.Bool // refreshes return 503
	alive sync.Map    // access token -> when it ends (time.Time)

	mu        sync.Mutex
	tokens    int       // that were issued
	rotations int       // of the credential
	last      time.Time // start of the newest refresh
	ended     bool
	crowded   int // refreshes that started less than half a lifetime after another one
	reuses    int // uses of a credential that was spent
	running   int
	overlap   int // refreshes that ran at the same time, at most
	refreshes int

	requests, rejected atomic.Int64 // at the API
	bodies             sync.Map     // bytes of the body of each accepted POST -> true
}

// login returns what a login would have returned.
func (s *server) login() (grant, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.issue(time.Now()), s.credential()
}

// revoke makes the API refuse every token that was issued so far.
func (s *server) revoke() { s.alive.Clear() }

func (s *server) credential() string {
	return strings.Repeat("credential", 5) + strconv.Itoa(s.rotations)
}

// issue makes an access token that looks like a JWT (RFC 7519) of the usual size; sent is when it was asked for.
func (s *server) issue(sent time.Time) grant {
	s.tokens++
	now := time.Now().Add(s.skew)
	enc := base64.RawURLEncoding.EncodeToString
	claims := fmt.Sprintf(`{"sub":"u1","jti":"%d","iat":%d,"exp":%d,"scope":"%s"}`,
		s.tokens, now.Unix(), now.Add(s.life).Unix(), strings.Repeat("read:things ", 30))
	token := enc([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + enc([]byte(claims)) + "." + enc(make([]byte, 256))
	s.alive.Store(token, time.Now().Add(s.life))
	return grant{token: token, expires: sent.Add(s.life)}
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/auth/login":
		s.mu.Lock()
		defer s.mu.Unlock()
		s.response(w, r)
	case r.URL.Path == "/auth/refresh":
		s.refresh(w, r)
	case r.URL.Path == "/away":
		http.Redirect(w, r, s.elsewhere, http.StatusTemporaryRedirect)
	default:
		s.api(w, r)
	}
}

func (s *server) api(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	allowed := s.allowed(r)
	if s.apiDelay != nil {
		time.Sleep(s.apiDelay())
	}
	if !allowed {
		s.rejected.Add(1)
		w.Header().Set("WWW-Authenticate", `Bearer realm="api", error="invalid_token"`)
		http.Error(w, "the token is not good", http.StatusUnauthorized)
		return
	}
	if r.Method == http.MethodPost {
		n, _ := io.Copy(io.Discard, r.Body)
		s.bodies.Store(n, true)
	}
	io.WriteString(w, "ok")
}

func (s *server) allowed(r *http.Request) bool {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	ends, ok := s.alive.Load(token)
	return s.open || ok && time.Now().Before(ends.(time.Time))
}

// refresh rotates the credential (RFC 9700 section 4.14.2). It is not undone when the client goes away.
func (s *server) refresh(w http.ResponseWriter, r *http.Request) {
	ok := s.enter(r)
	time.Sleep(s.delay)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running--
	switch {
	case s.down.Load():
		refuse(w, http.StatusServiceUnavailable, "temporarily_unavailable")
	case !ok:
		refuse(w, http.StatusUnauthorized, "invalid_grant")
	default:
		s.response(w, r)
	}
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"error":%q}`, code)
}

// response gives the newest credential and a new access token (RFC 6749 section 5.1). s.mu is held.
func (s *server) response(w http.ResponseWriter, r *http.Request) {
	doc := map[string]any{"access_token": s.issue(time.Now()).token, "token_type": "Bearer"}
	if !s.expOnly {
		doc["expires_in"] = int(s.life.Seconds())
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Date", time.Now().Add(s.skew).UTC().Format(http.TimeFormat))
	http.SetCookie(w, &http.Cookie{Name: "refresh_token", Value: s.credential(), Path: "/auth", HttpOnly: true, Secure: r.TLS != nil})
	json.NewEncoder(w).Encode(doc)
}

// enter counts a refresh, spends its credential, and reports whether that was the newest.
func (s *server) enter(r *http.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refreshes++
	s.running++
	s.overlap = max(s.overlap, s.running)
	if !s.last.IsZero() && time.Since(s.last) < s.life/2 {
		s.crowded++
	}
	s.last = time.Now()
	cookie, err := r.Cookie("refresh_token")
	if err == nil && cookie.Value == s.credential() && !s.ended {
		s.rotations++
		return true
	}
	s.reuses++
	s.ended = s.ended || s.strict
	return !s.ended
}

// A tally is what a server counted.
type tally struct {
	requests, rejected                  int64
	refreshes, overlap, crowded, reuses int
}

func (s *server) tally() tally {
	s.mu.Lock()
	defer s.mu.Unlock()
	return tally{s.requests.Load(), s.rejected.Load(), s.refreshes, s.overlap, s.crowded, s.reuses}
}
