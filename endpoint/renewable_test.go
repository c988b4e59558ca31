package endpoint

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

func TestF59_WhatKeepsASessionFromBeingRenewed(t *testing.T) {
	a, r := auth.NewSecret("a"), auth.NewSecret("r")
	soon := time.Now().Add(time.Hour)
	cookie := func(c auth.Cookie) []auth.Cookie {
		c.Name, c.Value, c.HttpOnly = "refreshToken", r, true
		return []auth.Cookie{{Name: "theme", Value: auth.NewSecret("dark"), Domain: "api.test", HostOnly: true, Path: "/x"}, c}
	}
	here := auth.Cookie{Domain: "api.test", HostOnly: true, Path: "/"}
	for _, tt := range []struct {
		name string
		base string
		e    Settings
		s    auth.Session
		want string // "": renewable
	}{
		{"cookie", "", Settings{}, auth.Session{AccessToken: a, Cookies: cookie(here)}, ""},
		{"cookie with a Path", "", Settings{}, auth.Session{Cookies: cookie(auth.Cookie{Domain: "api.test", HostOnly: true, Path: "/auth"})}, ""},
		{"cookie of the Domain", "", Settings{}, auth.Session{Cookies: cookie(auth.Cookie{Domain: "api.test", Path: "/auth/refresh"})}, ""},
		{"brought cookie", "", Settings{}, auth.Session{Cookies: []auth.Cookie{{Name: "rt", Value: r}}}, ""},
		{"Secure on loopback", "http://127.0.0.1:8080", Settings{}, auth.Session{Cookies: []auth.Cookie{{Name: "rt", Value: r, Secure: true}}}, ""},
		{"field", "", Settings{Refresh: Call{RefreshTokenField: "t"}}, auth.Session{RefreshToken: r}, ""},
		{"header", "", Settings{Refresh: Call{RefreshTokenHeader: "Authorization"}}, auth.Session{RefreshToken: r}, ""},
		{"access token renews itself", "", Settings{Refresh: Call{AccessTokenHeader: "Authorization"}}, auth.Session{AccessToken: a, Expires: soon}, ""},
		{"access token with a cookie", "", Settings{Refresh: Call{AccessTokenHeader: "Authorization"}}, auth.Session{AccessToken: a, Cookies: cookie(here)}, ""},

		{"nothing", "", Settings{}, auth.Session{AccessToken: a}, "neither a cookie nor a refresh token"},
		{"field and no token", "", Settings{Refresh: Call{RefreshTokenField: "t"}}, auth.Session{AccessToken: a}, "refresh_token.json"},
		{"token and no field", "", Settings{}, auth.Session{AccessToken: a, RefreshToken: r}, "set refresh.refresh_token_field"},
		{"no endpoint", "", Settings{Refresh: Call{URL: "-"}}, auth.Session{Cookies: cookie(here)}, `refresh.url is "-"`},
		{"CSRF cookie only", "", Settings{CSRF: CSRF{Cookie: "theme"}}, auth.Session{Cookies: cookie(here)[:1]}, "neither a cookie"},
		{"end unknown", "", Settings{Refresh: Call{AccessTokenHeader: "Authorization"}}, auth.Session{AccessToken: a}, "access_token.expires_json"},
		{"cookie token, end unknown", "", Settings{AccessToken: AccessTokenAt{Cookie: "refreshToken"}}, auth.Session{AccessToken: r, Cookies: cookie(here)}, "access_token.expires_json"},
		{"Path", "", Settings{}, auth.Session{Cookies: cookie(auth.Cookie{Domain: "api.test", HostOnly: true, Path: "/api/auth"})}, "refreshToken does not go to /auth/refresh: its Path is /api/auth"},
		{"Path that only begins so", "", Settings{}, auth.Session{Cookies: cookie(auth.Cookie{Domain: "api.test", HostOnly: true, Path: "/auth/ref"})}, "its Path is /auth/ref"},
		{"Domain", "", Settings{Refresh: Call{URL: "https://id.test/refresh"}}, auth.Session{Cookies: cookie(here)}, "its Domain is api.test, and the URL's host is id.test"},
		{"Secure", "http://lan.test", Settings{}, auth.Session{Cookies: cookie(auth.Cookie{Domain: "lan.test", HostOnly: true, Path: "/", Secure: true})}, "it is Secure, and the URL is plain http"},
		{"ended by this clock", "", Settings{}, auth.Session{Cookies: cookie(auth.Cookie{Domain: "api.test", HostOnly: true, Path: "/", Expires: time.Now().Add(-time.Hour)})}, ""},
		{"several", "", Settings{}, auth.Session{Cookies: cookie(auth.Cookie{Domain: "other.test", Path: "/else"})}, "do not fit"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.base == "" {
				tt.base = "https://api.test"
			}
			e, err := tt.e.Bind(fakes.URL(t, tt.base), auth.Attach{})
			if err != nil {
				t.Fatal(err)
			}
			err = e.CheckRenewable(tt.s)
			if tt.want == "" && err != nil {
				t.Errorf("not renewable: %v", err)
			}
			if tt.want != "" && (!errors.Is(err, auth.ErrNotRenewable) || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want ErrNotRenewable with %q", err, tt.want)
			}
		})
	}
}

