package discover_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/endpoint"
	"github.com/silentrefresh/silentrefresh/endpoint/discover"
	"github.com/silentrefresh/silentrefresh/internal/har/hartest"
)

// rejecting is a recording in which request is responded to in a way that is to be recognised once its token has ended,
// and then, with the next token, as usual.
func rejecting(rejection string) string {
	return `
	> POST /auth/login
	>
	> {"email": "ada@x.test", "password": "analytical"}
	< 200
	< Set-Cookie: refresh=R1-bbbbbbbbbbbbbbbbbbbb; Path=/auth; HttpOnly
	<
	< {"accessToken": "A1-bbbbbbbbbbbbbbbbbbbb"}

	> GET /api/me
	> Authorization: Bearer A1-bbbbbbbbbbbbbbbbbbbb
	< 200
	<
	< {"name": "ada"}

	> GET /api/me
	> Authorization: Bearer A1-bbbbbbbbbbbbbbbbbbbb
	` + strings.TrimSpace(rejection) + `

	> POST /auth/refresh
	> Cookie: refresh=R1-bbbbbbbbbbbbbbbbbbbb
	< 200
	< Set-Cookie: refresh=R2-bbbbbbbbbbbbbbbbbbbb; Path=/auth; HttpOnly
	<
	< {"accessToken": "A2-bbbbbbbbbbbbbbbbbbbb"}

	> GET /api/me
	> Authorization: Bearer A2-bbbbbbbbbbbbbbbbbbbb
	< 200
	<
	< {"name": "ada"}
	`
}

const loginPage = `<html><form method="post" action="/login"><input name="email"><input type="password" name="pw"></form></html>`

// TestF86_RejectionsInDisguise: however the API rejects a token, what recognises it is learned, and holds nothing of the
// one response that showed it.
func TestF86_RejectionsInDisguise(t *testing.T) {
	for _, tt := range []struct {
		name, rejection string
		want            []auth.ResponseMatch
	}{
		{"a redirect to a login page", "< 302\n< Location: /login?next=%2Fapi%2Fme", []auth.ResponseMatch{{Status: 302, Location: "/login"}}},
		{"and what the browser got there", "< 303\n< Location: /konto\n\n> GET /konto\n< 200\n<\n< " + loginPage, []auth.ResponseMatch{{Status: 303, Location: "/konto"}}},
		{"a whole URL with an id", "< 307\n< Location: https://id.example.com/realms/x/authorize/7f3a9c21b04e4d5c?state=s3cr3t",
			[]auth.ResponseMatch{{Status: 307, Location: "https://id.example.com/realms/x/authorize"}}},
		{"a servlet's session in the path", "< 302\n< Location: /signin;jsessionid=0A1B2C3D4E5F60718293", []auth.ResponseMatch{{Status: 302, Location: "/signin"}}},
		{"the login page itself", "< 200\n<\n< " + loginPage, []auth.ResponseMatch{{Status: 200, Body: `action="/login"`}}},
		{"a login page without an address", "< 200\n<\n< " + strings.Replace(loginPage, ` action="/login"`, "", 1), []auth.ResponseMatch{{Status: 200, Body: `type="password"`}}},
		{"an error in a good response", "< 200\n<\n< {\"success\": false, \"error\": {\"code\": \"TOKEN_EXPIRED\", \"message\": \"sorry, A1-bbbbbbbbbbbbbbbbbbbb\"}}",
			[]auth.ResponseMatch{{Status: 200, Body: "TOKEN_EXPIRED"}}},
		{"GraphQL", "< 200\n<\n< {\"errors\": [{\"message\": \"no\", \"extensions\": {\"code\": \"UNAUTHENTICATED\"}}], \"data\": null}",
			[]auth.ResponseMatch{{Status: 200, Body: "UNAUTHENTICATED"}}},
		{"a number", "< 200\n<\n< {\"code\": 401, \"msg\": \"no\", \"data\": null}", []auth.ResponseMatch{{Status: 200, Body: `"code": 401`}}},
		{"a status", "< 403\n<\n< {}", nil},
		{"a redirect elsewhere", "< 302\n< Location: /me/", nil},
		{"a redirect to the root", "< 302\n< Location: /\n\n> GET /\n< 200\n<\n< " + loginPage, nil},
	} {
		r := learned(t, rejecting(tt.rejection))
		if !reflect.DeepEqual(r.RejectedIf, tt.want) {
			t.Errorf("%s: %+v, want %+v\nfindings %v\nmissing %q", tt.name, r.RejectedIf, tt.want, r.Findings, r.Missing)
		}
		if r.Settings.Refresh.URL != "/auth/refresh" || r.Settings.Login.URL != "/auth/login" {
			t.Errorf("%s: calls %v", tt.name, r.Settings)
		}
	}
}

