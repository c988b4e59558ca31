package oauthtest_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/oauth"
	"github.com/silentrefresh/silentrefresh/oauth/oauthtest"
)

// get asks path of the API, and expects a status.
func get(t *testing.T, client *silentrefresh.Client, p *oauthtest.Provider, path string, want int) string {
	t.Helper()
	resp, err := client.HTTPClient().Get(p.URL() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != want {
		t.Errorf("GET %s: %s, %v, want %d", path, resp.Status, err, want)
	}
	return strings.TrimSpace(string(body))
}

// token asks the token endpoint, by hand.
func token(t *testing.T, p *oauthtest.Provider, form url.Values) int {
	t.Helper()
	form.Set("client_id", oauthtest.ClientID)
	resp, err := (&http.Client{Transport: p.Transport()}).PostForm(p.URL()+string(oauthtest.Token), form)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// Every flow, in a bubble, for a week of which the person sees the first minute.
func TestAWeekByEveryFlow(t *testing.T) {
	for _, flow := range []oauth.Flow{oauth.Browser, oauth.Device, oauth.Silent, oauth.ClientCredentials, oauth.JWTBearer, oauth.TokenExchange} {
		t.Run(string(flow), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := oauthtest.NewProvider(t, oauthtest.Config{TokenTTL: 45 * time.Minute, Secret: "s"})
				client := p.Client(t, p.ClientConfig(flow, "bob"), silentrefresh.Config{})
				want := map[oauth.Flow]string{oauth.Browser: `{"sub":"bob"}`, oauth.Device: `{"sub":"bob"}`, oauth.Silent: `{"sub":"ada"}`}[flow]
				for range 7 * 24 {
					if got := get(t, client, p, "/me", 200); want != "" && got != want {
						t.Fatalf("it is %s, want %s", got, want)
					}
					time.Sleep(time.Hour)
				}
				if n := p.Counters(); n.APIUnauthorized != 0 || n.Reuses != 0 || n.API != 7*24 {
					t.Errorf("%+v", n)
				}
				if pages := p.Calls(oauthtest.Login); flow == oauth.Browser && pages != 2 { // the page and the form
					t.Errorf("the login page was used %d times", pages)
				}
			})
		})
	}
}

func TestOnTheNetwork(t *testing.T) {
	client, p := oauthtest.NewClient(t, oauthtest.Config{Plain: true}, silentrefresh.Config{})
	get(t, client, p, "/me", 200)
	resp, err := http.Get(p.URL() + "/me")
	if err != nil || resp.StatusCode != 401 {
		t.Errorf("without a token: %v", err)
	}
	resp.Body.Close()
	p.Close()
	p.Close()
	if _, err := http.Get(p.URL()); err == nil {
		t.Error("it responds after Close")
	}
}

func TestButtons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := oauthtest.NewClient(t, oauthtest.Config{TokenTTL: time.Hour}, silentrefresh.Config{})
		for i, press := range []func(){p.ExpireAll, p.RevokeAccess} {
			press()
			get(t, client, p, "/me", 200)
			if n := p.Counters(); n.APIUnauthorized != i+1 || n.Refreshes != i+1 {
				t.Errorf("after button %d: %+v", i, n)
			}
			time.Sleep(time.Minute)
		}
		p.Down()
		get(t, client, p, "/me", 200) // the API is there
		if err := client.Renew(t.Context()); err == nil || errors.Is(err, silentrefresh.ErrSessionOver) {
			t.Errorf("during an outage: %v", err)
		}
		p.Up()
		time.Sleep(time.Minute)
		get(t, client, p, "/me", 200)
		p.RevokeGrants()
		get(t, client, p, "/me", 401)
		if _, err := client.Token(t.Context()); !errors.Is(err, silentrefresh.ErrSessionOver) {
			t.Errorf("after the end: %v", err)
		}
		if n := p.Counters(); n.RefreshRefused == 0 || n.Logins != 1 {
			t.Errorf("%+v", n)
		}
	})
}

