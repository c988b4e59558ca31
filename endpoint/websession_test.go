package endpoint

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// A kindOfWebapp is a web application that knows nothing of tokens, and the settings that suit it.
type kindOfWebapp struct {
	recipe       string // its name in docs/SERVERS.md
	app          func(*testing.T) *webapp
	right, wrong any           // credentials
	life         time.Duration // of the cookie, 0 if the server does not say
}

var kindsOfWebapps = []kindOfWebapp{
	{recipe: "express-session**", app: express, life: 30 * time.Minute, right: login("username", "ada"), wrong: login("username", "ada", "no")},
	{recipe: "Django**", app: django, life: 14 * 24 * time.Hour, right: login("username", "ada"), wrong: login("username", "ada", "no")},
	{recipe: "A servlet container's form login**", app: servlet, right: map[string]any{"j_username": "ada", "j_password": "pw"},
		wrong: map[string]any{"j_username": "ada", "j_password": "no"}},
	{recipe: "Rails with Devise**", app: devise, right: login("email", "ada@x.test"), wrong: login("email", "ada@x.test", "no")},
	{recipe: "Laravel Sanctum**", app: sanctum, life: 2 * time.Hour, right: login("email", "ada@x.test"), wrong: login("email", "ada@x.test", "no")},
	{recipe: "Auth.js**", app: authjs, life: 720 * time.Hour, right: login("email", "ada@x.test"), wrong: login("email", "ada@x.test", "no")},
	{recipe: "Directus, session mode", app: directus, life: 24 * time.Hour, right: login("email", "ada@x.test"), wrong: login("email", "ada@x.test", "no")},
}

// login are credentials, with the right password unless another is given.
func login(field, name string, password ...string) map[string]any {
	return map[string]any{field: name, "password": append(password, "pw")[0]}
}

// call makes an API request as an engine does: with the session's cookie, and the CSRF token where there is one.
func (call *caller) call(s auth.Session, path string) int {
	call.tb.Helper()
	u := fakes.URL(call.tb, asOrigin+path)
	req := &http.Request{Method: http.MethodPost, URL: u, Host: u.Host, Header: http.Header{"Referer": {asOrigin + "/"}}}
	auth.SetCookieHeader(req.Header, call.jar.SentTo(u))
	if name, value := call.e.CSRFHeader(call.jar, u, s); name != "" {
		req.Header.Set(name, value)
	}
	resp, err := call.hc.Transport.RoundTrip(req)
	if err != nil {
		call.tb.Fatal(err)
	}
	return resp.StatusCode
}

func TestF105_SessionCookies(t *testing.T) {
	for _, k := range kindsOfWebapps {
		t.Run(strings.ReplaceAll(k.recipe, "**", ""), func(t *testing.T) {
			app := k.app(t)
			call := callerOf(t, recipe(t, k.recipe), app.mux.ServeHTTP)
			_, err := call.login(k.wrong)
			if f := failure(t, err); !f.Refused {
				t.Errorf("wrong credentials: %v", err)
			}
			call.jar = auth.NewJar() // a login begins with none
			call.hc.Jar = call.jar
			s, err := call.login(k.right)
			if err != nil {
				t.Fatalf("login: %v", err)
			}
			cookie, ok := call.jar.Sole(app.cookie)
			if !ok || !cookie.Value.Equal(s.AccessToken) || app.loggedIn() != 1 {
				t.Fatalf("the token is not the cookie; %d sessions", app.loggedIn())
			}
			if got := lives(s).Round(time.Second); got != k.life {
				t.Errorf("lives %s, want %s", got, k.life)
			}
			if status := call.call(s, "/app/things"); status != 201 {
				t.Errorf("a POST to the API with the token of after the login: %d", status)
			}
			if err := call.e.CheckRenewable(withCookies(s, call.jar)); err != nil {
				t.Errorf("not renewable: %v", err)
			}
			s = k.renews(t, call, s)
			if status := call.call(s, "/app/things"); status != 201 {
				t.Errorf("a POST to the API after a renewal: %d", status)
			}
			if err := call.logout(s); err != nil || app.loggedIn() != 0 {
				t.Errorf("logout: %v, %d sessions left", err, app.loggedIn())
			}
		})
	}
}

// renews renews s twice. A server that has lost its sessions refuses it.
func (k kindOfWebapp) renews(t *testing.T, call *caller, s auth.Session) auth.Session {
	t.Helper()
	for range 2 {
		old := s
		next, err := call.refresh(old)
		if err != nil {
			t.Fatalf("renewal: %v", err)
		}
		s = next.CarryForward(old)
		if s.AccessToken.IsZero() || s.Issued.Before(old.Issued) || s.Expires.Before(old.Expires.Add(-time.Second)) || s.Ends.Before(old.Ends) {
			t.Errorf("a renewal made %+v of %+v", s, old)
		}
	}
	other := callerOf(t, recipe(t, k.recipe), k.app(t).mux.ServeHTTP)
	other.jar = auth.NewJar(call.jar.All()...)
	other.hc.Jar = other.jar
	_, err := other.refresh(s)
	if f := failure(t, err); !f.Refused {
		t.Errorf("an ended session: %v", err)
	}
	return s
}

