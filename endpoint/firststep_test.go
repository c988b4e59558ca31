package endpoint

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// kratos is Ory Kratos for native apps: a flow is begun, and its URL takes the password. A session is extended by id.
func kratos(now func() time.Time) http.HandlerFunc {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /self-service/login/api", func(w http.ResponseWriter, r *http.Request) {
		fakes.RespondJSON(200, `{"id":"f1","ui":{"action":"https://`+r.Host+`/self-service/login?flow=f1","method":"POST"}}`)(w, r)
	})
	mux.HandleFunc("POST /self-service/login", func(w http.ResponseWriter, r *http.Request) {
		b := make([]byte, 200)
		n, _ := r.Body.Read(b)
		if r.URL.Query().Get("flow") != "f1" || string(b[:n]) != `{"identifier":"ada","method":"password","password":"pw"}` {
			fakes.RespondJSON(400, `{"ui":{"messages":[{"id":4000006,"text":"The provided credentials are invalid"}]}}`)(w, r)
			return
		}
		end := now().Add(time.Hour).UTC().Format(time.RFC3339)
		fakes.RespondJSON(200, `{"session_token":"ory_st_1","session":{"id":"sess-1","expires_at":"`+end+`"}}`)(w, r)
	})
	mux.HandleFunc("GET /sessions/whoami", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Session-Token") != "ory_st_1" {
			fakes.RespondJSON(401, `{"error":{"code":401,"status":"Unauthorized"}}`)(w, r)
			return
		}
		fakes.RespondJSON(200, `{"id":"sess-1","active":true}`)(w, r)
	})
	mux.HandleFunc("PATCH /admin/sessions/{id}/extend", func(w http.ResponseWriter, r *http.Request) {
		end := now().Add(2 * time.Hour).UTC().Format(time.RFC3339)
		fakes.RespondJSON(200, `{"session":{"id":"`+r.PathValue("id")+`","expires_at":"`+end+`"}}`)(w, r)
	})
	mux.HandleFunc("DELETE /self-service/logout/api", func(w http.ResponseWriter, r *http.Request) {
		b := make([]byte, 200)
		n, _ := r.Body.Read(b)
		if string(b[:n]) == `{"session_token":"ory_st_1"}` {
			w.WriteHeader(204)
		}
	})
	return mux.ServeHTTP
}

func TestF108_KratosNativeFlow(t *testing.T) {
	now := time.Now()
	call := callerOf(t, recipe(t, "Ory Kratos**"), kratos(func() time.Time { return now }))
	_, err := call.login(map[string]string{"identifier": "ada", "password": "wrong"})
	if f := failure(t, err); !f.Refused || strings.Contains(err.Error(), "f1") {
		t.Errorf("%v", err)
	}
	s, err := call.login(map[string]string{"identifier": "ada", "password": "pw"})
	if err != nil || s.AccessToken.Reveal() != "ory_st_1" || lives(s).Round(time.Minute) != time.Hour {
		t.Fatalf("%v, lives %s", err, lives(s))
	}
	next, err := call.refresh(s)
	if err != nil || !next.AccessToken.Equal(s.AccessToken) || lives(next).Round(time.Minute) != 2*time.Hour {
		t.Errorf("extended: %v, lives %s", err, lives(next))
	}
	if err := call.logout(next); err != nil {
		t.Errorf("logout: %v", err)
	}
	dead := auth.Session{AccessToken: auth.NewSecret("ory_st_dead")}
	_, err = call.refresh(dead)
	if f := failure(t, err); !f.Refused || f.Path != "/sessions/whoami" || strings.Contains(err.Error(), "ory_st") {
		t.Errorf("a session that the first call does not know: %+v", f)
	}
}

