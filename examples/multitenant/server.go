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
	ttl   time.Duration
	began time.Time

	spent sync.Map // user -> *atomic.Int64: how often the session was renewed

	running, mostRunning          atomic.Int64
	refreshes, reuses, api, wrong atomic.Int64

	mu        sync.Mutex
	perSecond map[int]int // refreshes, by the second they came in
}

func newAuthServer(ttl time.Duration) *authServer {
	return &authServer{ttl: ttl, began: time.Now(), perSecond: map[int]int{}}
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
			return answer(r, http.StatusBadRequest, "no credentials", nil), nil
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
	now := s.running.Add(1)
	defer s.running.Add(-1)
	for most := s.mostRunning.Load(); now > most && !s.mostRunning.CompareAndSwap(most, now); most = s.mostRunning.Load() {
	}
	s.refreshes.Add(1)
	s.mu.Lock()
	s.perSecond[int(time.Since(s.began)/time.Second)]++
	s.mu.Unlock()

	time.Sleep(5 * time.Millisecond) // what a server takes
	cookie, err := r.Cookie("refresh")
	if err != nil {
		return answer(r, http.StatusUnauthorized, "no cookie", nil)
	}
	user, number, _ := strings.Cut(cookie.Value, ".")
	spent, known := s.spent.Load(user)
	var n int64
	if _, err := fmt.Sscan(number, &n); err != nil || !known {
		return answer(r, http.StatusUnauthorized, "unknown session", nil)
	}
	if !spent.(*atomic.Int64).CompareAndSwap(n, n+1) {
		s.reuses.Add(1)
		return answer(r, http.StatusUnauthorized, "the cookie was used before", nil)
	}
	return s.grant(r, user, n+1)
}

// grant answers with a token that says whose it is and until when, and with the cookie for the next refresh.
func (s *authServer) grant(r *http.Request, user string, n int64) *http.Response {
	cookie := http.Cookie{Name: "refresh", Value: fmt.Sprint(user, ".", n), Path: "/auth", HttpOnly: true, Secure: true}
	token := fmt.Sprint(user, ".", time.Now().Add(s.ttl).UnixNano())
	return answer(r, http.StatusOK, fmt.Sprintf(`{"access_token":%q,"expires_in":%d}`, token, int(s.ttl/time.Second)), &cookie)
}

func (s *authServer) serveAPI(r *http.Request) *http.Response {
	s.api.Add(1)
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	user, ends, _ := strings.Cut(token, ".")
	var end int64
	if _, err := fmt.Sscan(ends, &end); err != nil || time.Now().UnixNano() > end {
		return answer(r, http.StatusUnauthorized, "expired", nil)
	}
	if r.URL.Path != "/"+user {
		s.wrong.Add(1) // another user's token
	}
	return answer(r, http.StatusOK, "hello", nil)
}

// busiest is the most refreshes in a second since from, and the mean of the seconds since then.
func (s *authServer) busiest(from time.Time) (most int, mean float64) {
	first, last := int(from.Sub(s.began)/time.Second), int(time.Since(s.began)/time.Second)
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := 0
	for second := first; second <= last; second++ {
		most = max(most, s.perSecond[second])
		sum += s.perSecond[second]
	}
	return most, float64(sum) / max(time.Since(from).Seconds(), 1)
}

func answer(r *http.Request, status int, body string, cookie *http.Cookie) *http.Response {
	h := http.Header{"Content-Type": {"application/json"}}
	if cookie != nil {
		h.Add("Set-Cookie", cookie.String())
	}
	return &http.Response{
		Status: http.StatusText(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: h,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
}
