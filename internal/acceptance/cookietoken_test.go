package acceptance

import (
	"context"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/authtest"
	"github.com/silentrefresh/silentrefresh/endpoint"
)

// capture notes the cookies of each API request.
type capture struct {
	base    http.RoundTripper
	cookies []string
}

func (c *capture) RoundTrip(req *http.Request) (*http.Response, error) {
	if !strings.HasPrefix(req.URL.Path, "/auth/") {
		c.cookies = append(c.cookies, strings.Join(req.Header["Cookie"], " | "))
	}
	return c.base.RoundTrip(req)
}

func TestF49_TheAPIGetsNoCookiesUnlessAskedFor(t *testing.T) {
	for _, on := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			server := authtest.NewServer(t, authtest.Config{InMemory: true, CSRF: true})
			seen := &capture{base: server.Transport()}
			client := newClient(t, server, func(cfg *silentrefresh.Config, ep *endpoint.Settings) {
				cfg.Base, cfg.Attach.Cookies = seen, on
				ep.CSRF.Cookie = "csrf_token"
			})
			if err := client.Login(context.Background(), credentials); err != nil {
				t.Fatal(err)
			}
			send(t, client, "GET", server.URL()+"/me")
			if got := len(seen.cookies) == 1 && strings.Contains(seen.cookies[0], "csrf_token="); got != on {
				t.Errorf("switched on: %v; cookies %q", on, seen.cookies)
			}
			if strings.Contains(strings.Join(seen.cookies, " "), "refresh_token") {
				t.Error("the refresh cookie, whose Path is /auth, was sent to the API")
			}
		})
	}
}

func TestF62_ACookieTokenIsSentOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := authtest.NewServer(t, authtest.Config{InMemory: true, TokenIn: authtest.InCookie})
		seen := &capture{base: server.Transport()}
		client := newClient(t, server, func(cfg *silentrefresh.Config, ep *endpoint.Settings) {
			cfg.Base = seen
			ep.AccessToken.Cookie = "access_token"
		})
		if err := client.Login(context.Background(), credentials); err != nil {
			t.Fatal(err)
		}
		jar, _ := cookiejar.New(nil)
		u, _ := url.Parse(server.URL())
		jar.SetCookies(u, []*http.Cookie{{Name: "access_token", Value: "stale"}, {Name: "theme", Value: "dark"}})
		hc := client.HTTPClient()
		if hc.Jar != nil {
			t.Error("HTTPClient has a jar of its own")
		}
		hc.Jar = jar // the caller's, above the transport
		for range 3 {
			resp, err := hc.Get(server.URL() + "/me")
			if err != nil || resp.StatusCode != 200 {
				t.Fatal(resp, err)
			}
			resp.Body.Close()
			time.Sleep(15 * time.Minute)
		}
		for _, header := range seen.cookies {
			if strings.Count(header, "access_token=") != 1 || strings.Contains(header, "stale") || !strings.Contains(header, "theme=dark") {
				t.Errorf("Cookie: %s", header)
			}
		}
	})
}