// A refresh token that is used twice ends all that the login gave, unless that is within the grace period.
func TestRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := oauthtest.NewProvider(t, oauthtest.Config{Grace: 10 * time.Second, Plain: true})
		e, err := oauth.New(p.ClientConfig(oauth.Device, "ada"))
		if err != nil {
			t.Fatal(err)
		}
		s, err := e.Exchange(auth.WithForeground(t.Context()), &http.Client{Transport: p.Transport()}, auth.Grant{Kind: auth.KindLogin})
		if err != nil {
			t.Fatal(err)
		}
		present := func(want int) {
			t.Helper()
			if got := token(t, p, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {s.RefreshToken.Reveal()}}); got != want {
				t.Errorf("status %d, want %d", got, want)
			}
		}
		present(200)
		time.Sleep(9 * time.Second)
		present(200)
		time.Sleep(time.Second)
		present(400)
		if n := p.Counters(); n.Refreshes != 2 || n.GraceUses != 1 || n.Reuses != 1 || n.RefreshRefused != 1 {
			t.Errorf("%+v", n)
		}
		secrets := strings.Join(p.Secrets(), " ")
		for _, secret := range []auth.Secret{s.AccessToken, s.RefreshToken} {
			if !strings.Contains(secrets, secret.Reveal()) {
				t.Error("a secret is missing")
			}
		}
	})
}

func TestRefreshTokensEndOrStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := oauthtest.NewClient(t, oauthtest.Config{RefreshTTL: time.Minute, TokenTTL: 10 * time.Hour}, silentrefresh.Config{})
		time.Sleep(59 * time.Second)
		if err := client.Renew(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		if err := client.Renew(t.Context()); err == nil {
			t.Error("a refresh token outlived its end")
		}
		stay, q := oauthtest.NewClient(t, oauthtest.Config{Reusable: true, TokenTTL: time.Minute}, silentrefresh.Config{})
		time.Sleep(time.Hour)
		get(t, stay, q, "/me", 200)
		if n := q.Counters(); n.Refreshes < 60 || n.Reuses != 0 || p.Counters().Reuses != 0 {
			t.Errorf("%+v", n)
		}
	})
}

// The faults of the token endpoint, before and after it has done its work, end no session of a client that bears with them.
func TestFaults(t *testing.T) {
	for _, kind := range []oauthtest.FaultKind{oauthtest.Drop, oauthtest.Hang, oauthtest.Status, oauthtest.HTML, oauthtest.Garbage} {
		for _, commit := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				client, p := oauthtest.NewClient(t, oauthtest.Config{TokenTTL: time.Hour, Grace: 10 * time.Minute}, silentrefresh.Config{})
				p.Fault(oauthtest.Fault{Kind: kind, Times: 3, Commit: commit})
				client.Renew(t.Context())
				time.Sleep(5 * time.Minute)
				get(t, client, p, "/me", 200)
				if n := p.Counters(); n.Reuses != 0 || commit && n.Refreshes == 0 {
					t.Errorf("%s, commit %v: %+v", kind, commit, n)
				}
				p.ClearFaults()
				if err := client.Renew(t.Context()); err != nil {
					t.Errorf("%s, commit %v: afterwards: %v", kind, commit, err)
				}
			})
		}
	}
}

func TestKindsOfServers(t *testing.T) {
	for name, c := range map[string]oauthtest.Config{
		"pushed": {RequirePush: true}, "bound": {RequireDPoP: true, Nonce: "n"}, "secret in the body": {Secret: "s", AuthMethods: []string{"client_secret_post"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, p := oauthtest.NewClient(t, c, silentrefresh.Config{})
				time.Sleep(time.Hour)
				get(t, client, p, "/me", 200)
			})
		})
	}
}

// A client that introduces itself, and has to again.
func TestRegistration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := oauthtest.NewProvider(t, oauthtest.Config{Registers: true, Plain: true})
		c := p.ClientConfig(oauth.Browser, "ada")
		c.ClientID = ""
		client := p.Client(t, c, silentrefresh.Config{})
		get(t, client, p, "/me", 200)
		p.Forget()
		p.ExpireAll()
		get(t, client, p, "/me", 401)
		if err := client.Login(t.Context(), nil); err != nil {
			t.Error(err)
		}
		if n := p.Calls(oauthtest.Register); n != 2 {
			t.Errorf("registered %d times", n)
		}
	})
}