func TestF105_IdleAndAbsoluteEnds(t *testing.T) {
	const settings = `{"login": {"url": "/login"}, "refresh": {"method": "GET", "url": "/me", "touch": true}, "access_token": {"cookie": "sid"},
		"session": {"idle_timeout": "30m", "absolute_timeout": "45m"}}`
	call := callerOf(t, settingsOf(t, settings), fakes.RespondJSON(200, `{}`, "Set-Cookie", "sid=s1; Path=/"))
	s, err := call.login(nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.Ends.Sub(s.Issued) != 30*time.Minute || s.Limit.Sub(s.Issued) != 45*time.Minute || !s.Expires.IsZero() {
		t.Errorf("after the login: %+v", s)
	}
	used := call.e.Timeouts().Used(s, s.Issued.Add(10*time.Minute))
	if used.Ends.Sub(s.Issued) != 40*time.Minute {
		t.Errorf("an API request after 10 min ends it after %s", used.Ends.Sub(s.Issued))
	}
	if used = call.e.Timeouts().Used(s, s.Issued.Add(20*time.Minute)); !used.Ends.Equal(s.Limit) {
		t.Errorf("an API request moved the absolute end: %s", used.Ends.Sub(s.Issued))
	}
	s.Limit = time.Now().Add(time.Minute)
	if next, err := call.refresh(s); err != nil || !next.Ends.Equal(s.Limit) || !next.Limit.Equal(s.Limit) {
		t.Errorf("a touch moved the absolute end: %+v, %v", next, err)
	}
}

func TestF105_ATouchTakesNoTokenThatIsNotNamed(t *testing.T) {
	call := callerOf(t, settingsOf(t, `{"refresh": {"method": "GET", "url": "/me", "touch": true, "access_token_header": "Authorization"}}`),
		fakes.RespondJSON(200, `{"token":"an API key","refresh_token":"another","user":{"email":"ada@x.test"}}`))
	old := auth.Session{AccessToken: auth.NewSecret("t1"), Expires: time.Now().Add(time.Hour)}
	s, err := call.refresh(old)
	if err != nil || !s.AccessToken.Equal(old.AccessToken) || !s.RefreshToken.IsZero() || !s.Expires.Equal(old.Expires) {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestF105_ATouchThatTakesTheSessionAway(t *testing.T) {
	e := settingsOf(t, `{"refresh": {"method": "GET", "url": "/me", "touch": true}, "access_token": {"cookie": "sid"}}`)
	for name, h := range map[string]http.HandlerFunc{
		"cookie deleted": fakes.RespondJSON(200, `{"user":null}`, "Set-Cookie", "sid=; Max-Age=0; Path=/"),
		"401":            fakes.RespondJSON(401, `{}`),
	} {
		call := callerOf(t, e, h)
		call.setCookie("sid=s1; Path=/")
		_, err := call.refresh(auth.Session{AccessToken: auth.NewSecret("s1")})
		if f := failure(t, err); !f.Refused {
			t.Errorf("%s: %v", name, err)
		}
	}
	call := callerOf(t, e, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login?next=/me", http.StatusFound) })
	call.setCookie("sid=s1; Path=/")
	_, err := call.refresh(auth.Session{AccessToken: auth.NewSecret("s1")})
	if f := failure(t, err); f.Refused || len(call.seen) != 1 || !strings.Contains(err.Error(), "/login") || strings.Contains(err.Error(), "next=") {
		t.Errorf("a redirect that no setting names: %v, %d requests", err, len(call.seen))
	}
}

func TestF105_BackAtTheLoginForm(t *testing.T) {
	e := settingsOf(t, `{"login": {"first": {"url": "/login"}, "url": "/login", "encoding": "form", "accepted_status": [302]}, "access_token": {"cookie": "sid"}}`)
	const form = "sid=s0; Path=/"
	for _, tt := range []struct {
		name, location, cookie string
		refused                bool
	}{
		{"elsewhere", "/home", "", false},
		{"back", "/login", "", true},
		{"back with a reason", "/login?error=1", "", true},
		{"back by a whole URL", asOrigin + "/login/", "", true},
		{"back with a cookie that rolls", "/login", form, true},
		{"a page that posts to itself", "/login", "sid=s1; Path=/", false},
		{"another host", "https://idp.test/login", "", false},
	} {
		call := callerOf(t, e, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				fakes.Respond(200, "text/html", "<form>", "Set-Cookie", form)(w, r)
				return
			}
			if tt.cookie != "" {
				w.Header().Set("Set-Cookie", tt.cookie)
			}
			w.Header().Set("Location", tt.location)
			w.WriteHeader(http.StatusFound)
		})
		_, err := call.login(map[string]string{"password": "pw"})
		if (err != nil) != tt.refused || err != nil && !failure(t, err).Refused {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestF105_ALoginWithoutACookieIsSaid(t *testing.T) {
	for _, settings := range []string{
		`{"login": {"accepted_status": [302]}, "access_token": {"cookie": "sid"}}`,
		`{"refresh": {"touch": true, "method": "GET", "url": "/me"}, "access_token": {"cookie": "sid"}}`,
	} {
		status := http.StatusOK
		if strings.Contains(settings, "302") {
			status = http.StatusFound
		}
		call := callerOf(t, settingsOf(t, settings), fakes.RespondJSON(status, `{}`, "Location", "/home", "Set-Cookie", "other=1; Path=/"))
		_, err := call.login(map[string]string{"password": "pw"})
		if f := failure(t, err); f.Refused || !strings.Contains(err.Error(), "no cookie sid") {
			t.Errorf("%s: %v", settings, err)
		}
	}
}
