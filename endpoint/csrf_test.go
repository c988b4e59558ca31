package endpoint

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// guarded returns 403 unless the request's header has the token.
func guarded(header, token string, then http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "GET" && r.Header.Get(header) != token {
			fakes.RespondJSON(403, `{"message":"CSRF token mismatch"}`)(w, r)
			return
		}
		then(w, r)
	}
}

func TestF51_DoubleSubmit(t *testing.T) {
	for _, tt := range []struct {
		cookie, header, token string
		csrf                  CSRF
	}{
		{"csrf=tok1", "X-CSRF-Token", "tok1", CSRF{Cookie: "csrf"}},
		{"csrftoken=tok1", "X-CSRFToken", "tok1", CSRF{Cookie: "csrftoken", Header: "X-CSRFToken"}},
		{"XSRF-TOKEN=eyJ%2Bx%3D%3D", "X-XSRF-TOKEN", "eyJ+x==", CSRF{Cookie: "XSRF-TOKEN", Header: "X-XSRF-TOKEN"}},
		{"csrf=100%+a", "X-CSRF-Token", "100%+a", CSRF{Cookie: "csrf"}},
	} {
		call := callerOf(t, Settings{CSRF: tt.csrf}, guarded(tt.header, tt.token, fakes.RespondJSON(200, `{"token":"t"}`)))
		call.setCookie("rt=r1; HttpOnly")
		if _, err := call.refresh(auth.Session{}); err == nil || verdict(t, err) != "transient" || !strings.Contains(err.Error(), "csrf") {
			t.Errorf("%s missing: %v", tt.cookie, err)
		}
		call.setCookie(tt.cookie + "; Path=/")
		if _, err := call.refresh(auth.Session{}); err != nil {
			t.Errorf("%s, refresh: %v", tt.cookie, err)
		}
		if err := call.logout(auth.Session{}); err != nil {
			t.Errorf("%s, logout: %v", tt.cookie, err)
		}
		name, value := call.e.CSRFHeader(call.jar, fakes.URL(t, asOrigin+"/api/things"), auth.Session{})
		if name != call.e.CSRF.Header || value != tt.token {
			t.Errorf("%s, API: %s: %s", tt.cookie, name, value)
		}
	}
}

func TestF51_CookieForTheAPI(t *testing.T) {
	call := callerOf(t, Settings{CSRF: CSRF{Cookie: "csrf_refresh_token", APICookie: "csrf_access_token"}}, fakes.RespondJSON(200, `{"token":"t"}`))
	call.setCookie("csrf_refresh_token=forRefresh; Path=/")
	call.setCookie("csrf_access_token=forAPI; Path=/")
	call.setCookie("rt=r1; HttpOnly")
	if _, err := call.refresh(auth.Session{}); err != nil || call.last().header.Get("X-CSRF-Token") != "forRefresh" {
		t.Errorf("refresh showed %q, %v", call.last().header.Get("X-CSRF-Token"), err)
	}
	if _, value := call.e.CSRFHeader(call.jar, fakes.URL(t, asOrigin+"/api"), auth.Session{}); value != "forAPI" {
		t.Errorf("the API is shown %q", value)
	}
}

func TestF51_TokenOfAnEarlierResponse(t *testing.T) {
	for name, csrf := range map[string]CSRF{"header": {ResponseHeader: "X-Next-Csrf"}, "json": {ResponseJSON: "meta.csrf"}} {
		response := func(token string) http.HandlerFunc {
			return fakes.RespondJSON(200, `{"token":"t","meta":{"csrf":"`+token+`"}}`, "X-Next-Csrf", token)
		}
		call := callerOf(t, Settings{CSRF: csrf}, fakes.InTurn(response("tok1"), guarded("X-CSRF-Token", "tok1", response("tok2")), guarded("X-CSRF-Token", "tok2", response(""))))
		call.setCookie("rt=r1; HttpOnly")
		s, err := call.login(nil)
		if err != nil || s.CSRF.Reveal() != "tok1" {
			t.Fatalf("%s: %v", name, err)
		}
		if s, err = call.refresh(s); err != nil || s.CSRF.Reveal() != "tok2" {
			t.Fatalf("%s: %v", name, err)
		}
		if _, value := call.e.CSRFHeader(call.jar, call.e.base, s); value != "tok2" {
			t.Errorf("%s: the API is shown %q", name, value)
		}
		if s, err = call.refresh(s); err != nil || !s.CSRF.IsZero() {
			t.Errorf("%s: a response without one: %v", name, err)
		}
	}
}

