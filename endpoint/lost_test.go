package endpoint

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
	"github.com/silentrefresh/silentrefresh/internal/once"
)

// rotator is an auth server with one-use refresh cookies.
type rotator struct {
	mu                sync.Mutex
	current, previous string // previous is taken too, where there is a grace
	grace             bool
	presented         []string
}

// spend takes the cookie and sets the next one; false if it was spent before.
func (r *rotator) spend(w http.ResponseWriter, req *http.Request) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, err := req.Cookie("rt")
	if err != nil {
		r.presented = append(r.presented, "")
		return false
	}
	r.presented = append(r.presented, c.Value)
	switch {
	case c.Value == r.current:
		r.previous, r.current = r.current, r.current+"'"
	case c.Value != r.previous || !r.grace:
		return false
	}
	http.SetCookie(w, &http.Cookie{Name: "rt", Value: r.current, Path: "/", HttpOnly: true})
	return true
}

func (r *rotator) response(w http.ResponseWriter, req *http.Request) {
	if !r.spend(w, req) {
		fakes.RespondJSON(401, `{"error":"invalid_grant"}`)(w, req)
		return
	}
	fakes.RespondJSON(200, `{"accessToken":"new","expiresIn":900}`)(w, req)
}

// ways are those in which a response gets lost after the server has committed.
func (r *rotator) ways() map[string]http.HandlerFunc {
	lost := func(then http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, req *http.Request) {
			r.spend(httptest.NewRecorder(), req)
			then(w, req)
		}
	}
	return map[string]http.HandlerFunc{
		"closed": lost(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
		"500":    lost(fakes.Respond(500, "text/plain", "oops")),
		"502":    lost(fakes.Respond(502, "text/html", fakes.HTML)),
		"504":    lost(fakes.Respond(504, "-", "")),
		"cut off": lost(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, `{"accessToken":"n`)
		}),
		"cut off, chunked": lost(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"accessToken":"n`)
			http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}),
		"garbage": lost(fakes.RespondJSON(200, `{"accessToken":"n`)),
	}
}

func TestF29_LostResponseIsAskedForOnceMore(t *testing.T) {
	names := []string{"closed", "500", "502", "504", "cut off", "cut off, chunked", "garbage"}
	for _, grace := range []bool{true, false} {
		for _, name := range names {
			r := &rotator{current: "r1", grace: grace}
			server := httptest.NewServer(fakes.InTurn(r.ways()[name], r.response))
			call := callerOver(t, Settings{}, server)
			call.setCookie("rt=r1; Path=/; HttpOnly")
			s, err := call.refresh(auth.Session{})
			server.Close()
			if len(r.presented) != 2 || r.presented[0] != "r1" || r.presented[1] != "r1" {
				t.Errorf("%s, grace %t: presented %q, want the same credential twice", name, grace, r.presented)
			}
			if grace && (err != nil || s.AccessToken.Reveal() != "new" || call.jar.Cookies(call.e.base)[0].Value != "r1'") {
				t.Errorf("%s, grace: %v", name, err)
			}
			if !grace {
				if re := failure(t, err); !re.Refused || !re.Interrupted || re.MaybeSpent || !errors.Is(err, auth.ErrSessionOver) {
					t.Errorf("%s, no grace: %+v", name, re)
				}
			}
		}
	}
}

func TestF29_LostTwiceIsInterrupted(t *testing.T) {
	for name, second := range map[string]http.HandlerFunc{
		"lost again": fakes.Respond(502, "text/html", fakes.HTML),
		"busy":       fakes.Respond(503, "text/plain", "", "Retry-After", "5"),
		"html":       fakes.Respond(200, "text/html", fakes.HTML),
		"forbidden":  fakes.RespondJSON(403, "{}"),
	} {
		call := callerOf(t, Settings{}, fakes.InTurn(fakes.Respond(504, "-", ""), second))
		call.setCookie("rt=r1")
		_, err := call.refresh(auth.Session{})
		re := failure(t, err)
		if !re.MaybeSpent || !re.Interrupted || re.Refused || re.Unsent || len(call.seen) != 2 {
			t.Errorf("%s: %+v after %d requests", name, re, len(call.seen))
		}
	}
}

func TestF29_NewCookieBeforeALostBodyIsUsed(t *testing.T) {
	r := &rotator{current: "r1"}
	server := httptest.NewServer(fakes.InTurn(func(w http.ResponseWriter, req *http.Request) {
		r.spend(w, req)
		io.WriteString(w, `{"acc`)
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}, r.response))
	defer server.Close()
	call := callerOver(t, Settings{}, server)
	call.setCookie("rt=r1; Path=/")
	s, err := call.refresh(auth.Session{})
	if err != nil || s.AccessToken.Reveal() != "new" || len(r.presented) != 2 || r.presented[1] != "r1'" {
		t.Errorf("%v, presented %q", err, r.presented)
	}
}

func TestF29_ErrorPageThatClearsTheCookieIsNotAskedAgain(t *testing.T) {
	call := callerOf(t, Settings{}, fakes.Respond(500, "text/plain", "", "Set-Cookie", "rt=; Path=/; Max-Age=0"))
	call.setCookie("rt=r1; Path=/")
	_, err := call.refresh(auth.Session{})
	if re := failure(t, err); !re.MaybeSpent || re.Interrupted || len(call.seen) != 1 {
		t.Errorf("%+v after %d requests", re, len(call.seen))
	}
}

