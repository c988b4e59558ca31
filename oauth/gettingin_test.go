package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/memnet"
	"github.com/silentrefresh/silentrefresh/oauth"
	"github.com/silentrefresh/silentrefresh/oauth/oauthtest"
)

// TestF103_LocalhostIsBothFamilies: a browser that takes localhost for IPv6 gets through as one that takes it for IPv4.
func TestF103_LocalhostIsBothFamilies(t *testing.T) {
	for _, address := range []string{"127.0.0.1", "[::1]"} {
		synctest.Test(t, func(t *testing.T) {
			op := oauthtest.NewProvider(t, oauthtest.Config{})
			browse := func(page string) error {
				back, err := url.Parse(query(t, page).Get("redirect_uri"))
				if err != nil || back.Hostname() != "localhost" {
					t.Errorf("redirect URI %v, %v", back, err)
				}
				resp, err := (&http.Client{Transport: op.Transport()}).Get("http://" + address + ":" + back.Port() + "/elsewhere")
				if err != nil {
					t.Error(err)
					return err
				}
				resp.Body.Close()
				return op.Browse("ada")(page)
			}
			c := browserSettings(op, browse)
			c.RedirectURI = "http://localhost/callback"
			if err := newClient(t, op, c).Login(t.Context(), nil); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestF103_HalfOfLocalhostIsSomebodyElses: a port that another program has in one family is not used: a browser might bring
// the code there.
func TestF103_HalfOfLocalhostIsSomebodyElses(t *testing.T) {
	for _, taken := range []string{"127.0.0.1:7777", "[::1]:7777"} {
		synctest.Test(t, func(t *testing.T) {
			other, err := memnet.Listen(taken)
			if err != nil {
				t.Fatal(err)
			}
			defer other.Close()
			op := oauthtest.NewProvider(t, oauthtest.Config{})
			c := browserSettings(op, op.Browse("ada"))
			c.RedirectURI = "http://localhost:7777/callback"
			err = newClient(t, op, c).Login(t.Context(), nil)
			if err == nil || !strings.Contains(err.Error(), "listening") {
				t.Errorf("%s is taken: %v", taken, err)
			}
			for _, address := range []string{"127.0.0.1:7777", "[::1]:7777"} {
				if l, err := memnet.Listen(address); err == nil {
					l.Close()
				} else if address != taken {
					t.Errorf("%s was left open: %v", address, err)
				}
			}
		})
	}
}

// TestLoopbackIPv6: the redirect URI may be on IPv6.
func TestLoopbackIPv6(t *testing.T) {
	if l, err := net.Listen("tcp", "[::1]:0"); err != nil {
		t.Skip("there is no IPv6 here")
	} else {
		l.Close()
	}
	op := start(t, oauthtest.Config{})
	c := browserSettings(op, op.Browse("ada"))
	c.RedirectURI = "http://[::1]/callback"
	if err := newClient(t, op, c).Login(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

// TestF103_TheURLIsAlwaysShown: a browser that claims to have opened may be one that nobody sees.
func TestF103_TheURLIsAlwaysShown(t *testing.T) {
	op := start(t, oauthtest.Config{})
	shown := make(chan string, 1)
	c := browserSettings(op, func(string) error { return nil })
	c.Prompt = func(p oauth.Prompt) { shown <- p.URL }
	go func() { op.Browse("ada")(<-shown) }()
	if err := newClient(t, op, c).Login(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

// TestPastedAddress: where no browser opens, the address at which one elsewhere ended is as good as its request.
func TestPastedAddress(t *testing.T) {
	op := start(t, oauthtest.Config{})
	var page string
	pastes := 0
	c := browserSettings(op, func(p string) error { page = p; return errors.New("no display") })
	c.Paste = func(context.Context) (string, error) {
		if pastes++; pastes == 1 {
			return "something else", nil
		}
		return "  " + ending(t, op, page) + "\n", nil
	}
	cl := newClient(t, op, c)
	if err := cl.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if got := me(t, cl, op); got != ada || pastes != 2 {
		t.Errorf("logged in as %s after %d pastes", got, pastes)
	}
}

// ending is where a browser ends that cannot reach this machine's loopback.
func ending(t *testing.T, op *oauthtest.Provider, page string) string {
	t.Helper()
	cookie := op.Session("ada")
	hc := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for strings.HasPrefix(page, op.URL()) {
		req, err := http.NewRequest(http.MethodGet, page, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.AddCookie(cookie)
		resp, err := hc.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		to, err := resp.Location()
		if err != nil {
			t.Fatal(err)
		}
		page = to.String()
	}
	return page
}

// TestPage: what the browser shows in the end loads nothing, says how it went, and can be another.
func TestPage(t *testing.T) {
	for _, test := range []struct {
		name, account string
		page          func(http.ResponseWriter, *http.Request, error)
		want          string
	}{
		{"logged in", "ada", nil, "You are logged in"},
		{"declined", "", nil, "did not succeed"},
		{"one's own", "ada", func(w http.ResponseWriter, _ *http.Request, err error) { fmt.Fprint(w, "mine: ", err) }, "mine: <nil>"},
	} {
		t.Run(test.name, func(t *testing.T) {
			op := start(t, oauthtest.Config{})
			shown := make(chan string, 1)
			c := browserSettings(op, func(page string) error {
				if test.account == "" {
					shown <- visit(t, strings.Replace(ending(t, op, page), "code=", "error=access_denied&x=", 1))
				} else {
					shown <- visit(t, ending(t, op, page))
				}
				return nil
			})
			c.Page = test.page
			err := newClient(t, op, c).Login(t.Context(), nil)
			if (err == nil) != (test.account != "") {
				t.Error(err)
			}
			body := <-shown
			if !strings.Contains(body, test.want) || strings.Contains(body, "src=") || strings.Contains(body, "http") {
				t.Errorf("shown: %s", body)
			}
		})
	}
}

func visit(t *testing.T, page string) string {
	t.Helper()
	resp, err := http.Get(page)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	return string(body)
}

// TestF103_DeviceIntervals: however the interval is written, polls are neither a flood nor an eternity apart.
func TestF103_DeviceIntervals(t *testing.T) {
	for interval, want := range map[string]time.Duration{
		`"interval":"7"`: 7 * time.Second, `"interval":2.5`: 2500 * time.Millisecond, `"interval":0`: 5 * time.Second,
		`"interval":-3`: 5 * time.Second, `"interval":1e300`: time.Minute, `"interval":[]`: 5 * time.Second, `"x":1`: 5 * time.Second,
		`"interval":0.000001`: time.Second, `"interval":"soon"`: 5 * time.Second, `"interval":null`: 5 * time.Second,
		`"interval":{"a":1}`: 5 * time.Second, `"interval":"1e99"`: time.Minute, `"interval":1,"expires_in":"soon"`: time.Second,
		`"interval":1,"expires_in":-1`: time.Second, `"interval":1,"expires_in":1e300`: time.Second,
	} {
		var polled time.Duration
		began := time.Time{}
		config := oauthtest.Config{}
		config.Intercept = func(w http.ResponseWriter, r *http.Request) bool {
			switch r.URL.Path {
			case "/device_authorization":
				return response("/device_authorization", 200, `{"device_code":"d","user_code":"u","verification_uri":"https://op.example.com/device",`+interval+`}`, nil)(w, r)
			case "/token":
				polled = time.Since(began)
				return response("/token", 200, `{"access_token":"a","refresh_token":"r"}`, nil)(w, r)
			}
			return false
		}
		bubble(t, config, func(op *oauthtest.Provider, c *oauth.Config) {
			c.Scopes, c.Prompt = []string{"x"}, func(oauth.Prompt) {}
		}, func(t *testing.T, op *oauthtest.Provider, cl *silentrefresh.Client) {
			began = time.Now()
			if err := cl.Login(t.Context(), nil); err != nil {
				t.Errorf("%s: %v", interval, err)
			}
		})
		if polled != want {
			t.Errorf("%s: polled after %v, want %v", interval, polled, want)
		}
	}
}

// TestF103_HangingDiscovery: metadata that has grown old is renewed beside; a server that does not give it any more holds
// no refresh.
func TestF103_HangingDiscovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := start(t, oauthtest.Config{NoRefreshTokens: true})
		hc := client(t)
		hc.Transport = op.Transport()
		e := exchanger(t, settings(op))
		s := login(t, e, hc, op, "ada")
		op.Change(func(p *oauthtest.Config) {
			p.Intercept = func(_ http.ResponseWriter, r *http.Request) bool {
				if strings.HasPrefix(r.URL.Path, "/.well-known/") {
					<-r.Context().Done()
					return true
				}
				return false
			}
		})
		time.Sleep(25 * time.Hour)
		for range 3 {
			began := time.Now()
			if _, err := refresh(t, e, hc, s); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > 0 {
				t.Errorf("a refresh took %v", took)
			}
		}
		time.Sleep(time.Minute) // the renewal gives up
		if n := op.Calls("/.well-known/openid-configuration"); n != 2 {
			t.Errorf("asked %d times, once at the login and once since", n)
		}
	})
}

// TestF68_DiscoveryEnds: a server that accepts connections and says nothing does not hold a login for long.
func TestF68_DiscoveryEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := start(t, oauthtest.Config{Intercept: func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true }})
		hc := client(t)
		hc.Transport = op.Transport()
		began := time.Now()
		c := oauth.Config{Resource: op.URL() + "/mcp", Flow: oauth.ClientCredentials, ClientID: "c"}
		if _, err := exchanger(t, c).Exchange(t.Context(), hc, auth.Grant{Kind: auth.KindLogin}); err == nil {
			t.Error("logged in by silence")
		}
		if took := time.Since(began); took > 31*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// TestTenantPlaceholder: a provider whose metadata has a placeholder where its ID tokens have a tenant.
func TestTenantPlaceholder(t *testing.T) {
	for iss, works := range map[string]bool{"/9188040d/v2.0": true, "//v2.0": false, "/a/b/v2.0": false, "/9188040d/v2.0/": false, "/{tenantid}/v2.0": false} {
		op := start(t, oauthtest.Config{})
		op.Change(func(p *oauthtest.Config) {
			p.Metadata = func(doc map[string]any) {
				doc["issuer"] = op.URL() + "/{tenantid}/v2.0"
				delete(doc, "authorization_response_iss_parameter_supported")
			}
			p.Claims = func(c map[string]any) { c["iss"] = op.URL() + iss }
			p.Response = func(params map[string]string) { params["iss"] = op.URL() + iss }
		})
		c := settings(op)
		c.MetadataIssuer = op.URL() + "/{tenantid}/v2.0"
		_, err := exchanger(t, c).Exchange(t.Context(), client(t), auth.Grant{Kind: auth.KindLogin, Credentials: oauth.Cookies{op.Session("ada")}})
		if (err == nil) != works {
			t.Errorf("%s: %v", iss, err)
		}
	}
}
