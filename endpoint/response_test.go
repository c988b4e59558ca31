package endpoint

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/bearer"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
	"github.com/silentrefresh/silentrefresh/internal/response"
)

func TestF30_WhatIsNoResponseIsSaid(t *testing.T) {
	big := `{"accessToken":"` + strings.Repeat("x", response.MaxBody) + `"}`
	for _, tt := range []struct {
		name, contentType, body string
		headers                 []string
		want                    string // in the error
	}{
		{"HTML", "text/html", fakes.HTML, nil, "HTML"},
		{"HTML said to be JSON", "application/json", fakes.HTML, nil, "HTML"},
		{"HTML without a type", "-", fakes.HTML, nil, "HTML"},
		{"XML", "application/xml", "<a/>", nil, "XML"},
		{"truncated", "application/json", `{"accessToken":"t"`, nil, "cut off"},
		{"truncated list", "application/json", `[{"accessToken":"t"}`, nil, "cut off"},
		{"garbage", "application/json", "\x00\x01\x02", nil, "not valid JSON"},
		{"word", "application/json", "OK", nil, "not valid JSON"},
		{"two documents", "application/json", `{"accessToken":"a"}{"accessToken":"b"}`, nil, "not valid JSON"},
		{"binary", "application/octet-stream", "\x00\x01", nil, "octet-stream"},
		{"picture", "image/png", "\x89PNG", nil, "image/png"},
		{"binary text", "text/plain", "\x00\x01", nil, "text/plain"},
		{"bad form", "application/x-www-form-urlencoded", "a=%zz", nil, "form"},
		{"too long", "application/json", big, nil, "1 MiB"},
		{"gzip unasked", "application/json", "\x1f\x8b", []string{"Content-Encoding", "gzip"}, "Content-Encoding"},
		{"brotli", "application/json", "x", []string{"Content-Encoding", "br"}, "Content-Encoding"},
		{"error body", "application/json", `{"error":"server_error"}`, nil, "failed"},
		{"no success", "application/json", `{"success":false,"message":"nope"}`, nil, "failed"},
		{"GraphQL errors", "application/json", `{"errors":[{"message":"nope"}],"data":null}`, nil, "failed"},
		{"status", "application/json", `{"status":"error","data":{}}`, nil, "failed"},
		{"error that is true", "application/json", `{"error":true}`, nil, "failed"},
		{"error object", "application/json", `{"error":{"message":"nope"}}`, nil, "failed"},
		{"not ok", "application/json", `{"ok":false}`, nil, "failed"},
		{"no object", "application/xhtml+xml", "<html/>", nil, "HTML"},
		{"HTML later", "text/html", "Welcome <b>guest</b>", nil, "HTML"},
		{"empty token", "application/json", `{"accessToken":""}`, nil, "empty"},
		{"scheme and no token", "application/json", `{"accessToken":"Bearer "}`, nil, "empty"},
		{"token with a space", "application/json", `{"accessToken":"a b"}`, nil, "token was not taken"},
		{"token with a line break", "application/json", `{"accessToken":"a\r\nX-Evil: 1"}`, nil, "token was not taken"},
		{"token not ASCII", "application/json", `{"accessToken":"tökén"}`, nil, "token was not taken"},
		{"long token", "application/json", `{"accessToken":"` + strings.Repeat("x", bearer.MaxToken+1) + `"}`, nil, "64 KiB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			call := callerOf(t, Settings{}, fakes.Respond(200, tt.contentType, tt.body, tt.headers...))
			call.setCookie("rt=r1")
			s, err := call.refresh(auth.Session{})
			re := failure(t, err)
			if !strings.Contains(err.Error(), tt.want) || re.Refused || re.Unsent || !s.AccessToken.IsZero() || re.Status != 200 {
				t.Errorf("%v: %+v", err, re)
			}
			if strings.Contains(err.Error(), "Evil") || len(err.Error()) > 400 {
				t.Errorf("the error quotes the response: %v", err)
			}
		})
	}
}

