package oauth_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/oauth"
	"github.com/silentrefresh/silentrefresh/oauth/oauthtest"
)

func browserSettings(op *oauthtest.Provider, browse func(string) error) oauth.Config {
	return oauth.Config{Issuer: op.URL(), ClientID: oauthtest.ClientID, OpenBrowser: browse, Prompt: func(oauth.Prompt) {}}
}

func TestBrowserLogin(t *testing.T) {
	op := start(t, oauthtest.Config{})
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
	op := start(t, oauthtest.Config{})
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
		"response_type": "code", "client_id": oauthtest.ClientID, "scope": "openid offline_access",
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

// TestBrowserTurnsStrangersAway: responses of other logins, other paths and other methods do not end the login.
func TestBrowserTurnsStrangersAway(t *testing.T) {
	op := start(t, oauthtest.Config{})
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
	op := start(t, oauthtest.Config{})
	err := newClient(t, op, browserSettings(op, op.Browse(""))).Login(t.Context(), nil)
	if f := failure(t, err); !f.Refused || f.Code != "access_denied" || !strings.Contains(err.Error(), "declined") {
		t.Error(err)
	}
}

// TestBrowserDoesNotOpen: then the page's address is told.
func TestBrowserDoesNotOpen(t *testing.T) {
	op := start(t, oauthtest.Config{})
	c := browserSettings(op, func(string) error { return errors.New("no display") })
	c.Prompt = func(p oauth.Prompt) { go op.Browse("ada")(p.URL) }
	if err := newClient(t, op, c).Login(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

func TestBrowserGivenUp(t *testing.T) {
	op := start(t, oauthtest.Config{})
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
	op := start(t, oauthtest.Config{})
	c := browserSettings(op, func(string) error { return nil })
	c.RedirectURI = op.URL() + "/callback" // the provider itself sits there
	err := newClient(t, op, c).Login(t.Context(), nil)
	if err == nil || !strings.Contains(err.Error(), "listening") {
		t.Error(err)
	}
}
