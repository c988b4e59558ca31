package authtest_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
)

// inBubble runs f with a server in memory and a client that is logged in.
func inBubble(t *testing.T, c authtest.Config, f func(s *authtest.Server, k *client)) {
	t.Helper()
	c.InMemory = true
	synctest.Test(t, func(t *testing.T) {
		s, k := loggedIn(t, c)
		f(s, k)
	})
}

// cookie is the refresh cookie that the client would send.
func (k *client) cookie(name string) *http.Cookie {
	k.t.Helper()
	req, err := http.NewRequest("POST", k.s.AuthURL()+"/auth/refresh", nil)
	if err != nil {
		k.t.Fatal(err)
	}
	for _, cookie := range k.http.Jar.Cookies(req.URL) {
		if cookie.Name == name {
			return cookie
		}
	}
	return nil
}

// presentAgain refreshes with a cookie of the past, and without the jar.
func (k *client) presentAgain(old *http.Cookie) reply {
	k.t.Helper()
	jar := k.http.Jar
	k.http.Jar = nil
	defer func() { k.http.Jar = jar }()
	r, err := k.call(authtest.Refresh, "", "Cookie", old.Name+"="+old.Value)
	if err != nil {
		k.t.Fatal(err)
	}
	return r
}

func TestReuseEndsTheSession(t *testing.T) {
	inBubble(t, authtest.Config{}, func(s *authtest.Server, k *client) {
		other := newClient(t, s)
		other.login()
		spent := k.cookie("refresh_token")
		k.mustRenew(200)
		r := k.presentAgain(spent)
		if r.StatusCode != 401 || r.doc["error"] != "invalid_grant" {
			t.Errorf("reuse: %d %s", r.StatusCode, r.body)
		}
		if set := r.Header.Get("Set-Cookie"); !strings.Contains(set, "refresh_token=; Path=/auth; Max-Age=0") {
			t.Errorf("the cookie was not cleared: %q", set)
		}
		k.mustGet("/me", 401) // its access token went along
		k.mustRenew(401)
		other.mustGet("/me", 200)
		other.mustRenew(200)
		n := s.Counters()
		k.expect("reuses", n.Reuses, 1)
		k.expect("refused", n.RefreshRefused, 2)
		k.expect("sessions", len(s.Sessions()), 1)
	})
}

func TestGraceGivesTheUnusedSuccessor(t *testing.T) {
	inBubble(t, authtest.Config{Grace: 30 * time.Second}, func(s *authtest.Server, k *client) {
		spent := k.cookie("refresh_token")
		k.mustRenew(200)
		successor := k.cookie("refresh_token")
		time.Sleep(29 * time.Second)
		r := k.presentAgain(spent)
		if r.StatusCode != 200 || !strings.Contains(r.Header.Get("Set-Cookie"), successor.Value) {
			t.Errorf("within the grace period: %d", r.StatusCode)
		}
		k.expect("grace uses", s.Counters().GraceUses, 1)
		time.Sleep(time.Second)
		k.expect("after the grace period", k.presentAgain(spent).StatusCode, 401)
		k.expect("reuses", s.Counters().Reuses, 1)
	})
}

func TestGraceEndsWhenTheSuccessorIsUsed(t *testing.T) {
	inBubble(t, authtest.Config{Grace: time.Hour}, func(s *authtest.Server, k *client) {
		spent := k.cookie("refresh_token")
		k.mustRenew(200)
		k.mustRenew(200)
		k.expect("status", k.presentAgain(spent).StatusCode, 401)
		k.expect("reuses", s.Counters().Reuses, 1)
	})
}

func TestRefreshTokenRunsOut(t *testing.T) {
	inBubble(t, authtest.Config{RefreshTTL: time.Hour}, func(s *authtest.Server, k *client) {
		first := k.cookie("refresh_token")
		time.Sleep(time.Hour - time.Second)
		k.mustRenew(200)
		time.Sleep(time.Hour - time.Second) // every rotation starts anew
		k.mustRenew(200)
		k.expect("sessions", len(s.Sessions()), 1)
		last := k.cookie("refresh_token")
		time.Sleep(time.Hour)
		k.expect("sessions", len(s.Sessions()), 0)
		k.expect("status", k.presentAgain(last).StatusCode, 401)
		k.expect("forgotten token", k.presentAgain(first).StatusCode, 401)
		k.expect("reuses", s.Counters().Reuses, 0) // running out is not reuse
	})
}