func TestF108_Keystone(t *testing.T) {
	end := time.Now().Add(time.Hour)
	call := callerOf(t, recipe(t, "OpenStack Keystone**"), func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "DELETE" {
			if r.Header.Get("X-Auth-Token") == "gAAAA" && r.Header.Get("X-Subject-Token") == "gAAAA" {
				w.WriteHeader(204)
				return
			}
			w.WriteHeader(404)
			return
		}
		fakes.RespondJSON(201, `{"token":{"expires_at":"`+end.UTC().Format("2006-01-02T15:04:05.000000Z")+`","user":{"name":"ada"}}}`, "X-Subject-Token", "gAAAA")(w, r)
	})
	s, err := call.login(map[string]string{"username": "ada", "password": "pw"})
	if err != nil || s.AccessToken.Reveal() != "gAAAA" || lives(s).Round(time.Minute) != time.Hour || s.Account != "ada" {
		t.Fatalf("%v, lives %s, %q", err, lives(s), s.Account)
	}
	want := `{"auth":{"identity":{"methods":["password"],"password":{"user":{"domain":{"id":"default"},"name":"ada","password":"pw"}}}}}`
	if got := call.last().body; got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
	if err := call.logout(s); err != nil {
		t.Errorf("logout: %v", err)
	}
	if _, err := call.login(map[string]string{"username": "ada"}); err == nil || !strings.Contains(err.Error(), "{password}") {
		t.Errorf("without a password: %v", err)
	}
}

func TestF108_FieldsAndBodies(t *testing.T) {
	for _, tt := range []struct{ call, want string }{
		{`{"fields": {}}`, "{}"},
		{`{}`, ""},
		{`{"fields": {"query": "mutation{refresh{access_token}}"}}`, `{"query":"mutation{refresh{access_token}}"}`},
		{`{"fields": {"a": ["{access_token}", 1], "b": "x{access_token}"}}`, `{"a":["t1",1],"b":"x{access_token}"}`},
		{`{"encoding": "form", "fields": {"t": "{refresh_token}"}}`, "t=r%261"},
	} {
		call := callerOf(t, settingsOf(t, `{"refresh": `+tt.call+`}`), fakes.RespondJSON(200, `{"token":"t2"}`))
		call.setCookie("sid=s1; HttpOnly")
		if _, err := call.refresh(auth.Session{AccessToken: auth.NewSecret("t1"), RefreshToken: auth.NewSecret("r&1")}); err != nil || call.last().body != tt.want {
			t.Errorf("%s sends %q, %v; want %q", tt.call, call.last().body, err, tt.want)
		}
	}
	call := callerOf(t, settingsOf(t, `{"refresh": {"url": "/s/{access_token}/x?t={refresh_token}", "method": "GET", "headers": {"X-T": "T {access_token}"}}}`), fakes.RespondJSON(200, `{"token":"t2"}`))
	_, err := call.refresh(auth.Session{AccessToken: auth.NewSecret("a/b"), RefreshToken: auth.NewSecret("r&1")})
	if in := call.last(); err != nil || in.uri != "/s/a%2Fb/x?t=r%261" || in.header.Get("X-T") != "T a/b" {
		t.Errorf("%s, %v, %v", in.uri, in.header, err)
	}
	call = callerOf(t, settingsOf(t, `{"refresh": {"url": "/s/{access_token}/x", "access_token_header": "X"}}`), fakes.RespondJSON(401, `{}`))
	if _, err = call.refresh(auth.Session{AccessToken: auth.NewSecret("t0p")}); err == nil || strings.Contains(err.Error(), "t0p") {
		t.Errorf("the error shows the token: %v", err)
	}
}