func TestF59_CookieThatWasNotTakenIsSaid(t *testing.T) {
	for line, want := range map[string]string{
		"refreshToken=r; Secure; HttpOnly":             "it is Secure, and the URL is plain http",
		"refreshToken=r; Domain=other.test; HttpOnly":  `its Domain is "other.test", and the URL's host is lan.test`,
		"__Host-refresh=r; Path=/auth; HttpOnly":       "contradict",
		"refreshToken=r; Path=/elsewhere; HttpOnly":    "its Path is /elsewhere",
		"refreshToken=r; Path=/; HttpOnly":             "",
		"refreshToken=; Domain=other.test; HttpOnly":   "neither a cookie nor a refresh token",
		"tracking=r; Domain=other.test; Max-Age=99999": "neither a cookie nor a refresh token",
	} {
		call := callerOf(t, Settings{}, fakes.RespondJSON(200, `{"token":"t"}`, "Set-Cookie", line))
		call.bind(Settings{}, "http://lan.test")
		s, err := call.login(nil)
		if err != nil {
			t.Fatal(err)
		}
		s.Cookies = call.jar.All()
		err = call.e.CheckRenewable(s)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
}

func TestRefreshWithNothingToPresentIsNotSent(t *testing.T) {
	for _, s := range []auth.Session{{}, {AccessToken: auth.NewSecret("a")}, {RefreshToken: auth.NewSecret("r")}} {
		call := callerOf(t, Settings{CSRF: CSRF{Cookie: "csrf"}}, fakes.RespondJSON(401, "{}"))
		call.setCookie("csrf=c; Path=/")
		if _, err := call.refresh(s); !errors.Is(err, auth.ErrNotRenewable) || len(call.seen) > 0 {
			t.Errorf("%v, %d requests", err, len(call.seen))
		}
	}
}

func TestTooLateIsSaid(t *testing.T) {
	e := Settings{Refresh: Call{AccessTokenHeader: "Authorization"}}
	past, soon := time.Now().Add(-time.Minute), time.Now().Add(time.Minute)
	for _, tt := range []struct {
		name   string
		old    auth.Session
		cookie string
		late   bool
	}{
		{"after its end", auth.Session{AccessToken: auth.NewSecret("a"), Expires: past}, "", true},
		{"before its end", auth.Session{AccessToken: auth.NewSecret("a"), Expires: soon}, "", false},
		{"end unknown", auth.Session{AccessToken: auth.NewSecret("a")}, "", false},
		{"with a cookie", auth.Session{AccessToken: auth.NewSecret("a"), Expires: past}, "sid=s", false},
	} {
		call := callerOf(t, e, fakes.RespondJSON(401, `{"message":"expired"}`))
		if tt.cookie != "" {
			call.setCookie(tt.cookie)
		}
		_, err := call.refresh(tt.old)
		if got := strings.Contains(err.Error(), "too late"); got != tt.late || !errors.Is(err, auth.ErrSessionOver) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	call := callerOf(t, Settings{AccessToken: AccessTokenAt{Cookie: "at"}, Refresh: Call{Method: http.MethodGet}}, fakes.RespondJSON(401, "{}"))
	call.setCookie("at=a")
	if _, err := call.refresh(auth.Session{AccessToken: auth.NewSecret("a"), Expires: past}); !strings.Contains(err.Error(), "renew earlier") {
		t.Errorf("cookie token: %v", err)
	}
}
