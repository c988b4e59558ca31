// Package express_test runs silentrefresh against an Express server of the usual kind, see app.js beside it.
package express_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
)

func login(t *testing.T, c *silentrefresh.Client, credentials any) {
	t.Helper()
	if err := c.Login(t.Context(), credentials); err != nil {
		t.Fatal(err)
	}
}

// get returns status and body of a request that must succeed.
func get(t *testing.T, c *silentrefresh.Client, url string) (int, string) {
	t.Helper()
	resp, err := c.HTTPClient().Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func wantOK(t *testing.T, c *silentrefresh.Client, url string) {
	t.Helper()
	if status, body := get(t, c, url); status != http.StatusOK {
		t.Fatalf("%s returned %d %s, want 200", url, status, body)
	}
}

func wantOver(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, silentrefresh.ErrSessionOver) {
		t.Fatalf("got %v, want ErrSessionOver", err)
	}
}

func TestLoginUseLogout(t *testing.T) {
	t.Parallel()
	s := start(t)
	responses := make(chan auth.Response, 10)
	c, wire := s.newClient(t, silentrefresh.Config{Observe: func(ev silentrefresh.Event) { responses <- ev.Response }})
	login(t, c, ada)

	var response struct{ User struct{ Name string } }
	if err := (<-responses).Decode(&response); err != nil || response.User.Name != "Ada" {
		t.Errorf("the response's user is %q (%v), want Ada", response.User.Name, err)
	}
	resp, err := c.HTTPClient().Post(s.URL+"/api/items", "application/json", strings.NewReader(`{"title":"tea"}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		t.Errorf("POST /api/items returned %d, want 201", resp.StatusCode)
	}
	var items []struct{ Title string }
	_, body := get(t, c, s.URL+"/api/items")
	if err := json.Unmarshal([]byte(body), &items); err != nil || len(items) != 1 || items[0].Title != "tea" {
		t.Errorf("items are %s (%v), want one that is tea", body, err)
	}

	if err := c.Logout(t.Context()); err != nil {
		t.Fatal(err)
	}
	out := wire.to("/auth/logout")
	if len(out) != 1 || out[0].status != http.StatusNoContent || out[0].cookie == "" {
		t.Fatalf("logout calls: %d, want one with the cookie, returned 204", len(out))
	}
	if _, err := c.HTTPClient().Get(s.URL + "/api/me"); !errors.Is(err, silentrefresh.ErrNoSession) {
		t.Errorf("a request after the logout: %v, want ErrNoSession", err)
	}
	thief, _ := s.newClient(t, silentrefresh.Config{})
	wantOver(t, thief.Resume(t.Context(), brought(out[0].cookie)))
}

// brought is a session of which only the cookie is known.
func brought(cookie string) auth.Session {
	return auth.Session{Cookies: []auth.Cookie{{Name: "refreshToken", Value: auth.NewSecret(cookie)}}}
}

func TestWrongPassword(t *testing.T) {
	t.Parallel()
	s := start(t)
	c, _ := s.newClient(t, silentrefresh.Config{})
	err := c.Login(t.Context(), map[string]string{"email": ada["email"], "password": "guessed"})
	re, ok := errors.AsType[*auth.Error](err)
	if !ok || !re.Refused || re.Status != http.StatusUnauthorized {
		t.Fatalf("got %v, want an *auth.Error that says refused with 401", err)
	}
	if strings.Contains(err.Error(), "guessed") {
		t.Errorf("the error tells the password: %v", err)
	}
}

// expired returns a token as the server would have signed it an hour ago.
func expired(t *testing.T) string {
	t.Helper()
	claims := jwt.MapClaims{"sub": "1", "version": 0, "exp": time.Now().Add(-time.Hour).Unix()}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(accessSecret))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// The server refuses an expired token with 403, a missing one with 401.
func TestF01_F13_ExpiredTokenRefusedWith403(t *testing.T) {
	t.Parallel()
	s := start(t)
	c, wire := s.newClient(t, silentrefresh.Config{})
	login(t, c, ada)

	old := expired(t)
	first, err := c.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wire.before = func(req *http.Request) *http.Request { // what login gave has expired without the client's knowing
		if req.Header.Get("Authorization") == "Bearer "+first.Value.Reveal() {
			req = req.Clone(req.Context())
			req.Header.Set("Authorization", "Bearer "+old)
		}
		return req
	}

	// A token is signed by the second: within one, the new token equals the first.
	untilNextSecond(t, first)
	const callers = 20
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			resp, err := c.HTTPClient().Get(s.URL + "/api/me")
			if err != nil {
				t.Error(err)
				return
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				t.Errorf("the caller saw %d, want 200", resp.StatusCode)
			}
		})
	}
	all.Wait()
	if n := wire.responded("/api/", http.StatusForbidden); n == 0 || n > callers {
		t.Errorf("the API returned 403 %d times, want 1 to %d", n, callers)
	}
	if n := len(wire.to("/auth/refresh")); n != 1 {
		t.Errorf("%d refreshes, want 1", n)
	}
}

// untilNextSecond returns when the server would sign something else than token.
func untilNextSecond(t *testing.T, token silentrefresh.Token) {
	t.Helper()
	var claims jwt.RegisteredClaims
	if _, _, err := jwt.NewParser().ParseUnverified(token.Value.Reveal(), &claims); err != nil {
		t.Fatal(err)
	}
	<-time.After(time.Until(claims.IssuedAt.Add(time.Second)))
}

func TestSilentRefresh(t *testing.T) {
	t.Parallel()
	s := start(t, "ACCESS_TTL=4") // which is as little as 3 s: JWTs count whole seconds
	renewed := make(chan struct{}, 100)
	c, wire := s.newClient(t, silentrefresh.Config{RefreshBefore: 2 * time.Second, Observe: func(ev silentrefresh.Event) {
		if ev.Kind == silentrefresh.EventRenewed {
			renewed <- struct{}{}
		}
	}})
	login(t, c, ada)

	done := make(chan struct{})
	var users sync.WaitGroup
	for range 4 {
		users.Go(func() {
			beat := time.NewTicker(10 * time.Millisecond)
			defer beat.Stop()
			for {
				select {
				case <-done:
					return
				case <-beat.C:
				}
				resp, err := c.HTTPClient().Get(s.URL + "/api/me")
				if err != nil {
					t.Error(err)
					return
				}
				resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					t.Errorf("the application saw %d", resp.StatusCode)
				}
			}
		})
	}
	for range 3 {
		<-renewed
	}
	close(done)
	users.Wait()
	api := wire.to("/api/")
	if ok := wire.responded("/api/", http.StatusOK); ok != len(api) || ok == 0 {
		t.Errorf("%d of %d API calls were returned 200, want all: tokens are renewed before they expire", ok, len(api))
	}
}
