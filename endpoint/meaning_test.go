package endpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// A refusalSample is one of the responses that package refusal is tested with.
type refusalSample struct {
	Who, Means  string
	Status      int
	ContentType string `json:"content_type"`
	Headers     map[string]string
	Sent, Body  string
}

func refusalSamples(tb testing.TB) (all []refusalSample) {
	tb.Helper()
	document, err := os.ReadFile("../internal/refusal/testdata/responses.json")
	if err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(document, &all); err != nil {
		tb.Fatal(err)
	}
	return all
}

func (s refusalSample) respond(w http.ResponseWriter, r *http.Request) {
	var headers []string
	for name, value := range s.Headers {
		headers = append(headers, name, value)
	}
	fakes.Respond(s.Status, s.ContentType, s.Body, headers...)(w, r)
}

// secret is a refresh token as servers make them.
const secret = "def50200a8f1c2-9b7e-4d3a-8c21-77aa01e5b9c4"

func TestF75_F76_WhatARefusalMeansForTheSession(t *testing.T) {
	for _, s := range refusalSamples(t) {
		settings := Settings{Refresh: Call{RefreshTokenField: "refresh_token"}}
		if s.Sent == "both" {
			settings.Refresh.AccessTokenHeader = "Authorization"
		}
		old := auth.Session{RefreshToken: auth.NewSecret(secret), AccessToken: auth.NewSecret("an-access-token")}
		_, err := callerOf(t, settings, s.respond).refresh(old)
		if err == nil {
			t.Errorf("%s: %d %s: no failure", s.Who, s.Status, s.Body)
			continue
		}
		f := failure(t, err)
		switch {
		case f.Refused != (s.Means == "over"), errors.Is(err, auth.ErrSessionOver) != f.Refused,
			f.Unrecognized != (s.Means == "unknown") && s.Means != "keep", f.Doubtful && s.Means == "unknown":
			t.Errorf("%s: %d %s: %+v, want %s", s.Who, s.Status, s.Body, f, s.Means)
		case s.Means == "unknown" && !strings.Contains(f.Hint, `refresh.refused to {"status":`):
			t.Errorf("%s: the hint names no setting: %s", s.Who, f.Hint)
		}
	}
}

func TestF75_A2xxThatEndsTheSession(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		cookies    []string // that the response sets
		over       bool
	}{
		{"the credential's cookie is deleted", `{}`, []string{"refresh_token=; Path=/; Max-Age=0"}, true},
		{"and expires", `{"message":"bye"}`, []string{"refresh_token=x; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"}, true},
		{"without a body", "", []string{"refresh_token=; Path=/"}, true},
		{"moved to another path", `{}`, []string{"refresh_token=; Path=/old; Max-Age=0", "refresh_token=r2; Path=/; HttpOnly"}, false},
		{"another cookie is deleted", `{}`, []string{"flash=; Path=/; Max-Age=0"}, false},
		{"deleted beside a new token", `{"accessToken":"t"}`, []string{"refresh_token=; Path=/; Max-Age=0"}, false},
		{"null session", `{"session":null}`, nil, true},
		{"null user and token", `{"user":null,"token":null}`, nil, true},
		{"deep", `{"data":{"session":null,"user":null},"error":null}`, nil, true},
		{"both tokens null", `{"accessToken":null,"refreshToken":null}`, nil, true},
		{"nobody is logged in", `{"isAuthenticated":false}`, nil, true},
		{"only no new token", `{"accessToken":null}`, nil, false},
		{"a user, and no new token", `{"user":{"id":7},"accessToken":null}`, nil, false},
		{"null session beside a rotated cookie", `{"session":null}`, []string{"refresh_token=r2; Path=/; HttpOnly"}, false},
		{"text", `{"message":"Your session has expired"}`, nil, true},
		{"text about the old token", `{"message":"Old refresh token revoked"}`, []string{"refresh_token=r2; Path=/; HttpOnly"}, false},
		{"good news", `{"message":"the token is still valid"}`, nil, false},
	} {
		var headers []string
		for _, c := range tt.cookies {
			headers = append(headers, "Set-Cookie", c)
		}
		call := callerOf(t, Settings{}, fakes.RespondJSON(200, tt.body, headers...))
		call.setCookie("refresh_token=r1; Path=/; HttpOnly")
		call.setCookie("flash=hello; Path=/; HttpOnly")
		if _, err := call.refresh(auth.Session{}); errors.Is(err, auth.ErrSessionOver) != tt.over || err != nil && !tt.over {
			t.Errorf("%s: %v, want over %t", tt.name, err, tt.over)
		}
	}
	call := callerOf(t, Settings{}, fakes.RespondJSON(200, `{"session":null,"user":null}`))
	if _, err := call.login(map[string]any{"email": "ada@x.test"}); err != nil {
		t.Errorf("a login without a session yet: %v", err)
	}
}