func TestF30_GrantErrorsCountWhateverTheStatus(t *testing.T) {
	for _, body := range []string{`{"error":"invalid_grant"}`, `{"success":false,"code":"REFRESH_TOKEN_EXPIRED"}`, `{"errors":[{"extensions":{"code":"invalid_token"}}]}`} {
		call := callerOf(t, Settings{}, fakes.RespondJSON(200, body))
		call.setCookie("rt=r1")
		if _, err := call.refresh(auth.Session{}); verdict(t, err) != "over" {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestF30_BothEncodingsAreRead(t *testing.T) {
	token := fakes.JWT(t, "sub", "7")
	for _, tt := range []struct{ name, contentType, body, want string }{
		{"JSON", "application/json; charset=utf-8", `{"access_token":"t","expires_in":900}`, "t"},
		{"JSON with a mark", "application/json", "\xef\xbb\xbf {\"access_token\":\"t\",\"expires_in\":900}\r\n", "t"},
		{"problem type", "application/vnd.api+json", `{"access_token":"t","expires_in":900}`, "t"},
		{"JSON as text", "text/plain", `{"access_token":"t","expires_in":900}`, "t"},
		{"JSON as HTML", "text/html; charset=utf-8", `{"access_token":"t","expires_in":900}`, "t"},
		{"JSON without a type", "-", `{"access_token":"t","expires_in":900}`, "t"},
		{"form", "application/x-www-form-urlencoded", `access_token=t&expires_in=900`, "t"},
		{"form as text", "text/plain", `access_token=t&expires_in=900`, "t"},
		{"nothing but a JSON text", "application/json", `"` + token + `"`, token},
		{"nothing but the token", "text/plain", token + "\n", token},
		{"nothing but the token, as Express sends it", "text/html; charset=utf-8", token, token},
	} {
		s, err := callerOf(t, Settings{}, fakes.Respond(200, tt.contentType, tt.body)).login(nil)
		if err != nil || s.AccessToken.Reveal() != tt.want {
			t.Errorf("%s: %v, token %q", tt.name, err, s.AccessToken.Reveal())
		}
		if strings.Contains(tt.body, "900") && lives(s).Minutes() != 15 {
			t.Errorf("%s: lives %s", tt.name, lives(s))
		}
	}
}

func TestF30_CompressedResponseIsRead(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(`{"token":"t"}`))
	z.Close()
	for body, ok := range map[string]bool{b.String(): true, b.String()[:15]: false, "plain": false} {
		server := newServer(t, fakes.RespondJSON(200, body, "Content-Encoding", "gzip"))
		s, err := callerOver(t, Settings{}, server).login(nil)
		if (err == nil) != ok || ok && s.AccessToken.Reveal() != "t" {
			t.Errorf("%d bytes: %v", len(body), err)
		}
	}
}

func TestF30_EndlessResponseIsCut(t *testing.T) {
	server := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for chunk := strings.Repeat(" ", 64<<10); ; {
			if _, err := w.Write([]byte(chunk)); err != nil {
				return
			}
		}
	})
	if _, err := callerOver(t, Settings{}, server).login(nil); err == nil || !strings.Contains(err.Error(), "1 MiB") {
		t.Error(err)
	}
}

func TestF31_WhatIsOmittedIsLeftToBeCarriedForward(t *testing.T) {
	for _, field := range []string{"", `,"refresh_token":""`, `,"refresh_token":null`, `,"refresh_token":42`, `,"refresh_token":"a\nb"`} {
		e := Settings{Refresh: Call{RefreshTokenField: "refresh_token"}}
		call := callerOf(t, e, fakes.RespondJSON(200, `{"access_token":"t"`+field+`}`))
		old := auth.Session{RefreshToken: auth.NewSecret("r1"), Subject: "7", Account: "ada"}
		s, err := call.refresh(old)
		if err != nil || !s.RefreshToken.IsZero() || s.CarryForward(old).RefreshToken.Reveal() != "r1" {
			t.Errorf("%q: %v, new refresh token %q", field, err, s.RefreshToken.Reveal())
		}
	}
}

