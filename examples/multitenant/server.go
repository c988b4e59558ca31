package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// An authServer is an auth server and an API in memory, so that what is measured is the client: a strict one, whose
// refresh cookies work once. It is the Base of the platform's Client.
type authServer struct {
	ttl time.Duration

	spent sync.Map // user -> *atomic.Int64: how often the session was renewed

	running, mostRunning atomic.Int64
	reuses, wrong        atomic.Int64

	mu        sync.Mutex
	since     time.Time   // when the count was started
	perSecond map[int]int // refreshes, by the second after that
}

func newAuthServer(ttl time.Duration) *authServer {
	s := &authServer{ttl: ttl}
	s.startCount()
	return s
}

type credentials struct {
	User string `json:"user"`
}

// RoundTrip implements http.RoundTripper.
func (s *authServer) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	switch r.URL.Path {
	case "/auth/login":
		var who credentials
		if err := json.NewDecoder(r.Body).Decode(&who); err != nil {
			return response(r, http.StatusBadRequest, "no credentials", nil), nil
		}
		return s.login(r, who.User), nil
	case "/auth/refresh":
		return s.refresh(r), nil
	}
	return s.serveAPI(r), nil
}

func (s *authServer) login(r *http.Request, user string) *http.Response {
	s.spent.Store(user, new(atomic.Int64))
	return s.grant(r, user, 0)
}

func (s *authServer) refresh(r *http.Request) *http.Response {
	raise(&s.mostRunning, s.running.Add(1))
	defer s.running.Add(-1)
	s.mu.Lock()
	s.perSecond[int(time.Since(s.since)/time.Second)]++
	s.mu.Unlock()

	time.Sleep(5 * time.Millisecond) // what a server takes
	cookie, err := r.Cookie("refresh")
	if err != nil {
		return response(r, http.StatusUnauthorized, "no cookie", nil)
	}
	user, number, _ := strings.Cut(cookie.Value, ".")
	spent, known := s.spent.Load(user)
	var n int64
	if _, err := fmt.Sscan(number, &n); err != nil || !known {
		return response(r, http.StatusUnauthorized, "unknown session", nil)
	}
	if !spent.(*atomic.Int64).CompareAndSwap(n, n+1) {
		s.reuses.Add(1)
		return response(r, http.StatusUnauthorized, "the cookie was used before", nil)
	}
	return s.grant(r, user, n+1)
}

// grant responds with a token that says whose it is and until when, and with the cookie for the next refresh.
func (s *authServer) grant(r *http.Request, user string, n int64) *http.Response {
	cookie := http.Cookie{Name: "refresh", Value: fmt.Sprint(user, ".", n), Path: "/auth", HttpOnly: true, Secure: true}
	token := fmt.Sprint(user, ".", time.Now().Add(s.ttl).UnixNano())
	return response(r, http.StatusOK, fmt.Sprintf(`{"access_token":%q,"expires_in":%d}`, token, int(s.ttl/time.Second)), &cookie)
}

func (s *authServer) serveAPI(r *http.Request) *http.Response {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	user, ends, _ := strings.Cut(token, ".")
	var end int64
	if _, err := fmt.Sscan(ends, &end); err != nil || time.Now().UnixNano() > end {
		return response(r, http.StatusUnauthorized, "expired", nil)
	}
	if r.URL.Path != "/"+user {
		s.wrong.Add(1) // another user's token
	}
	return response(r, http.StatusOK, "hello", nil)
}

// startCount forgets the refreshes so far.
func (s *authServer) startCount() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.since, s.perSecond = time.Now(), map[int]int{}
}

// count returns the refreshes since startCount, and how many of them came in the busiest second.
func (s *authServer) count() (all, busiest int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.perSecond {
		all += n
		busiest = max(busiest, n)
	}
	return all, busiest
}

// raise makes n the value of most where it is above it.
func raise(most *atomic.Int64, n int64) {
	for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
	}
}

func response(r *http.Request, status int, body string, cookie *http.Cookie) *http.Response {
	h := http.Header{"Content-Type": {"application/json"}}
	if cookie != nil {
		h.Add("Set-Cookie", cookie.String())
	}
	return &http.Response{
		Status: http.StatusText(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: h,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
}
