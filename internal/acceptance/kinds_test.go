package acceptance

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/authtest"
	"github.com/silentrefresh/silentrefresh/endpoint"
)

// kind is one kind of server, and the settings that suit it.
type kind struct {
	name     string
	server   authtest.Config
	settings func(*silentrefresh.Config, *endpoint.Settings)
}

func plain(*silentrefresh.Config, *endpoint.Settings) {}

// inBody is for servers whose refresh token is a field.
func inBody(_ *silentrefresh.Config, ep *endpoint.Settings) {
	ep.Refresh.RefreshTokenField = "refreshToken"
	ep.Logout.RefreshTokenField = "refreshToken"
}

func kinds() []kind {
	type C = authtest.Config
	reshape := func(f func(m map[string]any) any) C { return C{Reshape: f} }
	return []kind{
		{"the default", C{}, plain},
		{"Secure cookies on loopback", C{Secure: true}, plain},
		{"TLS", C{TLS: true}, plain},
		{"HTTP/2", C{TLS: true, HTTP2: true}, plain},
		{"auth server of its own", C{AuthApart: true}, plain},
		{"opaque tokens", C{Opaque: true}, plain},
		{"opaque tokens without an expiry", C{Opaque: true, NoExpiresIn: true}, plain},
		{"JWT without expires_in", C{NoExpiresIn: true}, plain},
		{"no token at login", C{NoLoginToken: true}, plain},
		{"token in a response header", C{TokenIn: authtest.InHeader}, func(_ *silentrefresh.Config, ep *endpoint.Settings) {
			ep.AccessToken.Header = "X-Access-Token"
		}},
		{"token in a cookie", C{TokenIn: authtest.InCookie}, func(_ *silentrefresh.Config, ep *endpoint.Settings) {
			ep.AccessToken.Cookie = "access_token"
		}},
		{"token in a cookie, with CSRF", C{TokenIn: authtest.InCookie, CSRF: true}, func(_ *silentrefresh.Config, ep *endpoint.Settings) {
			ep.AccessToken.Cookie, ep.CSRF.Cookie = "access_token", "csrf_token"
		}},
		{"CSRF at refresh and logout", C{CSRF: true}, func(_ *silentrefresh.Config, ep *endpoint.Settings) {
			ep.CSRF.Cookie = "csrf_token"
		}},
		{"access_token and expires_in", reshape(func(m map[string]any) any {
			return map[string]any{"access_token": m["accessToken"], "expires_in": m["expiresIn"], "token_type": "bearer"}
		}), plain},
		{"a nested token", reshape(func(m map[string]any) any {
			return map[string]any{"data": map[string]any{"session": map[string]any{"bearer": m["accessToken"]}}}
		}), func(_ *silentrefresh.Config, ep *endpoint.Settings) { ep.AccessToken.JSON = "data.session.bearer" }},
		{"a token found by itself", reshape(func(m map[string]any) any {
			return map[string]any{"success": true, "data": map[string]any{"token": m["accessToken"], "user": m["user"]}}
		}), plain},
		{"jwt", reshape(func(m map[string]any) any { return map[string]any{"jwt": m["accessToken"]} }), plain},
		{"Authorization: JWT", C{Scheme: "JWT"}, func(cfg *silentrefresh.Config, _ *endpoint.Settings) { cfg.Attach.Scheme = "JWT" }},
		{"bare in a header of its own", C{Header: "X-Token"}, func(cfg *silentrefresh.Config, _ *endpoint.Settings) { cfg.Attach.Header = "X-Token" }},
		{"bare in Authorization", C{Bare: true}, func(cfg *silentrefresh.Config, _ *endpoint.Settings) { cfg.Attach.Bare = true }},
		{"refresh token in the body", C{RefreshIn: authtest.InJSON}, inBody},
		{"refresh token in a form", C{RefreshIn: authtest.InJSON}, func(cfg *silentrefresh.Config, ep *endpoint.Settings) {
			inBody(cfg, ep)
			ep.Refresh.Encoding, ep.Logout.Encoding = "form", "form"
		}},
		{"refresh token in the body, not rotated", C{RefreshIn: authtest.InJSON, Reusable: true}, inBody},
		{"the old access token along with the cookie", C{TokenAtRefresh: authtest.Needed}, func(_ *silentrefresh.Config, ep *endpoint.Settings) {
			ep.Refresh.AccessTokenHeader = "Authorization"
		}},
		{"no access token at refresh", C{TokenAtRefresh: authtest.Forbidden}, plain},
		{"403 for an expired token", C{RejectStatus: 403}, func(cfg *silentrefresh.Config, _ *endpoint.Settings) {
			cfg.RejectedStatus = []int{401, 403}
		}},
		{"419 by a predicate", C{RejectStatus: 419}, func(cfg *silentrefresh.Config, _ *endpoint.Settings) {
			cfg.Rejected = func(resp *http.Response) bool { return resp.StatusCode == 419 }
		}},
		{"a clock that is a day ahead", C{Skew: 24 * time.Hour, NoExpiresIn: true}, plain},
		{"a clock that is an hour behind", C{Skew: -time.Hour, NoExpiresIn: true}, plain},
		{"fixed headers and fields", C{}, func(_ *silentrefresh.Config, ep *endpoint.Settings) {
			ep.Login.Fields = map[string]any{"device": "cli"}
			ep.Refresh.Headers = map[string]string{"Origin": "https://app.example.com", "X-Api-Key": "k"}
		}},
	}
}