func TestF51_TokenIsFetchedFirst(t *testing.T) {
	fetch := fakes.Respond(204, "", "", "Set-Cookie", "XSRF-TOKEN=a%3D; Path=/", "Set-Cookie", "laravel_session=s1; Path=/; HttpOnly")
	e := Settings{
		Login: Call{URL: "/login", Headers: map[string]string{"Origin": "https://spa.test"}},
		CSRF:  CSRF{Cookie: "XSRF-TOKEN", Header: "X-XSRF-TOKEN", URL: "/sanctum/csrf-cookie"},
	}
	call := callerOf(t, e, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/sanctum/csrf-cookie" {
			fetch(w, r)
			return
		}
		guarded("X-XSRF-TOKEN", "a=", fakes.RespondJSON(200, `{"token":"t"}`))(w, r)
	})
	if _, err := call.login(map[string]string{"email": "a"}); err != nil {
		t.Fatal(err)
	}
	if len(call.seen) != 2 || call.seen[0].method != "GET" || call.seen[0].header.Get("Origin") != "https://spa.test" || call.seen[1].cookie("laravel_session") != "s1" {
		t.Errorf("%+v", call.seen)
	}
	if _, err := call.login(map[string]string{"email": "a"}); err != nil || len(call.seen) != 3 {
		t.Errorf("a known token was fetched again: %d requests, %v", len(call.seen), err)
	}
}

func TestF51_StaleTokenIsFetchedAgainOnce(t *testing.T) {
	good := "new"
	e := Settings{CSRF: CSRF{ResponseJSON: "csrfToken", URL: "/csrf"}}
	call := callerOf(t, e, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/csrf" {
			fakes.RespondJSON(200, `{"csrfToken":"new"}`)(w, r)
			return
		}
		guarded("X-CSRF-Token", good, fakes.RespondJSON(200, `{"token":"t"}`))(w, r)
	})
	call.setCookie("rt=r1")
	s, err := call.refresh(auth.Session{CSRF: auth.NewSecret("old")})
	if err != nil || len(call.seen) != 3 || s.CSRF.Reveal() != "new" {
		t.Errorf("%d requests, %v, kept %q", len(call.seen), err, s.CSRF.Reveal())
	}
	good = "another"
	if _, err := call.refresh(s); verdict(t, err) != "transient" || len(call.seen) != 6 {
		t.Errorf("%d requests, %v; want one more try and no loop", len(call.seen), err)
	}
}

func TestF51_FetchFails(t *testing.T) {
	for _, h := range []http.HandlerFunc{fakes.Respond(500, "-", ""), fakes.Respond(404, "-", ""), fakes.Respond(503, "-", "", "Retry-After", "9")} {
		call := callerOf(t, Settings{CSRF: CSRF{Cookie: "c", URL: "/csrf"}}, h)
		call.setCookie("rt=r1")
		_, err := call.refresh(auth.Session{})
		if re := failure(t, err); !re.Unsent || re.Path != "/csrf" || !strings.Contains(re.Hint, "csrf.url") || len(call.seen) != 1 {
			t.Errorf("%+v", re)
		}
	}
}