func TestF29_OnlyLostResponsesAreAskedForAgain(t *testing.T) {
	for _, h := range []http.HandlerFunc{
		fakes.RespondJSON(401, "{}"), fakes.RespondJSON(403, "{}"), fakes.RespondJSON(400, `{"error":"invalid_grant"}`), fakes.RespondJSON(429, "{}", "Retry-After", "0"),
		fakes.RespondJSON(503, "{}"), fakes.RespondJSON(404, "{}"), fakes.Respond(200, "text/html", fakes.HTML), fakes.Respond(302, "-", ""), fakes.RespondJSON(200, `{"access_token":"a b"}`),
	} {
		call := callerOf(t, Settings{}, h)
		call.setCookie("rt=r1")
		if _, err := call.refresh(auth.Session{}); err == nil || len(call.seen) != 1 || failure(t, err).Interrupted {
			t.Errorf("%d requests, %v", len(call.seen), err)
		}
	}
}

func TestF28_HangingServerEndsWithTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		call := callerOf(t, Settings{}, nil)
		call.ctx = ctx
		calls := 0
		call.hc.Transport = fakes.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			calls++
			<-req.Context().Done()
			return nil, req.Context().Err()
		})
		call.setCookie("rt=r1")
		began := time.Now()
		_, err := call.refresh(auth.Session{})
		re := failure(t, err)
		if !re.MaybeSpent || !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 30*time.Second || calls != 1 {
			t.Errorf("%+v after %s and %d calls", re, time.Since(began), calls)
		}
	})
}

func TestLoginIsTriedAgainOnlyWhenNothingWasSent(t *testing.T) {
	for _, tt := range []struct {
		name  string
		first http.HandlerFunc
		want  int
	}{
		{"503 that says when", fakes.Respond(503, "-", "", "Retry-After", "1"), 2},
		{"429 that says when", fakes.Respond(429, "-", "", "Retry-After", "0"), 2},
		{"429 that says much later", fakes.Respond(429, "-", "", "Retry-After", "60"), 1},
		{"503 that does not say", fakes.Respond(503, "-", ""), 1},
		{"500", fakes.Respond(500, "-", ""), 1},
		{"401", fakes.Respond(401, "-", ""), 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			call := callerOf(t, Settings{}, fakes.InTurn(tt.first, fakes.RespondJSON(200, `{"token":"t"}`)))
			_, err := call.login(map[string]string{"user": "ada"})
			if len(call.seen) != tt.want || (err == nil) != (tt.want == 2) {
				t.Errorf("%s: %d requests, %v", tt.name, len(call.seen), err)
			}
			if call.last().body != `{"user":"ada"}` {
				t.Errorf("%s: the last request carried %q", tt.name, call.last().body)
			}
		})
	}
}

func TestF54_BrokenReusedConnectionSpendsTheCredentialOnce(t *testing.T) {
	for _, method := range []string{"GET", "POST"} {
		r := &rotator{current: "r1", grace: true}
		server := httptest.NewServer(fakes.InTurn(r.response, func(w http.ResponseWriter, req *http.Request) {
			r.spend(httptest.NewRecorder(), req)
			panic(http.ErrAbortHandler)
		}, r.response))
		call := callerOver(t, Settings{Refresh: Call{Method: method}}, server)
		call.hc.Transport = once.Transport(http.DefaultTransport)
		call.setCookie("rt=r1; Path=/")
		if _, err := call.refresh(auth.Session{}); err != nil {
			t.Fatal(err)
		}
		_, err := call.refresh(auth.Session{})
		server.Close()
		if err != nil || len(r.presented) != 3 {
			t.Errorf("%s: presented %q, %v; want our own second try and no other", method, r.presented, err)
		}
	}
}

func TestRetriedRequestCarriesEachCookieOnce(t *testing.T) {
	call := callerOf(t, Settings{}, fakes.InTurn(fakes.Respond(500, "-", ""), fakes.RespondJSON(200, `{"token":"t"}`)))
	call.setCookie("rt=r1")
	call.setCookie("sid=s1")
	if _, err := call.refresh(auth.Session{}); err != nil || call.last().header.Get("Cookie") != "rt=r1; sid=s1" {
		t.Errorf("Cookie: %q, %v", call.last().header.Values("Cookie"), err)
	}
}

func TestLoginIsTriedThreeTimesWhereNobodyListens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for op, want := range map[string]int{"dial": 3, "read": 1} {
			call := callerOf(t, Settings{}, nil)
			calls := 0
			call.hc.Transport = fakes.RoundTripFunc(func(*http.Request) (*http.Response, error) {
				calls++
				return nil, &net.OpError{Op: op, Net: "tcp", Err: errors.New("no")}
			})
			began := time.Now()
			if _, err := call.login(nil); err == nil || calls != want || time.Since(began) > time.Second {
				t.Errorf("%s: %d calls in %s, %v", op, calls, time.Since(began), err)
			}
		}
	})
}

func TestUntrustedServerIsUnsent(t *testing.T) {
	server := httptest.NewTLSServer(fakes.RespondJSON(200, `{"token":"t"}`))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	defer server.Close()
	call := callerOver(t, Settings{}, server)
	call.setCookie("rt=r1")
	if _, err := call.refresh(auth.Session{}); err != nil {
		t.Errorf("trusted: %v", err)
	}
	call.hc.Transport = &http.Transport{}
	_, err := call.refresh(auth.Session{})
	if verdict(t, err) != "unsent" || !strings.Contains(err.Error(), "certificate") {
		t.Error(err)
	}
}