func TestF75_WhatIsNotUnderstoodIsSaidTheSameEachTime(t *testing.T) {
	n := 0
	call := callerOf(t, Settings{}, func(w http.ResponseWriter, r *http.Request) {
		n++
		fakes.RespondJSON(409, fmt.Sprintf(`{"message":"The moon says no to request 1000%d","request_id":"7f3a9%d"}`, n, n))(w, r)
	})
	call.setCookie("rt=r1")
	attempt := func() *auth.Error {
		_, err := call.refresh(auth.Session{})
		return failure(t, err)
	}
	a, b := attempt(), attempt()
	if !a.Unrecognized || a.Said == "" || a.Said != b.Said || a.Code != b.Code || a.Hint != b.Hint {
		t.Errorf("%+v\n%+v", a, b)
	}
	for _, want := range []string{"The moon says no", "refresh.refused"} {
		if !strings.Contains(a.Error(), want) {
			t.Errorf("%q is not in %v", want, a)
		}
	}
}

// TestF75_WordsThatMayMeanTheCredential: they end no session, and the server is not asked for ever at the same pace.
func TestF75_WordsThatMayMeanTheCredential(t *testing.T) {
	for body, want := range map[string]bool{
		`{"code":"TOKEN_EXPIRED","message":"The internal service token has expired"}`: true,
		`{"message":"Token revoked by the client"}`:                                   true,
		`{"message":"Invalid API key"}`:                                               false,
		`{"error":"invalid_client","error_description":"Invalid token"}`:              false,
	} {
		call := callerOf(t, Settings{}, fakes.RespondJSON(401, body))
		call.setCookie("rt=r1")
		_, err := call.refresh(auth.Session{})
		if f := failure(t, err); f.Refused || f.Doubtful || f.Unrecognized != want || f.Hint == "" {
			t.Errorf("%s: %+v", body, f)
		}
	}
}

func TestF75_RulesOfTheSettings(t *testing.T) {
	for _, tt := range []struct {
		rule   string
		status int
		body   string
		over   bool
	}{
		{`{"status":409}`, 409, `{}`, true},
		{`{"status":409}`, 400, `{}`, false},
		{`[{"status":409},{"code":"E_77"}]`, 400, `{"code":"e-77"}`, true},
		{`{"code":"E_77"}`, 400, `{"code":"E_78"}`, false},
		{`{"status":400,"code":"E_77"}`, 422, `{"code":"E_77"}`, false},
		{`{"body":"see you"}`, 400, `{"x":"see you later"}`, true},
		{`{"body":"see you"}`, 200, `see you later`, true},
		{`{"status":200,"body":"<title>Sign in"}`, 200, `<html><title>Sign in</title>`, true},
		{`{"status":200,"body":"<title>Sign in"}`, 200, `<html><title>Portal</title>`, false},
		{`{"status":503,"code":"E_77"}`, 503, `{"code":"E_77"}`, true},
		{`{"status":200}`, 200, `{"accessToken":"t"}`, false},
		{`{"code":"invalid_client"}`, 401, `{"error":"invalid_client"}`, true},
	} {
		var s Settings
		if err := json.Unmarshal([]byte(`{"refresh":{"refused":`+tt.rule+`}}`), &s); err != nil {
			t.Fatalf("%s: %v", tt.rule, err)
		}
		contentType := "application/json"
		if !json.Valid([]byte(tt.body)) {
			contentType = "text/html"
		}
		call := callerOf(t, s, fakes.Respond(tt.status, contentType, tt.body))
		call.setCookie("rt=r1")
		if _, err := call.refresh(auth.Session{}); errors.Is(err, auth.ErrSessionOver) != tt.over {
			t.Errorf("%s: %d %s: %v, want over %t", tt.rule, tt.status, tt.body, err, tt.over)
		}
	}
}

