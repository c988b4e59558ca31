package endpoint

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
	"github.com/silentrefresh/silentrefresh/internal/once"
)

func TestF32_CredentialsFollowNoRedirectToAnotherOrigin(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, method := range []string{"GET", "POST", "PUT"} {
			var stolen atomic.Int32
			other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				stolen.Add(1)
				fakes.RespondJSON(200, `{"token":"evil"}`)(w, r)
			}))
			server := httptest.NewServer(fakes.Respond(status, "-", "", "Location", other.URL+"/take?rt=r1"))
			call := callerOver(t, Settings{Refresh: Call{Method: method, RefreshTokenField: "rt"}}, server)
			s, err := call.refresh(auth.Session{RefreshToken: auth.NewSecret("r1")})
			re := failure(t, err)
			if stolen.Load() != 0 || !s.AccessToken.IsZero() || re.Refused || re.MaybeSpent {
				t.Errorf("%d %s: %d requests elsewhere, %+v", status, method, stolen.Load(), re)
			}
			if text := err.Error(); !strings.Contains(text, other.URL) || strings.Contains(text, "take") || !strings.Contains(text, "refresh.url") ||
				re.Status != status {
				t.Errorf("%d %s: %v", status, method, err)
			}
			server.Close()
			other.Close()
		}
	}
}

func TestF32_RedirectNeverTurnsAPostIntoAGet(t *testing.T) {
	for _, status := range []int{301, 302, 303} {
		var calls []string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			calls = append(calls, r.Method+" "+r.URL.Path)
			if r.URL.Path == "/auth/refresh" {
				fakes.Respond(status, "-", "", "Location", "/auth/refresh/?x=1")(w, r)
				return
			}
			fakes.RespondJSON(200, `{"token":"t"}`)(w, r)
		}))
		call := callerOver(t, Settings{}, server)
		call.setCookie("rt=r1; Path=/")
		_, err := call.refresh(auth.Session{})
		server.Close()
		re := failure(t, err)
		if len(calls) != 1 || re.Status != status || re.Refused || !strings.Contains(re.Hint, "/auth/refresh/") || strings.Contains(re.Hint, "x=1") {
			t.Errorf("%d: %v, calls %v", status, err, calls)
		}
	}
}

func TestF32_RedirectWithinTheOriginKeepsMethodAndBody(t *testing.T) {
	for _, status := range []int{307, 308} {
		var got string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/auth/refresh" {
				fakes.Respond(status, "-", "", "Location", "/v2/refresh")(w, r)
				return
			}
			b := make([]byte, 100)
			n, _ := r.Body.Read(b)
			got = r.Method + " " + r.URL.Path + " " + string(b[:n])
			fakes.RespondJSON(200, `{"token":"t"}`)(w, r)
		}))
		call := callerOver(t, Settings{Refresh: Call{RefreshTokenField: "rt"}}, server)
		call.hc.Transport = once.Transport(http.DefaultTransport)
		s, err := call.refresh(auth.Session{RefreshToken: auth.NewSecret("r1")})
		server.Close()
		if err != nil || s.AccessToken.Reveal() != "t" || got != `POST /v2/refresh {"rt":"r1"}` {
			t.Errorf("%d: %q, %v", status, got, err)
		}
	}
}

func TestRedirectWithoutTarget(t *testing.T) {
	for _, location := range []string{"", "::", "mailto:x", "//"} {
		for status := 300; status < 309; status++ {
			call := callerOf(t, Settings{}, fakes.Respond(status, "-", "", "Location", location))
			call.setCookie("rt=r1")
			_, err := call.refresh(auth.Session{})
			if re := failure(t, err); re.Refused || re.Hint == "" && re.Err == nil {
				t.Errorf("%s to %q: %+v", strconv.Itoa(status), location, re)
			}
		}
	}
}