func TestF108_ValuesOfTheFirstCall(t *testing.T) {
	first := `"first": {"url": "/first", "take": {"v": %s}}`
	for at, response := range map[string]http.HandlerFunc{
		`{"json": "a.0.n"}`:   fakes.RespondJSON(200, `{"a":[{"n":17}]}`),
		`{"header": "X-V"}`:   fakes.Respond(204, "", "", "X-V", "17"),
		`{"cookie": "v"}`:     fakes.Respond(204, "", "", "Set-Cookie", "v=%317; Path=/"),
		`{"field": "hidden"}`: fakes.Respond(200, "text/html", `<html><input type=hidden name=hidden value=17>`),
		`{"meta": "hidden"}`:  fakes.Respond(200, "text/html", `<html><meta name="hidden" content="17">`),
	} {
		call := callerOf(t, settingsOf(t, fmt.Sprintf(`{"login": {`+first+`, "fields": {"v": "{v}"}}}`, at)), fakes.InTurn(response, fakes.RespondJSON(200, `{"token":"t"}`)))
		if _, err := call.login(nil); err != nil || call.last().body != `{"v":"17"}` {
			t.Errorf("%s: sent %s, %v", at, call.last().body, err)
		}
		call = callerOf(t, settingsOf(t, fmt.Sprintf(`{"login": {`+first+`, "fields": {"v": "{v}"}}}`, at)), fakes.RespondJSON(200, `{"other":"s3cret"}`))
		_, err := call.login(map[string]string{"password": "pw"})
		if f := failure(t, err); !f.Unsent || f.Path != "/first" || !strings.Contains(err.Error(), "{v}") || len(call.seen) != 1 || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s is not there: %v", at, err)
		}
	}
	call := callerOf(t, settingsOf(t, `{"login": {"first": {"url": "/first", "take": {"u": {"json": "u"}}}, "url": "{u}"}}`), nil)
	for u, want := range map[string]string{"https://evil.test/x": "another origin", "http://as.test/x": "plain http", "https://u:p@as.test/": "take user", "::": "parsed"} {
		call.hc.Transport = call.record(fakes.RespondJSON(200, `{"u":"`+u+`"}`))
		call.seen = nil
		_, err := call.login(map[string]string{"password": "pw"})
		if f := failure(t, err); !f.Unsent || !strings.Contains(err.Error(), want) || len(call.seen) != 1 {
			t.Errorf("%s: %v, %d requests", u, err, len(call.seen))
		}
	}
	for _, status := range []int{404, 503} {
		call.hc.Transport = call.record(fakes.Respond(status, "", "", "Retry-After", "7"))
		_, err := call.login(nil)
		if f := failure(t, err); !f.Unsent || f.Status != status || f.Until.IsZero() || !strings.Contains(f.Hint, "login.first") {
			t.Errorf("%d: %+v", status, f)
		}
	}
}

func TestF108_MistakesAreNamed(t *testing.T) {
	e := settingsOf(t, `{"login": {"first": {"url": "-", "method": "BREW", "touch": true, "take": {"a b": {}, "access_token": {"json": "x", "meta": "y"}}}},
		"refresh": {"url": "/x/{acess_token}", "headers": {"X": "{nosuch}"}, "first": {"take": {"id": {"json": "id"}}}},
		"logout": {"fields": {"a": {"b": ["{missing}"]}}}}`)
	_, err := e.Bind(fakes.URL(t, asOrigin), auth.Attach{})
	for _, want := range []string{"login.first.url: it is missing", `login.first.method: "BREW"`, "login.first.touch", "login.first.take.a b: set one of",
		`login.first.take: "a b" cannot be`, `"access_token" cannot be`, "login.first.take.access_token: set one", "nothing gives {acess_token}",
		"nothing gives {nosuch}", "refresh.first.url: it is missing", "logout: nothing gives {missing}"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("nothing about %q in %v", want, err)
		}
	}
}

func TestF108_WhatAFirstCallGaveIsNeverShown(t *testing.T) {
	const value = "f10w-7c9e6679"
	first := fakes.RespondJSON(200, `{"id":"`+value+`"}`)
	for _, url := range []string{"/login/{id}", "/login?flow={id}"} {
		e := Settings{Login: Call{URL: url, First: &Call{URL: "/first", Take: map[string]ValueAt{"id": {JSON: "id"}}}}}
		call := callerOf(t, e, fakes.InTurn(first, fakes.RespondJSON(400, `{"error":"flow_`+value+`_expired","message":"no flow `+value+`"}`)))
		_, err := call.login(map[string]string{"password": "pw"})
		if err == nil || strings.Contains(err.Error(), value) || !strings.Contains(call.last().uri, value) {
			t.Errorf("%s: %v", url, err)
		}
	}
}
