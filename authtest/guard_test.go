package authtest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
)

func TestCSRF(t *testing.T) {
	inBubble(t, authtest.Config{CSRF: true, TokenIn: authtest.InCookie}, func(s *authtest.Server, k *client) {
		r := k.mustRenew(403)
		if r.doc["error"] != "csrf_failed" || len(r.Header["Set-Cookie"]) != 0 {
			t.Errorf("without the header: %s", r.body)
		}
		k.mustRenew(403, "X-CSRF-Token", "wrong")
		first := k.cookie("csrf_token")
		if first == nil {
			t.Fatal("a login gives no CSRF cookie")
		}
		k.mustRenew(200, "X-CSRF-Token", first.Value)
		k.mustRenew(403, "X-CSRF-Token", first.Value) // it changes with every refresh
		shown := []string{"X-CSRF-Token", k.cookie("csrf_token").Value}
		k.mustGet("/me", 200)
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
			if r, err := k.api(method, "/echo", ""); err != nil || r.StatusCode != 403 {
				t.Errorf("%s without: %d %v", method, status(r), err)
			}
			if r, err := k.api(method, "/echo", "", shown...); err != nil || r.StatusCode != 200 {
				t.Errorf("%s with: %d %v", method, status(r), err)
			}
		}
		if r, err := k.call(authtest.Logout, ""); err != nil || r.StatusCode != 403 {
			t.Errorf("logout without: %d %v", status(r), err)
		}
		if r, err := k.call(authtest.Logout, "", shown...); err != nil || r.StatusCode != 204 {
			t.Errorf("logout with: %d %v", status(r), err)
		}
		n := s.Counters()
		k.expect("refused", n.CSRFRefused, 3+4+1)
		k.expect("refreshes", n.Refreshes, 1)
		k.expect("logouts", n.Logouts, 1)
	})
}

func TestCSRFLeavesTheAPIAloneWithBearerTokens(t *testing.T) {
	_, k := loggedIn(t, authtest.Config{CSRF: true})
	if r, err := k.api("POST", "/echo", ""); err != nil || r.StatusCode != 200 {
		t.Errorf("%d %v", status(r), err)
	}
}

func TestRateLimit(t *testing.T) {
	inBubble(t, authtest.Config{RateLimit: 2, RateWindow: time.Minute}, func(s *authtest.Server, k *client) {
		k.mustRenew(200)
		time.Sleep(20500 * time.Millisecond)
		k.mustRenew(200)
		r := k.mustRenew(429)
		if r.Header.Get("Retry-After") != "40" { // 39.5 s, rounded up
			t.Errorf("Retry-After: %q", r.Header.Get("Retry-After"))
		}
		time.Sleep(39 * time.Second)
		k.mustRenew(429)
		time.Sleep(time.Second)
		k.mustRenew(200)
		n := s.Counters()
		k.expect("limited", n.RateLimited, 2)
		k.expect("reuses", n.Reuses, 0) // nothing was spent
	})
}

func TestRejections(t *testing.T) {
	s, k := loggedIn(t, authtest.Config{RejectStatus: 419, RejectBytes: 100_000, RefuseStatus: 422})
	s.ExpireAll()
	if r := k.mustGet("/me", 419); len(r.body) < 100_000 || r.doc["error_description"] != "the token is expired" {
		t.Errorf("%d bytes", len(r.body))
	}
	k.access = ""
	if r := k.mustGet("/me", 401); r.Header.Get("WWW-Authenticate") != `Bearer realm="authtest"` {
		t.Errorf("challenge without a token: %q", r.Header.Get("WWW-Authenticate"))
	}
	s.EndSessions()
	k.mustRenew(422)
}

func TestChallenge(t *testing.T) {
	s, k := loggedIn(t, authtest.Config{})
	s.RevokeAccess()
	want := `Bearer realm="authtest", error="invalid_token", error_description="the token is revoked"`
	if got := k.mustGet("/me", 401).Header.Get("WWW-Authenticate"); got != want {
		t.Errorf("challenge: %s", got)
	}
	k.access = "made-up"
	k.mustGet("/me", 401)
	k.expect("unauthorized", s.Counters().APIUnauthorized, 2)
}

func TestBuiltInAPI(t *testing.T) {
	s, k := loggedIn(t, authtest.Config{})
	if r := k.mustGet("/me", 200); r.doc["account"] != authtest.DefaultEmail {
		t.Errorf("/me: %s", r.body)
	}
	k.mustGet("/status/503", 503)
	k.mustGet("/status/99", 404)
	k.mustGet("/forbidden", 401)
	k.mustGet("/scope", 403)
	k.mustGet("/anything/else", 200)
	k.mustGet("/auth/unknown", 404)
	if r := k.mustGet("/stream?events=2&every=1ms", 200); r.body != "id: 1\ndata: event 1\n\nid: 2\ndata: event 2\n\n" {
		t.Errorf("/stream: %q", r.body)
	}
	k.mustGet("/upgrade", 426)
	k.mustGet("/_test/counters", 200) // just another path of the API: there are no buttons
	n := s.Counters()
	k.expect("requests", n.API, 9)
	k.expect("unauthorized", n.APIUnauthorized, 0)
}

func TestEchoKeepsSecrets(t *testing.T) {
	s, k := loggedIn(t, authtest.Config{})
	r, err := k.api("PUT", "/echo?q=1", "hello", "X-Plain", "shown", "X-Copy", "the token is "+k.access, "Cookie", "a=secret-a; b=secret-b")
	if err != nil || r.StatusCode != 200 {
		t.Fatal(status(r), err)
	}
	header, _ := r.doc["header"].(map[string]any)
	if r.doc["method"] != "PUT" || r.doc["path"] != "/echo?q=1" || r.doc["body"] != "hello" || header["X-Plain"] != "shown" {
		t.Errorf("echo: %s", r.body)
	}
	for _, secret := range append(s.Secrets(), "secret-a", "secret-b") {
		if strings.Contains(r.body, secret) {
			t.Errorf("the echo has a secret: %s", r.body)
		}
	}
	if header["Authorization"] != "[redacted]" || header["X-Copy"] != "[redacted]" {
		t.Errorf("secret headers: %v", header)
	}
}

func TestOwnAPI(t *testing.T) {
	_, k := loggedIn(t, authtest.Config{API: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusTeapot)
	})})
	k.mustGet("/me", 418)
	k.access = ""
	k.mustGet("/me", 401)
}

func TestRefreshTokenAtTheAPIIsCounted(t *testing.T) {
	s, k := loggedIn(t, authtest.Config{})
	k.mustGet("/me", 200) // the jar minds the cookie's Path
	k.expect("before", s.Counters().RefreshAtAPI, 0)
	cookie := k.cookie("refresh_token")
	k.mustGet("/me", 200, "Cookie", cookie.Name+"="+cookie.Value)
	k.expect("after", s.Counters().RefreshAtAPI, 1)
}

func TestSecretsAreAllThere(t *testing.T) {
	s, k := loggedIn(t, authtest.Config{})
	want := []string{k.access, k.cookie("refresh_token").Value, authtest.DefaultPassword}
	k.mustRenew(200)
	want = append(want, k.access, k.cookie("refresh_token").Value)
	all := strings.Join(s.Secrets(), "\n")
	for _, secret := range want {
		if !strings.Contains(all, secret) {
			t.Errorf("a secret is missing")
		}
	}
}
