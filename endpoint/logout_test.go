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

func TestF109_OnlyAResponseThatMeansItIsALogout(t *testing.T) {
	cookie, bearer := Settings{}, Settings{Logout: Call{AccessTokenHeader: "Authorization"}}
	web := Settings{AccessToken: AccessTokenAt{Cookie: "sid"}}
	to := func(status int, location string) http.HandlerFunc {
		return fakes.Respond(status, "text/html", "<p>See there</p>", "Location", location)
	}
	for _, tt := range []struct {
		name string
		e    Settings
		h    http.HandlerFunc
		want string // "" for logged out
	}{
		{"200", cookie, fakes.RespondJSON(200, `{"ok":true}`), ""},
		{"204", cookie, fakes.Respond(204, "", ""), ""},
		{"302", cookie, to(302, "/login"), ""},
		{"303 elsewhere", cookie, to(303, "https://idp.test/bye"), ""},
		{"401 to a cookie", cookie, fakes.RespondJSON(401, `{"message":"no session"}`), ""},
		{"401 to a live token", bearer, fakes.RespondJSON(401, `{"error":"invalid_token"}`), ""},
		{"its own page", web, fakes.Respond(200, "text/html", "<h1>Goodbye</h1>"), ""},
		{"a page that deletes the cookie", cookie, fakes.Respond(200, "text/html", "<h1>Bye</h1>", "Set-Cookie", "sid=; Max-Age=0"), ""},
		{"404 that is accepted", Settings{Logout: Call{AcceptedStatus: []int{204, 404}}}, fakes.Respond(404, "", ""), ""},

		{"404", cookie, fakes.RespondJSON(404, `{}`), "logout.url"},
		{"405", cookie, fakes.RespondJSON(405, `{}`), "logout.method"},
		{"404 that names the session", cookie, fakes.RespondJSON(404, `{"error":"session_not_found"}`), "404"},
		{"403", cookie, fakes.RespondJSON(403, `{}`), "403"},
		{"500", cookie, fakes.RespondJSON(500, `{}`), "500"},
		{"301", cookie, to(301, "/auth/logout/"), "redirects to /auth/logout/"},
		{"302 to the same place", cookie, to(302, "https://as.test/auth/logout/"), "redirects to /auth/logout/"},
		{"a portal's page", cookie, fakes.Respond(200, "text/html", fakes.HTML), "captive portal"},
		{"a success that complains", cookie, fakes.RespondJSON(200, `{"success":false}`), "says that it failed"},
		{"401 about the client", cookie, fakes.RespondJSON(401, `{"error":"invalid_client"}`), "this client"},
		{"401 about CSRF", cookie, fakes.RespondJSON(401, `{"message":"CSRF token mismatch"}`), "CSRF"},
		{"a success that is none", Settings{Logout: Call{AcceptedStatus: []int{204}}}, fakes.RespondJSON(200, `{}`), "200"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			call := callerOf(t, tt.e, tt.h)
			call.setCookie("sid=s1; Path=/; HttpOnly")
			err := call.logout(auth.Session{AccessToken: auth.NewSecret("t1"), Expires: time.Now().Add(time.Hour)})
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if err != nil && failure(t, err).Op != auth.KindLogout {
				t.Errorf("%+v", err)
			}
		})
	}
}

func TestF109_ALogoutThatPresentsNothingReachesNoSession(t *testing.T) {
	for _, status := range []int{200, 204, 302, 401} {
		call := callerOf(t, Settings{}, fakes.Respond(status, "", "", "Location", "/"))
		call.setCookie("refreshToken=r1; Path=/auth/refresh; HttpOnly")
		s := auth.Session{AccessToken: auth.NewSecret("t1"), Cookies: call.jar.All()}
		err := call.logout(s)
		if !errors.Is(err, errNothingToRevoke) || !strings.Contains(err.Error(), "refreshToken goes to /auth/refresh only") {
			t.Errorf("%d: %v", status, err)
		}
	}
}

func TestF83_ALogoutWithAnEndedTokenRevokesNothing(t *testing.T) {
	for name, e := range map[string]Settings{
		"header":   {Logout: Call{AccessTokenHeader: "Authorization"}},
		"field":    {Logout: Call{AccessTokenField: "token"}},
		"template": {Logout: Call{Method: "DELETE", Headers: map[string]string{"X-Subject-Token": "{access_token}"}}},
	} {
		call := callerOf(t, e, fakes.RespondJSON(401, `{"error":"invalid_token"}`))
		if !call.e.LogoutNeedsAccessToken() {
			t.Errorf("%s: the logout presents the access token, and does not say so", name)
		}
		s := auth.Session{AccessToken: auth.NewSecret("t1"), RefreshToken: auth.NewSecret("r1"), Expires: time.Now().Add(-time.Minute)}
		if err := call.logout(s); !errors.Is(err, errEndedToken) {
			t.Errorf("%s: %v", name, err)
		}
		s.Expires = time.Now().Add(time.Minute)
		if err := call.logout(s); err != nil {
			t.Errorf("%s, alive: %v", name, err)
		}
	}
	for name, e := range map[string]Settings{"refresh token": {Logout: Call{RefreshTokenField: "t"}}, "none": {Logout: Call{URL: "-", AccessTokenField: "t"}}} {
		if callerOf(t, e, nil).e.LogoutNeedsAccessToken() {
			t.Errorf("%s: no access token is presented", name)
		}
	}
}
