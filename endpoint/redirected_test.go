package endpoint

import (
	"net/http"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

func TestF86_RedirectsAreResponses(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		e := Settings{
			Login:       Call{URL: "/login", Encoding: "form", AcceptedStatus: []int{status}, Refused: RefusedRules{{Location: "error="}}},
			Refresh:     Call{Method: "GET", URL: "/me", Touch: true, Refused: RefusedRules{{Status: status}}},
			AccessToken: AccessTokenAt{Cookie: "sid"},
		}
		call := callerOf(t, e, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path != "/login":
				http.Redirect(w, r, "/login", status)
			case r.FormValue("password") == "right":
				http.SetCookie(w, &http.Cookie{Name: "sid", Value: "s1", Path: "/"})
				http.Redirect(w, r, "/home", status)
			default:
				http.Redirect(w, r, "/login?error=bad", status)
			}
		})
		_, err := call.login(map[string]string{"password": "wrong"})
		if f := failure(t, err); !f.Refused || f.Status != status || len(call.seen) != 1 {
			t.Errorf("%d: a redirect as refusal: %+v, %d requests", status, f, len(call.seen))
		}
		s, err := call.login(map[string]string{"password": "right"})
		if err != nil || s.AccessToken.Reveal() != "s1" || len(call.seen) != 2 {
			t.Fatalf("%d: a redirect as success: %v, %d requests", status, err, len(call.seen))
		}
		_, err = call.refresh(s)
		if f := failure(t, err); !f.Refused || f.Status != status || len(call.seen) != 3 {
			t.Errorf("%d: a redirect as end of the session: %+v, %d requests", status, f, len(call.seen))
		}
	}
}

func TestF86_WhatTheSettingsDoNotExpectIsNoSuccess(t *testing.T) {
	e := Settings{Login: Call{URL: "/login", AcceptedStatus: []int{302}}, AccessToken: AccessTokenAt{Cookie: "sid"}}
	call := callerOf(t, e, fakes.Respond(200, "text/html", "<form>Please enter a correct username</form>", "Set-Cookie", "sid=s0; Path=/"))
	_, err := call.login(map[string]string{"username": "ada"})
	if f := failure(t, err); f.Refused || f.Status != 200 || !strings.Contains(f.Hint, "login.refused") {
		t.Errorf("%+v", f)
	}
	e.Login.Refused = RefusedRules{{Status: 200}}
	call.bind(e, asOrigin)
	_, err = call.login(map[string]string{"username": "ada"})
	if f := failure(t, err); !f.Refused {
		t.Errorf("%+v", f)
	}
}

func TestF86_MistakesAreNamed(t *testing.T) {
	e := Settings{
		Login:  Call{AcceptedStatus: []int{302, 999}, Refused: RefusedRules{{Status: 302}}, Touch: true},
		Logout: Call{Take: map[string]ValueAt{"x": {JSON: "y"}}},
	}
	_, err := e.Bind(fakes.URL(t, asOrigin), auth.Attach{})
	for _, want := range []string{"login.accepted_status: 999", "302 is in accepted_status and in refused;", "login.touch",
		"logout.take"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("nothing about %q in %v", want, err)
		}
	}
}

func TestF86_ARedirectAfterALoginNamesTheSetting(t *testing.T) {
	call := callerOf(t, Settings{}, fakes.Respond(302, "text/html", "", "Location", "/home?t=s3cret", "Set-Cookie", "sid=s1"))
	_, err := call.login(map[string]string{"password": "pw"})
	if f := failure(t, err); f.Refused || f.Status != 302 || !strings.Contains(err.Error(), "login.accepted_status") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("%+v", f)
	}
}