// Each kind of server: log in, stay logged in over several lifetimes and a revocation, log out.
func TestKindsOfServers(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k.server.InMemory = true
				server := authtest.NewServer(t, k.server)
				client := newClient(t, server, k.settings)
				if err := client.Login(context.Background(), credentials); err != nil {
					t.Fatal(err)
				}
				if st := client.Status(); !st.Renewable {
					t.Errorf("not renewable: %+v", st)
				}
				request := func(method string) {
					t.Helper()
					if status := send(t, client, method, server.URL()+"/me"); status != 200 {
						t.Fatalf("%s: status %d", method, status)
					}
				}
				for range 5 {
					request("GET")
					request("POST")
					time.Sleep(14 * time.Minute)
				}
				server.RevokeAccess()
				request("GET")
				request("POST")
				n := server.Counters()
				if n.Reuses != 0 || n.ConcurrentRefreshes != 1 || n.Refreshes < 1 || n.Logins != 1 {
					t.Errorf("counters %+v", n)
				}
				if n.RefreshAtAPI != 0 {
					t.Errorf("%d API requests carried the refresh token", n.RefreshAtAPI)
				}
				if err := client.Logout(context.Background()); err != nil {
					t.Error(err)
				}
				if left := len(server.Sessions()); left != 0 {
					t.Errorf("%d sessions left at the server", left)
				}
			})
		})
	}
}

// The still valid access token is all that renews it: only a refresh before expiry can work.
func TestTheAccessTokenRenewsItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := authtest.NewServer(t, authtest.Config{InMemory: true, RefreshIn: authtest.InAccess})
		client := newClient(t, server, func(_ *silentrefresh.Config, ep *endpoint.Settings) {
			ep.Refresh.AccessTokenHeader = "Authorization"
		})
		if err := client.Login(context.Background(), credentials); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			if status := send(t, client, "GET", server.URL()+"/me"); status != 200 {
				t.Fatalf("status %d", status)
			}
			time.Sleep(10 * time.Minute)
		}
		server.Sleep(8 * time.Hour)
		_, err := client.HTTPClient().Get(server.URL() + "/me")
		if err == nil || !strings.Contains(err.Error(), "too late") {
			t.Errorf("after the token has ended: %v; want that it was too late", err)
		}
	})
}

func TestRateLimitIsNotALogout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := authtest.NewServer(t, authtest.Config{InMemory: true, RateLimit: 1})
		client := newClient(t, server, plain)
		if err := client.Login(context.Background(), credentials); err != nil {
			t.Fatal(err)
		}
		for range 5 {
			client.Renew(context.Background())
		}
		if n := server.Counters(); n.RateLimited == 0 {
			t.Error("the limit was not met")
		}
		if status := send(t, client, "GET", server.URL()+"/me"); status != 200 {
			t.Errorf("status %d", status)
		}
		refreshes := server.Counters().Refreshes
		time.Sleep(time.Hour) // four lifetimes
		if status := send(t, client, "GET", server.URL()+"/me"); status != 200 || server.Counters().Refreshes == refreshes {
			t.Errorf("an hour later: status %d, %d refreshes more", status, server.Counters().Refreshes-refreshes)
		}
	})
}

func TestHandedOutInAHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := authtest.NewServer(t, authtest.Config{InMemory: true, HandOut: "X-New-Token"})
		client := newClient(t, server, func(cfg *silentrefresh.Config, _ *endpoint.Settings) { cfg.HandOutHeader = "X-New-Token" })
		if err := client.Login(context.Background(), credentials); err != nil {
			t.Fatal(err)
		}
		for range 60 {
			if status := send(t, client, "GET", server.URL()+"/me"); status != 200 {
				t.Fatalf("status %d", status)
			}
			time.Sleep(time.Minute)
		}
		if n := server.Counters(); n.HandOuts == 0 || n.RefreshCalls != 0 {
			t.Errorf("%d handed out, %d refreshes; want none needed", n.HandOuts, n.RefreshCalls)
		}
	})
}

// What else the response carries is read with one decode, after login and after every refresh.
func TestTheResponseIsReadable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type response struct {
			User struct{ Email string }
		}
		var seen []string
		server := authtest.NewServer(t, authtest.Config{InMemory: true})
		client := newClient(t, server, func(cfg *silentrefresh.Config, _ *endpoint.Settings) {
			cfg.Observe = func(ev silentrefresh.Event) {
				var a response
				if err := ev.Response.Decode(&a); err == nil {
					seen = append(seen, a.User.Email)
				}
			}
		})
		if err := client.Login(context.Background(), credentials); err != nil {
			t.Fatal(err)
		}
		if err := client.Renew(context.Background()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if want := authtest.DefaultEmail + " " + authtest.DefaultEmail; strings.Join(seen, " ") != want {
			t.Errorf("events gave %q", seen)
		}
		if got := client.Status().Account; got != authtest.DefaultEmail {
			t.Errorf("account %q", got)
		}
	})
}

// newClient returns a Client for server, closed at the end of the test.
func newClient(t *testing.T, server *authtest.Server, settings func(*silentrefresh.Config, *endpoint.Settings)) *silentrefresh.Client {
	t.Helper()
	cfg := silentrefresh.Config{BaseURL: server.URL(), Base: server.Transport()}
	if ep := &cfg.Endpoint; server.AuthURL() != server.URL() {
		ep.Login.URL, ep.Refresh.URL, ep.Logout.URL = server.AuthURL()+"/auth/login", server.AuthURL()+"/auth/refresh", server.AuthURL()+"/auth/logout"
	}
	settings(&cfg, &cfg.Endpoint)
	client, err := silentrefresh.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// send sends one request and returns its status.
func send(t *testing.T, client *silentrefresh.Client, method, url string) int {
	t.Helper()
	var body io.Reader
	if method == "POST" {
		body = strings.NewReader(`{"name":"x"}`)
	}
	req, err := http.NewRequest(method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.HTTPClient().Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}