func TestPeople(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := oauthtest.NewProvider(t, oauthtest.Config{})
		for _, flow := range []oauth.Flow{oauth.Browser, oauth.Device} {
			e, err := oauth.New(p.ClientConfig(flow, ""))
			if err != nil {
				t.Fatal(err)
			}
			_, err = e.Exchange(auth.WithForeground(t.Context()), &http.Client{Transport: p.Transport()}, auth.Grant{Kind: auth.KindLogin})
			if f, ok := errors.AsType[*auth.Error](err); !ok || f.Code != "access_denied" {
				t.Errorf("%s declined: %v", flow, err)
			}
		}
		if p.Decide("no such code", "ada") {
			t.Error("a code that nobody was shown")
		}
		browse := p.Browse("ada")
		client := p.Client(t, withBrowser(p, browse), silentrefresh.Config{})
		if err := client.Login(t.Context(), nil); err != nil { // the browser's session is there
			t.Error(err)
		}
		p.EndSessions()
		if err := client.Login(t.Context(), nil); err != nil {
			t.Error(err)
		}
		if n := p.Calls(oauthtest.Login); n != 6 { // declined, at first, and after the end; each the page and the form
			t.Errorf("the login page was used %d times", n)
		}
	})
}

func withBrowser(p *oauthtest.Provider, browse func(string) error) oauth.Config {
	c := p.ClientConfig(oauth.Browser, "")
	c.OpenBrowser = browse
	return c
}

func TestOwnAPI(t *testing.T) {
	teapot := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	client, p := oauthtest.NewClient(t, oauthtest.Config{API: teapot, InMemory: true, Scopes: []string{"x"}}, silentrefresh.Config{})
	get(t, client, p, "/any", http.StatusTeapot)
	p.Change(func(c *oauthtest.Config) { c.API, c.NeedScope = nil, "x" })
	get(t, client, p, "/any", http.StatusForbidden)
}

func TestMistakesAreNamed(t *testing.T) {
	_, err := oauthtest.Start(oauthtest.Config{TokenTTL: time.Millisecond, Grace: -1, RefreshTTL: -1, Interval: -1, Algorithm: "RS1"})
	for _, want := range []string{"TokenTTL", "Grace", "RefreshTTL", "Interval", "Algorithm"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not named: %v", want, err)
		}
	}
	p := oauthtest.NewProvider(t, oauthtest.Config{})
	for name, mistake := range map[string]func(){
		"Change": func() { p.Change(func(c *oauthtest.Config) { c.TokenTTL = -1 }) },
		"kind":   func() { p.Fault(oauthtest.Fault{Kind: "dorp"}) },
		"place":  func() { p.Fault(oauthtest.Fault{Kind: oauthtest.Drop, At: "/tokens"}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: a mistake was taken", name)
				}
			}()
			mistake()
		}()
	}
	p.Change(func(*oauthtest.Config) {}) // no lock is left behind
}

// What hangs or waits when the test ends is ended by Close.
func TestCloseEndsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := oauthtest.NewProvider(t, oauthtest.Config{})
		p.Fault(oauthtest.Fault{Kind: oauthtest.Hang, At: oauthtest.Keys})
		var wg sync.WaitGroup
		wg.Go(func() {
			if resp, err := (&http.Client{Transport: p.Transport()}).Get(p.URL() + string(oauthtest.Keys)); err == nil {
				resp.Body.Close()
			}
		})
		synctest.Wait()
		p.Close()
		wg.Wait()
	})
}

// A refresh token is of no use to another client.
func TestTokensBelongToTheirClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := oauthtest.NewProvider(t, oauthtest.Config{Registers: true, Plain: true})
		hc := &http.Client{Transport: p.Transport()}
		resp, err := hc.Post(p.URL()+string(oauthtest.Register), "application/json",
			strings.NewReader(`{"client_name":"another","token_endpoint_auth_method":"none"}`))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var other struct {
			ID string `json:"client_id"`
		}
		if err := json.NewDecoder(resp.Body).Decode(&other); err != nil || other.ID == "" {
			t.Fatal(err)
		}
		e, err := oauth.New(p.ClientConfig(oauth.Device, "ada"))
		if err != nil {
			t.Fatal(err)
		}
		s, err := e.Exchange(auth.WithForeground(t.Context()), hc, auth.Grant{Kind: auth.KindLogin})
		if err != nil {
			t.Fatal(err)
		}
		for _, test := range []struct {
			client string
			want   int
		}{{other.ID, 400}, {oauthtest.ClientID, 200}} {
			resp, err := hc.PostForm(p.URL()+string(oauthtest.Token), url.Values{
				"grant_type": {"refresh_token"}, "refresh_token": {s.RefreshToken.Reveal()}, "client_id": {test.client},
			})
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != test.want {
				t.Errorf("as %s: %s", test.client, resp.Status)
			}
		}
	})
}
