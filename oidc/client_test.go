package oidc_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/oidc"
	"github.com/silentrefresh/silentrefresh/oidc/internal/fakeop"
)

// newClient is a Client of op's API that logs in through op.
func newClient(t *testing.T, op *fakeop.Provider, c oidc.Config, change ...func(*silentrefresh.Config)) *silentrefresh.Client {
	t.Helper()
	cfg := silentrefresh.Config{BaseURL: op.URL, Exchanger: exchanger(t, c)}
	for _, f := range change {
		f(&cfg)
	}
	cl, err := silentrefresh.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cl.Close() })
	return cl
}

// me asks the API who is logged in.
func me(t *testing.T, cl *silentrefresh.Client, op *fakeop.Provider) string {
	t.Helper()
	resp, err := cl.HTTPClient().Get(op.URL + "/me")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(body))
}

const ada = `{"sub":"ada"}`

func browserSettings(op *fakeop.Provider, browse func(string) error) oidc.Config {
	return oidc.Config{Issuer: op.URL, ClientID: fakeop.ClientID, OpenBrowser: browse, Prompt: func(oidc.Prompt) {}}
}

func TestBrowserLogin(t *testing.T) {
	op := start(t, &fakeop.Provider{})
	cl := newClient(t, op, browserSettings(op, op.Browse("ada")))
	if err := cl.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if got := me(t, cl, op); got != ada {
		t.Errorf("logged in as %s", got)
	}
	if err := cl.Renew(t.Context()); err != nil {
		t.Error(err)
	}
	st := cl.Status()
	if st.Account != "ada@example.com" || !st.Renewable {
		t.Errorf("account %q, renewable %v", st.Account, st.Renewable)
	}
}

// TestBrowserRequest: what the page that is opened asks for.
func TestBrowserRequest(t *testing.T) {
	op := start(t, &fakeop.Provider{})
	var page *url.URL
	c := browserSettings(op, func(p string) error {
		page, _ = url.Parse(p)
		return op.Browse("ada")(p)
	})
	c.Params = map[string]string{"audience": "https://api.example.com"}
	if err := newClient(t, op, c).Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	q := page.Query()
	for name, want := range map[string]string{
		"response_type": "code", "client_id": fakeop.ClientID, "scope": "openid offline_access",
		"prompt": "consent", "code_challenge_method": "S256", "audience": "https://api.example.com",
	} {
		if q.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, q.Get(name), want)
		}
	}
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || back.Hostname() != "127.0.0.1" || back.Port() == "" || back.Port() == "0" || back.Path != "/callback" {
		t.Errorf("redirect_uri %v, %v", back, err)
	}
	if _, err := http.Get(back.String()); err == nil {
		t.Error("the port is open after the login")
	}
}

// TestBrowserTurnsStrangersAway: answers of other logins, other paths and other methods do not end the login.
func TestBrowserTurnsStrangersAway(t *testing.T) {
	op := start(t, &fakeop.Provider{})
	type visit struct {
		method, suffix string
		status         int
	}
	c := browserSettings(op, func(page string) error {
		u, _ := url.Parse(page)
		back := u.Query().Get("redirect_uri")
		state := u.Query().Get("state")
		for _, v := range []visit{
			{"GET", "?state=other&code=evil", 400},
			{"GET", "?code=evil", 400},
			{"GET", "?error=access_denied", 400},
			{"POST", "?code=evil&state=" + state, 404},
			{"GET", "/elsewhere?code=evil&state=" + state, 404},
		} {
			req, err := http.NewRequest(v.method, back+v.suffix, nil)
			if err != nil {
				return err
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				return err
			}
			resp.Body.Close()
			if resp.StatusCode != v.status {
				t.Errorf("%s %s: status %d, want %d", v.method, v.suffix, resp.StatusCode, v.status)
			}
		}
		rebound, err := http.NewRequest("GET", back+"?code=evil&state="+state, nil)
		if err != nil {
			return err
		}
		rebound.Host = "evil.example.com"
		if resp, err := http.DefaultClient.Do(rebound); err != nil || resp.StatusCode != 404 {
			t.Errorf("another host's name: %v, %v", resp.Status, err)
		}
		return op.Browse("ada")(page)
	})
	cl := newClient(t, op, c)
	if err := cl.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if op.Calls("/token") != 1 {
		t.Errorf("%d codes redeemed", op.Calls("/token"))
	}
}

func TestBrowserDeclined(t *testing.T) {
	op := start(t, &fakeop.Provider{})
	err := newClient(t, op, browserSettings(op, op.Browse(""))).Login(t.Context(), nil)
	if f := failure(t, err); !f.Refused || f.Code != "access_denied" || !strings.Contains(err.Error(), "declined") {
		t.Error(err)
	}
}