// A club keeps its people in sessions that end two seconds after their last use, and sends who has none to its login page.
type club struct {
	sessions map[string]time.Time
	made     int
}

func (s *club) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, loginPage)
	})
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("pw") != "analytical" {
			http.Redirect(w, r, "/login?error", http.StatusFound)
			return
		}
		s.made++
		name := fmt.Sprintf("session%020d", s.made)
		s.sessions[name] = time.Now().Add(time.Hour)
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: name, Path: "/", HttpOnly: true})
		http.Redirect(w, r, "/api/me", http.StatusFound)
	})
	mux.HandleFunc("GET /api/me", func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie("sid"); err != nil || time.Now().After(s.sessions[c.Value]) {
			http.Redirect(w, r, "/login?next=/api/me", http.StatusFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"name": "ada"}`)
	})
	return mux
}

// visit records a login, a use, and what the server does with a session that has ended.
func (s *club) visit(t *testing.T, base string, ended bool) discover.Result {
	t.Helper()
	rec := &hartest.Recorder{}
	cookie := ""
	send := func(method, path, body string) *http.Response {
		req, _ := http.NewRequest(method, base+path, strings.NewReader(body))
		if body != "" {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		if cookie != "" {
			req.Header.Set("Cookie", "sid="+cookie)
		}
		resp, err := rec.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range resp.Cookies() {
			cookie = c.Value
		}
		return resp
	}
	send("GET", "/api/me", "") // without a session
	send("GET", "/login", "")
	send("POST", "/login", "email=ada%40x.test&pw=analytical")
	send("GET", "/api/me", "")
	if ended {
		clear(s.sessions)
		send("GET", "/api/me", "")
		send("GET", "/login", "")
	}
	r, err := discover.Recording(bytes.NewReader(hartest.File("Firefox", rec.Entries())))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestF86_ALoginPageInsteadOfA401: with what was learned from a visit, a client knows its session for ended where the server
// redirects to its login page, and so does the touch that would keep it alive.
func TestF86_ALoginPageInsteadOfA401(t *testing.T) {
	for _, ended := range []bool{true, false} {
		s := &club{sessions: map[string]time.Time{}}
		server := httptest.NewServer(s.handler())
		t.Cleanup(server.Close)
		r := s.visit(t, server.URL, ended)
		t.Logf("%v\n%q", r.Findings, r.Missing)
		r.Settings.Refresh = endpoint.Call{URL: "/api/me", Method: "GET", Touch: true,
			Refused: endpoint.RefusedRules{{Status: r.RejectedIf[0].Status, Location: r.RejectedIf[0].Location}}}
		c, err := silentrefresh.New(silentrefresh.Config{BaseURL: server.URL, Endpoint: r.Settings, RejectedIf: r.RejectedIf})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if err := c.Login(t.Context(), map[string]string{"email": "ada@x.test", "pw": "analytical"}); err != nil {
			t.Fatal(err)
		}
		get := func() string {
			resp, err := c.HTTPClient().Get(server.URL + "/api/me")
			if err != nil {
				return err.Error()
			}
			defer resp.Body.Close()
			body, _ := io.ReadAll(resp.Body)
			return string(body)
		}
		if got := get(); got != `{"name": "ada"}` {
			t.Errorf("logged in: %s", got)
		}
		clear(s.sessions)
		get()
		if got := c.Status().State; got != silentrefresh.StateOver {
			t.Errorf("recorded its end %v: the session is %q after the redirect to the login page", ended, got)
		}
	}
}