func TestCSRFTokenNeverBreaksAHeader(t *testing.T) {
	call := callerOf(t, Settings{CSRF: CSRF{Cookie: "csrf"}}, fakes.RespondJSON(200, `{"token":"t"}`))
	call.setCookie("csrf=a%0d%0aX-Evil:%201; Path=/")
	call.setCookie("rt=r1")
	if _, err := call.refresh(auth.Session{}); err != nil || call.last().header.Get("X-CSRF-Token") != "" || call.last().header.Get("X-Evil") != "" {
		t.Errorf("%v, %v", call.last().header, err)
	}
	call = callerOf(t, Settings{CSRF: CSRF{ResponseJSON: "csrf"}}, fakes.RespondJSON(200, `{"token":"t","csrf":"a\r\nb"}`))
	if s, err := call.login(nil); err != nil || !s.CSRF.IsZero() {
		t.Errorf("%v, kept %q", err, s.CSRF.Reveal())
	}
}

func TestCSRFWithoutCookies(t *testing.T) {
	call := callerOf(t, Settings{CSRF: CSRF{Cookie: "csrf"}}, nil)
	if name, value := call.e.CSRFHeader(nil, call.e.base, auth.Session{}); name != "" || value != "" {
		t.Errorf("%s: %s", name, value)
	}
	call.setCookie("csrf=c; Path=/auth") // as a page of the auth server would see it
	if name, value := call.e.CSRFHeader(call.jar, fakes.URL(t, asOrigin+"/api"), auth.Session{}); name != "X-CSRF-Token" || value != "c" {
		t.Errorf("%s: %s", name, value)
	}
	call = callerOf(t, Settings{}, nil)
	if name, _ := call.e.CSRFHeader(call.jar, call.e.base, auth.Session{}); name != "" {
		t.Errorf("no CSRF is asked for: %s", name)
	}
}

func TestF105_ATokenThatIsNotWhereItWasLookedForIsSaid(t *testing.T) {
	for want, csrf := range map[string]CSRF{
		"in the cookie c":        {Cookie: "c", URL: "/page"},
		"in the form field f":    {ResponseField: "f", URL: "/page"},
		"in the meta element m":  {ResponseMeta: "m", URL: "/page"},
		"at a.b":                 {ResponseJSON: "a.b", URL: "/page"},
		"in the header X-Crumbs": {ResponseHeader: "X-Crumbs", URL: "/page"},
	} {
		call := callerOf(t, Settings{CSRF: csrf}, fakes.Respond(200, "text/html", `<html><input name="other" value="s3cret">`))
		_, err := call.login(map[string]string{"password": "pw"})
		if f := failure(t, err); !f.Unsent || f.Path != "/page" || !strings.Contains(err.Error(), want) || len(call.seen) != 1 {
			t.Errorf("%v, want %q; %d requests", err, want, len(call.seen))
		}
	}
}

func TestF105_TheTokenIsFetchedAnewAfterALoginThatChangedIt(t *testing.T) {
	for _, changes := range []bool{true, false} {
		pages := 0
		call := callerOf(t, Settings{CSRF: CSRF{ResponseField: "f", URL: "/page?x=1", Field: "f"}}, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/page" {
				pages++
				fakes.Respond(200, "text/html", fmt.Sprintf(`<html><input name=f value=v%d>`, pages))(w, r)
				return
			}
			if changes {
				w.Header().Set("Set-Cookie", "sid=s1; Path=/")
			}
			fakes.RespondJSON(200, `{"token":"t"}`)(w, r)
		})
		s, err := call.login(map[string]string{"password": "pw"})
		if err != nil || call.seen[1].body != `{"f":"v1","password":"pw"}` || call.seen[1].header.Get("Referer") != asOrigin+"/page" {
			t.Errorf("%v, sent %+v", err, call.seen[1])
		}
		if want := map[bool]string{true: "v2", false: "v1"}[changes]; s.CSRF.Reveal() != want || pages != map[bool]int{true: 2, false: 1}[changes] {
			t.Errorf("cookies change: %v; kept %s after %d pages", changes, s.CSRF.Reveal(), pages)
		}
	}
}
