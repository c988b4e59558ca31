package oauth_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/oauth"
)

// A github is a server of GitHub's kind: no metadata, no OpenID, every response of the token endpoint a 200, and errors
// of its own. It is a transport as well.
type github struct {
	mu                     sync.Mutex
	expires                bool   // user tokens of an app that wants it: eight hours, and a refresh token for once
	fails                  string // what a refresh gets
	access, refresh        string
	polls, given, requests int
}

func (g *github) RoundTrip(req *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	g.ServeHTTP(w, req)
	resp := w.Result()
	resp.Request = req
	return resp, nil
}

func (g *github) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch r.URL.Path {
	case "/login/device/code":
		json.NewEncoder(w).Encode(map[string]any{"device_code": "dc", "user_code": "WDJB-MJHT",
			"verification_uri": "https://github.com/login/device", "expires_in": 900, "interval": 5})
	case "/login/oauth/access_token":
		g.requests++
		json.NewEncoder(w).Encode(g.token(r))
	default:
		if r.Header.Get("Authorization") != "Bearer "+g.access {
			w.WriteHeader(http.StatusUnauthorized)
			w.Write([]byte(`{"message":"Bad credentials","documentation_url":"https://docs.github.com/rest"}`))
		}
	}
}

func (g *github) token(r *http.Request) map[string]any {
	failure := func(code string) map[string]any {
		return map[string]any{"error": code, "error_description": "The " + code + " passed is incorrect or expired.", "error_uri": "https://docs.github.com"}
	}
	if r.PostFormValue("grant_type") == "refresh_token" {
		switch {
		case g.fails != "":
			return failure(g.fails)
		case r.PostFormValue("refresh_token") != g.refresh:
			return failure("bad_refresh_token")
		}
	} else if g.polls++; g.polls < 3 {
		return failure("authorization_pending")
	}
	g.given++
	g.access, g.refresh = "gho_"+strconv.Itoa(g.given), ""
	response := map[string]any{"access_token": g.access, "token_type": "bearer", "scope": "repo,gist"}
	if g.expires {
		g.refresh = "ghr_" + strconv.Itoa(g.given)
		response["expires_in"], response["refresh_token"], response["refresh_token_expires_in"] = 28800, g.refresh, 15897600
	}
	return response
}

func (g *github) open(t *testing.T, store silentrefresh.Store) *silentrefresh.Client {
	t.Helper()
	e := exchanger(t, oauth.Config{Flow: oauth.Device, ClientID: "Iv1.0123456789abcdef", Prompt: func(oauth.Prompt) {}, Endpoints: oauth.Endpoints{
		DeviceAuthorization: "https://github.com/login/device/code", Token: "https://github.com/login/oauth/access_token"}})
	cl, err := silentrefresh.New(silentrefresh.Config{BaseURL: "https://api.github.com", Exchanger: e, Store: store, Base: g, AuthBase: g})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cl.Close() })
	return cl
}

const user = "https://api.github.com/user"

// TestGitHub: a token without an end serves, also after a restart, until somebody revokes it; one of eight hours is renewed.
func TestGitHub(t *testing.T) {
	for name, expires := range map[string]bool{"no refresh token": false, "expiring tokens": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, store := &github{expires: expires}, new(silentrefresh.MemoryStore)
				cl := g.open(t, store)
				if err := cl.Login(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
				for day := range 3 {
					if got := get(t, cl.Transport(nil), user); got != http.StatusOK {
						t.Errorf("day %d: status %d", day, got)
					}
					time.Sleep(24 * time.Hour)
					cl.Close()
					cl = g.open(t, store)
				}
				if err := cl.Renew(t.Context()); (err == nil) != expires || errors.Is(err, silentrefresh.ErrSessionOver) {
					t.Errorf("renewed: %v", err)
				}
				g.mu.Lock()
				before := g.requests
				g.access, g.refresh = "revoked", "revoked"
				g.mu.Unlock()
				if got := get(t, cl.Transport(nil), user); got != http.StatusUnauthorized {
					t.Errorf("revoked: status %d", got)
				}
				if _, err := cl.Token(t.Context()); !errors.Is(err, silentrefresh.ErrSessionOver) || g.requests > before+1 {
					t.Errorf("revoked: %v, after %d token requests", err, g.requests-before)
				}
			})
		})
	}
}

// TestF76_GitHubsOtherErrors: what blames the client ends no session, and names the setting to look at.
func TestF76_GitHubsOtherErrors(t *testing.T) {
	for code, hint := range map[string]string{
		"incorrect_client_credentials": "client_secret", "redirect_uri_mismatch": "redirect_uri", "device_flow_disabled": "does not allow this flow",
	} {
		synctest.Test(t, func(t *testing.T) {
			g := &github{expires: true}
			cl := g.open(t, new(silentrefresh.MemoryStore))
			if err := cl.Login(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			g.mu.Lock()
			g.fails = code
			g.mu.Unlock()
			err := cl.Renew(t.Context())
			if f := failure(t, err); f.Refused || !strings.Contains(f.Hint, hint) {
				t.Errorf("%s: %+v", code, f)
			}
		})
	}
}