// TestBrowserDoesNotOpen: then the page's address is told.
func TestBrowserDoesNotOpen(t *testing.T) {
	op := start(t, &fakeop.Provider{})
	c := browserSettings(op, func(string) error { return errors.New("no display") })
	c.Prompt = func(p oidc.Prompt) { go op.Browse("ada")(p.URL) }
	if err := newClient(t, op, c).Login(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

func TestBrowserGivenUp(t *testing.T) {
	op := start(t, &fakeop.Provider{})
	ctx, interrupt := context.WithCancel(t.Context())
	err := newClient(t, op, browserSettings(op, func(string) error { interrupt(); return nil })).Login(ctx, nil)
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	c := browserSettings(op, func(string) error { return nil })
	c.Patience = 10 * time.Millisecond
	err = newClient(t, op, c).Login(t.Context(), nil)
	if err == nil || !strings.Contains(err.Error(), "nobody logged in within 10ms") {
		t.Error(err)
	}
}

func TestBrowserPortTaken(t *testing.T) {
	op := start(t, &fakeop.Provider{})
	c := browserSettings(op, func(string) error { return nil })
	c.RedirectURI = op.URL + "/callback" // the provider itself sits there
	err := newClient(t, op, c).Login(t.Context(), nil)
	if err == nil || !strings.Contains(err.Error(), "listening") {
		t.Error(err)
	}
}

// bubble runs f with a provider and a Client in a bubble of time, on a network in memory.
func bubble(t *testing.T, op *fakeop.Provider, change func(*oidc.Config), f func(t *testing.T, cl *silentrefresh.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := memory{op.Handler("https://op.example.com")}
		c := oidc.Config{Issuer: op.URL, ClientID: fakeop.ClientID, Flow: oidc.Device,
			ClientSecret: silentrefresh.NewSecret(op.Secret)}
		change(&c)
		cl, err := silentrefresh.New(silentrefresh.Config{BaseURL: op.URL, Exchanger: exchanger(t, c), Base: network})
		if err != nil {
			t.Fatal(err)
		}
		defer cl.Close()
		f(t, cl)
	})
}

// entering is a person who enters the code after a while, on a device of their own.
func entering(t *testing.T, op *fakeop.Provider, account string, after time.Duration) func(oidc.Prompt) {
	return func(p oidc.Prompt) {
		if p.URL != op.URL+"/device" || !strings.Contains(p.CompleteURL, p.Code) || p.Expires.Sub(time.Now()) != 10*time.Minute {
			t.Errorf("prompt %+v", p)
		}
		time.AfterFunc(after, func() { op.Decide(p.Code, account) })
	}
}

func TestDeviceLogin(t *testing.T) {
	for _, secret := range []string{"", "s3cret"} {
		op := &fakeop.Provider{Secret: secret}
		bubble(t, op, func(c *oidc.Config) { c.Prompt = entering(t, op, "ada", time.Minute) },
			func(t *testing.T, cl *silentrefresh.Client) {
				began := time.Now()
				if err := cl.Login(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
				if got := me(t, cl, op); got != ada {
					t.Errorf("logged in as %s", got)
				}
				if took := time.Since(began); took < time.Minute || took > 66*time.Second {
					t.Errorf("took %v", took)
				}
				if n := op.Calls("/token"); n > 13 {
					t.Errorf("%d polls in a minute, one every 5 s was agreed", n)
				}
			})
	}
}

// TestDeviceSlowsDown: slow_down adds 5 s to the interval, for good (RFC 8628 section 3.5).
func TestDeviceSlowsDown(t *testing.T) {
	var polls []time.Time
	op := &fakeop.Provider{Interval: 2}
	op.Fault = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/token" {
			return false
		}
		polls = append(polls, time.Now())
		return len(polls) <= 2 && answer("/token", 400, `{"error":"slow_down"}`, nil)(w, r)
	}
	bubble(t, op, func(c *oidc.Config) { c.Prompt = entering(t, op, "ada", 25*time.Second) },
		func(t *testing.T, cl *silentrefresh.Client) {
			began := time.Now()
			if err := cl.Login(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			want := []time.Duration{2, 9, 21, 33} // 2 s, then 7 s, then 12 s each
			for i, at := range polls {
				if i >= len(want) || at.Sub(began) != want[i]*time.Second {
					t.Errorf("poll %d after %v", i, at.Sub(began))
				}
			}
		})
}

// TestDeviceProviderAwayMeanwhile: polls without an answer are not the end, and grow rarer.
func TestDeviceProviderAwayMeanwhile(t *testing.T) {
	began := time.Time{}
	op := &fakeop.Provider{}
	op.Fault = func(w http.ResponseWriter, r *http.Request) bool {
		return time.Since(began) < 2*time.Minute && answer("/token", 502, "<html>", nil)(w, r)
	}
	bubble(t, op, func(c *oidc.Config) { c.Prompt = entering(t, op, "ada", time.Second) },
		func(t *testing.T, cl *silentrefresh.Client) {
			began = time.Now()
			if err := cl.Login(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			if n := op.Calls("/token"); n > 6 {
				t.Errorf("%d polls of a provider that is away", n)
			}
		})
}

func TestDeviceEnds(t *testing.T) {
	never := func(oidc.Prompt) {}
	for _, test := range []struct {
		name   string
		fault  func(http.ResponseWriter, *http.Request) bool
		change func(*fakeop.Provider, *oidc.Config)
		want   string
	}{
		{"declined", nil, func(op *fakeop.Provider, c *oidc.Config) { c.Prompt = entering(t, op, "", time.Minute) }, "access_denied"},
		{"expired", nil, func(_ *fakeop.Provider, c *oidc.Config) { c.Prompt, c.Patience = never, time.Hour }, "expired"},
		{"nobody came", nil, func(_ *fakeop.Provider, c *oidc.Config) { c.Prompt, c.Patience = never, time.Minute }, "nobody logged in within 1m0s"},
		{"no code", answer("/device_authorization", 200, `{}`, nil), func(_ *fakeop.Provider, c *oidc.Config) { c.Prompt = never }, "no code for a person"},
		{"not allowed", answer("/device_authorization", 400, `{"error":"unauthorized_client"}`, nil), func(_ *fakeop.Provider, c *oidc.Config) { c.Prompt = never }, "does not allow this flow"},
	} {
		t.Run(test.name, func(t *testing.T) {
			op := &fakeop.Provider{Fault: test.fault}
			bubble(t, op, func(c *oidc.Config) { test.change(op, c) }, func(t *testing.T, cl *silentrefresh.Client) {
				err := cl.Login(t.Context(), nil)
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Error(err)
				}
			})
		})
	}
}

func TestDeviceGivenUp(t *testing.T) {
	op := &fakeop.Provider{}
	ctx, interrupt := context.WithCancel(t.Context())
	bubble(t, op, func(c *oidc.Config) { c.Prompt = func(oidc.Prompt) { interrupt() } }, func(t *testing.T, cl *silentrefresh.Client) {
		if err := cl.Login(ctx, nil); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// TestF60_NobodyIsAskedAtNight: interactive flows do not run from the timer.
func TestF60_NobodyIsAskedAtNight(t *testing.T) {
	op := start(t, &fakeop.Provider{})
	for _, flow := range []oidc.Flow{oidc.Browser, oidc.Device} {
		c := browserSettings(op, func(string) error { t.Error("a browser popped up"); return nil })
		c.Flow = flow
		c.Prompt = func(oidc.Prompt) { t.Error("a prompt popped up") }
		_, err := exchanger(t, c).Exchange(t.Context(), client(t), silentrefresh.Grant{Kind: silentrefresh.Login})
		if f := failure(t, err); f.Refused || !strings.Contains(err.Error(), "nobody waits") {
			t.Error(err)
		}
	}
}

// TestBroughtCookie: a session of the provider's that a browser began goes on here.
func TestBroughtCookie(t *testing.T) {
	op := start(t, &fakeop.Provider{NoRefreshTokens: true})
	cookie := op.Session("ada")
	for name, begin := range map[string]func(*silentrefresh.Client) error{
		"Login": func(cl *silentrefresh.Client) error { return cl.Login(t.Context(), oidc.Cookies{cookie}) },
		"Resume": func(cl *silentrefresh.Client) error {
			return cl.Resume(t.Context(), silentrefresh.Session{Cookies: []silentrefresh.Cookie{
				{Name: cookie.Name, Value: silentrefresh.NewSecret(cookie.Value), Domain: "127.0.0.1", HostOnly: true, Path: "/"}}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			cl := newClient(t, op, settings(op))
			if err := begin(cl); err != nil {
				t.Fatal(err)
			}
			if got := me(t, cl, op); got != ada {
				t.Errorf("logged in as %s", got)
			}
			if err := cl.Renew(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCredentialsOfAnotherType(t *testing.T) {
	op := start(t, &fakeop.Provider{})
	err := newClient(t, op, settings(op)).Login(t.Context(), map[string]string{"password": "hunter2"})
	if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "map[string]string") {
		t.Error(err)
	}
}

// TestSilentWeek: a week without a refresh token, renewed by silent authentication alone.
func TestSilentWeek(t *testing.T) {
	op := &fakeop.Provider{NoRefreshTokens: true, TokenTTL: time.Hour}
	bubble(t, op, func(c *oidc.Config) { c.Flow, c.RedirectURI = oidc.Silent, redirectURI }, func(t *testing.T, cl *silentrefresh.Client) {
		if err := cl.Login(t.Context(), oidc.Cookies{op.Session("ada")}); err != nil {
			t.Fatal(err)
		}
		for range 7 * 24 {
			time.Sleep(time.Hour)
			if got := me(t, cl, op); got != ada {
				t.Fatalf("got %s", got)
			}
		}
		st := cl.Status()
		if st.Stats.Refreshes < 7*24 || st.Stats.Refreshes > 2*7*24 {
			t.Errorf("%d refreshes in a week of one-hour tokens", st.Stats.Refreshes)
		}
		if n := op.Calls("/.well-known/openid-configuration"); n > 8 {
			t.Errorf("discovered %d times in a week", n)
		}
	})
}
