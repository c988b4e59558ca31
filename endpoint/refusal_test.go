package endpoint

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// verdict is what a failure means, in one word.
func verdict(tb testing.TB, err error) string {
	tb.Helper()
	if err == nil {
		return "ok"
	}
	re := failure(tb, err)
	switch {
	case re.Refused:
		return "over"
	case re.Unsent:
		return "unsent"
	case re.MaybeSpent:
		return "unknown"
	case re.Doubtful:
		return "doubtful"
	default:
		return "transient"
	}
}

func TestF24_WhatARefreshFailureMeans(t *testing.T) {
	clears := []string{"Set-Cookie", "rt=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"}
	for _, tt := range []struct {
		status            int
		contentType, body string
		headers           []string
		want              string
	}{
		{400, "application/json", `{"error":"invalid_grant"}`, nil, "over"},
		{400, "application/json", `{"error":"invalid_grant","error_description":"Token is not active"}`, nil, "over"},
		{403, "application/json", `{"error":"invalid_grant"}`, nil, "over"},
		{400, "application/x-www-form-urlencoded", `error=invalid_grant`, nil, "over"},
		{400, "application/json", `{"error":{"code":400,"message":"TOKEN_EXPIRED","status":"INVALID_ARGUMENT"}}`, nil, "over"},
		{400, "application/json", `{"code":400,"error_code":"refresh_token_not_found","msg":"Invalid Refresh Token: Refresh Token Not Found"}`, nil, "over"},
		{401, "application/json", `{"code":"token_not_valid","detail":"Token is invalid or expired"}`, nil, "over"},
		{422, "application/json", `{"message":"Refresh token expired."}`, nil, "over"},
		{401, "application/json", `{"message":"Unauthorized"}`, nil, "over"},
		{401, "text/plain", "Unauthorized", nil, "over"},
		{401, "text/html; charset=utf-8", "Access denied", nil, "over"}, // what Express sends for a text
		{401, "-", "", nil, "over"},
		{401, "text/html", fakes.HTML, nil, "transient"},
		{401, "text/plain", fakes.HTML, nil, "transient"},
		{401, "application/json", `{"error":"invalid_client"}`, nil, "transient"},
		{401, "application/json", `{"message":"Invalid API key"}`, nil, "transient"},
		{401, "application/json", `{"msg":"CSRF double submit tokens do not match"}`, nil, "transient"},
		{401, "application/json", `{"message":"Unauthorized","csrfToken":"abc"}`, nil, "over"},
		{403, "application/json", `{"message":"Forbidden"}`, nil, "doubtful"},
		{403, "text/plain", "Forbidden", nil, "doubtful"},
		{403, "application/json", `{"message":"Forbidden"}`, clears, "over"},
		{403, "application/json", `{"message":"Forbidden"}`, []string{"Set-Cookie", "rt=; Path=/"}, "over"},
		{403, "application/json", `{"message":"Forbidden"}`, []string{"Set-Cookie", "rt=new; Path=/"}, "doubtful"},
		{403, "application/json", `{"message":"Forbidden"}`, []string{"Set-Cookie", "other=; Max-Age=0"}, "doubtful"},
		{403, "text/html", fakes.HTML, clears, "transient"},
		{403, "application/json", `{"code":"EBADCSRFTOKEN","message":"invalid csrf token"}`, nil, "transient"},
		{403, "text/html", "<h1>Forbidden</h1><p>CSRF verification failed. Request aborted.</p>", nil, "transient"},
		{419, "application/json", `{"message":"Page Expired"}`, nil, "transient"},
		{400, "application/json", `{"message":"bad request"}`, nil, "transient"},
		{400, "application/json", `{"error":"unsupported_grant_type"}`, nil, "transient"},
		{400, "application/json", `{"error":"temporarily_unavailable"}`, nil, "transient"},
		{422, "application/json", `{"message":"validation failed"}`, nil, "transient"},
		{404, "application/json", `{}`, nil, "transient"},
		{405, "text/plain", "", nil, "transient"},
		{407, "text/plain", "", nil, "transient"},
		{415, "text/plain", "", nil, "transient"},
		{408, "text/plain", "", nil, "transient"},
		{429, "application/json", `{"error":"invalid_grant"}`, nil, "unsent"},
		{429, "text/html", fakes.HTML, nil, "unsent"},
		{503, "text/plain", "try later", nil, "unsent"},
		{500, "application/json", `{"error":"invalid_grant"}`, nil, "unknown"},
		{500, "text/html", fakes.HTML, nil, "unknown"},
		{502, "text/html", fakes.HTML, nil, "unknown"},
		{504, "", "", nil, "unknown"},
		{200, "text/html", fakes.HTML, nil, "transient"},
		{200, "application/json", fakes.HTML, nil, "transient"},
		{304, "", "", nil, "transient"},
	} {
		call := callerOf(t, Settings{}, fakes.Respond(tt.status, tt.contentType, tt.body, tt.headers...))
		call.setCookie("rt=r1; Path=/; HttpOnly")
		_, err := call.refresh(auth.Session{})
		if got := verdict(t, err); got != tt.want {
			t.Errorf("%d %s %.60q %v: %s, want %s (%v)", tt.status, tt.contentType, tt.body, tt.headers, got, tt.want, err)
		}
	}
}