func TestF75_ARedirectToALoginPageIsARefusalIfSettingsSaySo(t *testing.T) {
	page := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			fakes.Respond(200, "text/html", fakes.HTML)(w, r)
			return
		}
		fakes.Respond(302, "text/plain", "", "Location", "/login")(w, r)
	}
	for _, method := range []string{"POST", "GET"} {
		for _, status := range []int{302, 303} {
			call := callerOf(t, Settings{Refresh: Call{Method: method, Refused: RefusedRules{{Status: status}}}}, page)
			call.setCookie("rt=r1")
			if _, err := call.refresh(auth.Session{}); errors.Is(err, auth.ErrSessionOver) != (status == 302) {
				t.Errorf("%s, a rule about %d: %v", method, status, err)
			}
		}
	}
	call := callerOf(t, Settings{}, page)
	call.setCookie("rt=r1")
	if _, err := call.refresh(auth.Session{}); err == nil || !strings.Contains(err.Error(), `refresh.refused to {"status": 302}`) {
		t.Errorf("the error does not name the setting: %v", err)
	}
}

func TestF75_MistakesInRules(t *testing.T) {
	for want, rules := range map[string]RefusedRules{
		"would refuse every response": {{}},
		"7 is not the status":         {{Status: 7}},
		"429 alone":                   {{Status: 429}},
		"a code has up to":            {{Code: strings.Repeat("x", 65)}},
		"printable":                   {{Code: "a\nb"}},
		"a part of a body":            {{Body: strings.Repeat("x", 1001)}},
	} {
		_, err := Settings{Refresh: Call{Refused: rules}, Logout: Call{Refused: rules}}.Bind(fakes.URL(t, asOrigin), auth.Attach{})
		if err == nil || !strings.Contains(err.Error(), "refresh.refused: ") || !strings.Contains(err.Error(), want) ||
			!strings.Contains(err.Error(), "logout.refused: a logout") {
			t.Errorf("%+v: %v, want %q", rules, err, want)
		}
	}
	for _, document := range []string{`{"stauts":400}`, `[{"status":"400"}]`, `422`, `"x"`, `[422]`} {
		var rules RefusedRules
		if err := json.Unmarshal([]byte(document), &rules); err == nil || !strings.Contains(err.Error(), "refused: give rules such as") {
			t.Errorf("%s: %v, %+v", document, err, rules)
		}
	}
}

func TestF76_ALoginThatWentToAWrongURLSaysSo(t *testing.T) {
	for _, status := range []int{404, 405} {
		for _, body := range []string{`{"message":"Not Found"}`, fakes.HTML, ``, `{"error":"Route not found"}`} {
			_, err := callerOf(t, Settings{}, fakes.RespondJSON(status, body)).login(map[string]any{"email": "a", "password": "b"})
			f := failure(t, err)
			if f.Refused || !strings.HasPrefix(f.Hint, "login.url is probably wrong: its default is /auth/login") {
				t.Errorf("%d %s: %v", status, body, err)
			}
		}
	}
}