func TestF55_ResponseWithoutATokenIsNoFailure(t *testing.T) {
	for _, tt := range []struct {
		status            int
		contentType, body string
	}{
		{200, "application/json", `{}`}, {200, "application/json", `{"message":"the token is still valid"}`}, {200, "application/json", "null"},
		{200, "application/json", `[]`}, {200, "application/json", ""}, {204, "", ""}, {205, "", ""}, {200, "text/plain", "OK"},
		{200, "text/html; charset=utf-8", "OK"}, {200, "application/json", `{"accessToken":null}`}, {200, "application/json", `{"token":42,"error":null,"errors":[]}`},
		{200, "application/json", `{"error":"","success":true,"status":"success"}`}, {200, "application/json", `{"error":false,"ok":true}`},
		{201, "application/x-www-form-urlencoded", "status=ok"},
	} {
		call := callerOf(t, Settings{}, fakes.Respond(tt.status, tt.contentType, tt.body))
		call.setCookie("rt=r1")
		for _, kind := range []auth.Kind{auth.KindLogin, auth.KindRefresh} {
			s, err := call.e.Exchange(call.ctx, call.hc, auth.Grant{Kind: kind, Old: auth.Session{AccessToken: auth.NewSecret("old")}})
			if err != nil || !s.AccessToken.IsZero() || !s.Expires.IsZero() {
				t.Errorf("%s, %d %q: %v", kind, tt.status, tt.body, err)
			}
		}
		if len(call.seen) != 2 {
			t.Errorf("%d %q: %d requests", tt.status, tt.body, len(call.seen))
		}
	}
}

func TestResponseIsReadableByTheCaller(t *testing.T) {
	s, err := callerOf(t, Settings{}, fakes.RespondJSON(200, `{"token":"t","user":{"id":7}}`)).login(nil)
	var got struct{ User struct{ ID int } }
	if err != nil || s.Response.Decode(&got) != nil || got.User.ID != 7 {
		t.Errorf("%+v, %v", got, err)
	}
	s, err = callerOf(t, Settings{}, fakes.Respond(200, "application/x-www-form-urlencoded", "access_token=t")).login(nil)
	if err != nil || !s.Response.IsZero() {
		t.Errorf("a form is given as JSON: %v", err)
	}
}

func TestHostileDocumentsAreSearchedInBoundedTime(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 5000) + `1` + strings.Repeat(`}`, 5000)
	var wide strings.Builder
	for i := range 3_000 {
		wide.WriteString(`"k` + strconv.Itoa(i) + `":{"b":{}},`)
	}
	for _, body := range []string{deep, `{` + wide.String() + `"z":1}`, strings.Repeat("[", 9000) + strings.Repeat("]", 9000)} {
		if s, err := callerOf(t, Settings{}, fakes.RespondJSON(200, body)).login(nil); err != nil || !s.AccessToken.IsZero() {
			t.Errorf("%.20s: %v", body, err)
		}
	}
}

func FuzzResponse(f *testing.F) {
	for _, s := range []string{`{"accessToken":"t","expires_in":9}`, `{"tokens":{"access":{"token":"t","expires":"x"},"refresh":"r"}}`,
		`"eyJhbGciOiJub25lIn0.e30.x"`, `access_token=t&expires_in=1e999`, fakes.HTML, `[[[{"a":{"b":[]}}]]]`, "\xef\xbb\xbf{}", `{"error":{"code":"x"}}`, `{"user":{"email":"\u0000"}}`} {
		f.Add("application/json", s, 200)
		f.Add("text/plain", s, 401)
	}
	f.Add("application/x-www-form-urlencoded", "access_token=t&refresh_token=r", 200)
	f.Fuzz(func(t *testing.T, contentType, body string, status int) {
		if status < 200 || status > 599 {
			status = 200
		}
		call := callerOf(t, Settings{CSRF: CSRF{ResponseJSON: "csrf"}}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = []string{contentType}
			w.WriteHeader(status)
			w.Write([]byte(body))
		})
		call.setCookie("rt=r1")
		s, err := call.refresh(auth.Session{})
		token := s.AccessToken.Reveal()
		switch {
		case err != nil && token != "":
			t.Errorf("a token together with %v", err)
		case token != "" && (bearer.Check(token) != nil || !strings.Contains(body, token[:1])):
			t.Errorf("took %q", token)
		case err != nil && failure(t, err).Status != status:
			t.Errorf("status %d: %v", status, err)
		case !s.Expires.IsZero() && s.Expires.Before(s.Issued):
			t.Errorf("ends %s before it was issued", s.Issued.Sub(s.Expires))
		case printableName(s.Account) != s.Account:
			t.Errorf("account %q", s.Account)
		}
	})
}