func TestF24_NetworkErrorsAreTransient(t *testing.T) {
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{dial, "unsent"},
		{&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "as.test"}}, "unsent"},
		{&net.OpError{Op: "read", Net: "tcp", Err: errors.New("connection reset by peer")}, "unknown"},
		{io.EOF, "unknown"},
		{io.ErrUnexpectedEOF, "unknown"},
		{context.DeadlineExceeded, "unknown"},
		{errors.New("something strange"), "unknown"},
	} {
		call := callerOf(t, Settings{}, nil)
		call.hc.Transport = fakes.RoundTripFunc(func(*http.Request) (*http.Response, error) { return nil, tt.err })
		call.setCookie("rt=r1")
		_, err := call.refresh(auth.Session{})
		if got := verdict(t, err); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.err, got, tt.want)
		}
		if _, ok := errors.AsType[*url.Error](err); ok {
			t.Errorf("%v: the error holds a *url.Error", tt.err)
		}
	}
}

func TestF24_DeadServerIsUnsent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	for _, scheme := range []string{"http://", "https://"} {
		call := callerOf(t, Settings{}, nil)
		call.bind(Settings{}, scheme+l.Addr().String())
		transport := &http.Transport{}
		call.hc.Transport = transport
		call.setCookie("rt=r1")
		_, err = call.refresh(auth.Session{})
		if got := verdict(t, err); got != "unsent" {
			t.Errorf("%s: %s, want unsent (%v)", scheme, got, err)
		}
	}
}

func TestF24_StatusesThatTheSettingsAdd(t *testing.T) {
	for _, status := range []int{200, 400, 404, 419, 422, 498} {
		e := Settings{Refresh: Call{Refused: RefusedRules{{Status: status}}}}
		call := callerOf(t, e, fakes.RespondJSON(status, `{"success":false,"message":"log in again"}`))
		call.setCookie("rt=r1")
		if _, err := call.refresh(auth.Session{}); !errors.Is(err, auth.ErrSessionOver) {
			t.Errorf("%d is not taken for the end: %v", status, err)
		}
	}
}

func TestF24_LoginFailures(t *testing.T) {
	for _, tt := range []struct {
		status     int
		body, want string
	}{
		{400, `{"message":"Incorrect username or password"}`, "over"},
		{401, `{"message":"Unauthorized"}`, "over"},
		{403, `{"error":"invalid_grant"}`, "over"},
		{422, `{"errors":{"email":["The provided credentials are incorrect."]}}`, "over"},
		{200, `{"success":false,"message":"wrong password"}`, "over"},
		{400, `{"error":"unsupported_grant_type"}`, "transient"},
		{401, `{"error":"invalid_client"}`, "transient"},
		{419, `{"message":"CSRF token mismatch."}`, "transient"},
		{404, `{}`, "transient"},
		{500, `{}`, "unknown"},
		{429, `{}`, "unsent"},
		{401, fakes.HTML, "transient"},
	} {
		_, err := callerOf(t, Settings{}, fakes.RespondJSON(tt.status, tt.body)).login(map[string]any{"email": "a", "password": "b"})
		if got := verdict(t, err); got != tt.want {
			t.Errorf("%d %.50q: %s, want %s (%v)", tt.status, tt.body, got, tt.want, err)
		}
		if errors.Is(err, auth.ErrSessionOver) {
			t.Errorf("%d: a failed login is not the end of a session", tt.status)
		}
	}
}