func TestReusableRefreshTokens(t *testing.T) {
	inBubble(t, authtest.Config{Reusable: true, RefreshIn: authtest.InJSON, RefreshTTL: time.Hour}, func(s *authtest.Server, k *client) {
		ends := s.Sessions()[0].Ends
		for range 3 {
			r := k.mustRenew(200)
			if _, there := r.doc["refreshToken"]; there {
				t.Error("a response to a refresh has a refresh token")
			}
			time.Sleep(time.Minute)
		}
		if !s.Sessions()[0].Ends.Equal(ends) {
			t.Error("the session's end moved, its refresh token's did not")
		}
		time.Sleep(time.Hour)
		k.mustRenew(401)
	})
}

func TestLogoutEndsTheSession(t *testing.T) {
	inBubble(t, authtest.Config{}, func(s *authtest.Server, k *client) {
		cookie := k.cookie("refresh_token")
		r, err := k.call(authtest.Logout, "")
		if err != nil || r.StatusCode != 204 || r.body != "" {
			t.Errorf("logout: %d %v", status(r), err)
		}
		if k.cookie("refresh_token") != nil {
			t.Error("the cookie was not cleared")
		}
		k.mustGet("/me", 401)
		k.expect("refresh afterwards", k.presentAgain(cookie).StatusCode, 401)
		if r, err := k.call(authtest.Logout, ""); err != nil || r.StatusCode != 204 {
			t.Errorf("second logout: %d %v", status(r), err)
		}
		n := s.Counters()
		k.expect("logouts", n.Logouts, 1)
		k.expect("logout calls", n.LogoutCalls, 2)
		k.expect("sessions", len(s.Sessions()), 0)
	})
}

func TestLogoutByAccessTokenOrSpentRefreshToken(t *testing.T) {
	inBubble(t, authtest.Config{RefreshIn: authtest.InJSON}, func(s *authtest.Server, k *client) {
		if _, err := k.call(authtest.Logout, "", "Authorization", "Bearer "+k.access); err != nil {
			t.Error(err)
		}
		k.expect("logouts by access token", s.Counters().Logouts, 1)
		k.login()
		spent := k.refresh
		k.mustRenew(200)
		if _, err := k.call(authtest.Logout, `{"refreshToken":"`+spent+`"}`); err != nil {
			t.Error(err)
		}
		k.expect("logouts by spent refresh token", s.Counters().Logouts, 2)
	})
}

func TestLoginRefusesWrongCredentials(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{Users: map[string]string{"bob@example.com": "pw"}})
	k := newClient(t, s)
	for _, doc := range []string{
		`{"email":"bob@example.com","password":"wrong"}`,
		`{"email":"bob@example.com"}`,
		`{"email":"nobody@example.com","password":""}`,
		``,
		credentials,
	} {
		r, err := k.call(authtest.Login, doc)
		if err != nil || r.StatusCode != 401 || r.doc["error"] != "invalid_credentials" {
			t.Errorf("%s: %d %v %s", doc, status(r), err, r.body)
		}
	}
	r, err := k.call(authtest.Login, `{"username":"bob@example.com","password":"pw"}`)
	if err != nil || r.StatusCode != 200 {
		t.Errorf("username in place of email: %d %v", status(r), err)
	}
	k.expect("logins", s.Counters().Logins, 1)
	k.expect("login calls", s.Counters().LoginCalls, 6)
}

func TestAuthCallsTakeJSONAndForms(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{RefreshIn: authtest.InJSON})
	k := newClient(t, s)
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	if r, err := k.call(authtest.Login, "email=ada@example.com&password=correct+horse", form...); err != nil || r.StatusCode != 200 {
		t.Errorf("login: %d %v", status(r), err)
	}
	if r, err := k.call(authtest.Refresh, "refreshToken="+k.refresh, form...); err != nil || r.StatusCode != 200 {
		t.Errorf("refresh: %d %v", status(r), err)
	}
	if r, err := k.call(authtest.Refresh, "neither"); err != nil || r.StatusCode != 400 {
		t.Errorf("neither: %d %v", status(r), err)
	}
	if r, err := k.call(authtest.Refresh, "a=%zz", form...); err != nil || r.StatusCode != 400 {
		t.Errorf("broken form: %d %v", status(r), err)
	}
	resp, err := k.http.Get(s.URL() + "/auth/refresh")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 405 || resp.Header.Get("Allow") != "POST" {
		t.Errorf("GET: %d", resp.StatusCode)
	}
}