func TestF33_ErrorsNameTheSettingToLookAt(t *testing.T) {
	for _, tt := range []struct {
		status            int
		contentType, body string
		want              string
	}{
		{401, "application/json", `{"error":"invalid_client"}`, "refresh.headers"},
		{403, "application/json", `{"message":"CSRF token missing"}`, "csrf settings"},
		{419, "text/plain", "", "csrf settings"},
		{400, "application/json", `{"message":"refreshToken is required"}`, "refresh.refresh_token_field"},
		{422, "application/json", `{}`, "set refresh.refused to {\"status\":422}"},
		{404, "text/html", fakes.HTML, "refresh.url"},
		{404, "application/json", "{}", "refresh.url"},
		{405, "text/plain", "", "refresh.method"},
		{415, "text/plain", "", "refresh.encoding"},
		{200, "text/html", fakes.HTML, "refresh.url"},
		{302, "text/plain", "", "refresh.url"},
	} {
		call := callerOf(t, Settings{}, fakes.Respond(tt.status, tt.contentType, tt.body))
		call.setCookie("rt=r1")
		_, err := call.refresh(auth.Session{})
		if re := failure(t, err); re.Refused || !strings.Contains(re.Error(), tt.want) {
			t.Errorf("%d %.40q: %v; want it to name %q, and the session to live", tt.status, tt.body, err, tt.want)
		}
	}
}

func TestF48_ErrorsHoldNoSecret(t *testing.T) {
	const secret = "s3cr3t-refresh-token-value"
	old := auth.Session{RefreshToken: auth.NewSecret(secret), AccessToken: auth.NewSecret("s3cr3t-access-token-value")}
	e := Settings{Refresh: Call{Method: "GET", URL: "/refresh?key=s3cr3t-key", RefreshTokenField: "rt", AccessTokenHeader: "Authorization"}}
	handlers := map[string]http.HandlerFunc{
		"code":      fakes.RespondJSON(400, `{"error":"`+secret+`"}`),
		"message":   fakes.RespondJSON(401, `{"message":"`+secret+`","code":"s3cr3t-refresh"}`),
		"text":      fakes.Respond(403, "text/plain", secret),
		"html":      fakes.Respond(200, "text/html", "<html>"+secret),
		"garbage":   fakes.RespondJSON(200, `{"x":`+secret),
		"media":     fakes.Respond(200, "image/png", secret),
		"redirect":  fakes.Respond(302, "text/plain", "", "Location", "/other?"+secret+"="+secret),
		"elsewhere": fakes.Respond(307, "text/plain", "", "Location", "https://evil.test/"+secret+"?"+secret),
		"challenge": fakes.Respond(401, "text/plain", "", "WWW-Authenticate", `Bearer error="`+secret+`"`),
	}
	for name, h := range handlers {
		_, err := callerOf(t, e, h).refresh(old)
		if err == nil || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, cause := range []error{
		&url.Error{Op: "Get", URL: "https://as.test/refresh?rt=" + secret, Err: io.EOF},
		errors.New(`malformed HTTP response "` + secret + `"`),
		errors.New("proxy: cannot reach https://as.test/refresh?rt=" + secret),
	} {
		call := callerOf(t, e, nil)
		call.hc.Transport = fakes.RoundTripFunc(func(*http.Request) (*http.Response, error) { return nil, cause })
		if _, err := call.refresh(old); err == nil || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%T: %v", cause, err)
		}
	}
}

func TestRefusalSaysItsCode(t *testing.T) {
	for body, want := range map[string]string{
		`{"error":"invalid_grant"}`:                                   "invalid_grant",
		`{"code":"token_not_valid","detail":"expired"}`:               "token_not_valid",
		`{"errors":[{"extensions":{"code":"INVALID_CREDENTIALS"}}]}`:  "INVALID_CREDENTIALS",
		`{"error":"a text for people","code":"E_1"}`:                  "E_1",
		`{"error":"` + strings.Repeat("x", 65) + `"}`:                 "",
		`{"error":"line\nbreak"}`:                                     "",
		`{"error":"\u001b[31mred"}`:                                   "",
		`{"error":42,"code":[],"message":{}}`:                         "",
		`["invalid_grant"]`:                                           "",
		`{"statusCode":401,"message":"no","error":"Unauthorized"}`:    "Unauthorized",
		`{"error":{"code":"session_expired","message":"It is over"}}`: "session_expired",
	} {
		call := callerOf(t, Settings{}, fakes.RespondJSON(401, body))
		call.setCookie("rt=r1")
		_, err := call.refresh(auth.Session{})
		if re := failure(t, err); re.Code != want || re.Path != "/auth/refresh" || re.Status != 401 || re.Op != auth.KindRefresh {
			t.Errorf("%s: %+v, want code %q", body, re, want)
		}
	}
	call := callerOf(t, Settings{}, fakes.Respond(401, "text/plain", "", "WWW-Authenticate", `Bearer realm="x", error="invalid_token"`))
	call.setCookie("rt=r1")
	if _, err := call.refresh(auth.Session{}); failure(t, err).Code != "invalid_token" {
		t.Errorf("from the challenge: %v", err)
	}
}
