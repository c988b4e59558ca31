package oauth_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/oauth"
	"github.com/silentrefresh/silentrefresh/oauth/oauthtest"
)

// TestF103_StaleMetadataServesOn: whatever becomes of the metadata, a session that began with it is renewed on time, and the
// metadata is asked for beside, now and then. Once it is good again, it counts.
func TestF103_StaleMetadataServesOn(t *testing.T) {
	says := func(name string, value any) func(*oauthtest.Provider) {
		return func(op *oauthtest.Provider) {
			op.Change(func(c *oauthtest.Config) { c.Metadata = func(doc map[string]any) { doc[name] = value } })
		}
	}
	fault := func(kind oauthtest.FaultKind) func(*oauthtest.Provider) {
		return func(op *oauthtest.Provider) {
			op.Fault(oauthtest.Fault{Kind: kind, At: oauthtest.OpenIDConfiguration, Times: 10_000})
		}
	}
	for name, harm := range map[string]func(*oauthtest.Provider){
		"hangs": fault(oauthtest.Hang), "drops": fault(oauthtest.Drop), "fails": fault(oauthtest.Status), "a page": fault(oauthtest.HTML),
		"garbage": fault(oauthtest.Garbage), "another issuer": says("issuer", "https://evil.example.com"),
		"a plain line": says("token_endpoint", "http://evil.example.com/token"), "no keys": says("jwks_uri", ""), "a number": says("token_endpoint", 7),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cl, op := oauthtest.NewClient(t, oauthtest.Config{TokenTTL: 50 * time.Minute}, silentrefresh.Config{})
				harm(op)
				const days = 2
				for range days * 24 {
					time.Sleep(time.Hour)
					if got := me(t, cl, op); got != ada {
						t.Fatalf("the API says %s", got)
					}
				}
				if n := op.Counters(); n.APIUnauthorized != 0 || n.Reuses != 0 {
					t.Errorf("%+v", n)
				}
				if n := op.Calls(oauthtest.OpenIDConfiguration); n < days || n > days*24*12 {
					t.Errorf("the metadata was asked for %d times", n)
				}
				op.ClearFaults()
				op.Change(func(c *oauthtest.Config) { c.Metadata = nil })
				time.Sleep(time.Hour) // it is fetched
				before := op.Calls(oauthtest.OpenIDConfiguration)
				time.Sleep(23 * time.Hour)
				if n := op.Calls(oauthtest.OpenIDConfiguration); n != before {
					t.Errorf("good metadata was asked for again, %d times in a day", n-before)
				}
			})
		})
	}
}

// TestF103_HangingDiscoveryAtAStart: a process that finds a session in the Store renews it and ends it though the metadata is
// not to be had, without waiting for long; a login has to have the whole of it.
func TestF103_HangingDiscoveryAtAStart(t *testing.T) {
	for _, kind := range []oauthtest.FaultKind{oauthtest.Hang, oauthtest.Status, oauthtest.HTML, oauthtest.Drop} {
		for _, flow := range []oauth.Flow{oauth.Browser, oauth.Device, oauth.Silent, oauth.ClientCredentials} {
			t.Run(fmt.Sprint(kind, ", ", flow), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { startWithoutMetadata(t, flow, kind) })
			})
		}
	}
}

func startWithoutMetadata(t *testing.T, flow oauth.Flow, kind oauthtest.FaultKind) {
	op := oauthtest.NewProvider(t, oauthtest.Config{Secret: "s", TokenTTL: time.Hour, NoRefreshTokens: flow == oauth.Silent})
	store, c := new(silentrefresh.MemoryStore), op.ClientConfig(flow, "ada")
	op.Client(t, c, silentrefresh.Config{Store: store}).Close()
	op.Fault(oauthtest.Fault{Kind: kind, At: oauthtest.OpenIDConfiguration, Times: 10_000})
	cl := newClient(t, op, c, func(cfg *silentrefresh.Config) { cfg.Store = store })
	began := time.Now()
	if err := cl.Renew(t.Context()); err != nil || time.Since(began) > 6*time.Second {
		t.Fatalf("after %v: %v", time.Since(began), err)
	}
	time.Sleep(48 * time.Hour)
	began = time.Now()
	me(t, cl, op)
	if took := time.Since(began); took > 0 || op.Counters().APIUnauthorized != 0 {
		t.Errorf("it took %v; %+v", took, op.Counters())
	}
	if err := cl.Logout(t.Context()); err != nil || op.Calls(oauthtest.Revoke) == 0 {
		t.Errorf("logout: %v", err)
	}
	op.ClearFaults()
	var credentials any
	if flow == oauth.Silent {
		credentials = oauth.Cookies{op.Session("ada")}
	}
	if err := cl.Login(t.Context(), credentials); err != nil {
		t.Errorf("with the metadata: %v", err)
	}
}

// tokenResponse makes every response to a refresh what body says, in which %d is the number of the refresh.
func tokenResponse(status int, body string, asked *atomic.Int32) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != string(oauthtest.Token) || r.PostFormValue("grant_type") != "refresh_token" {
			return false
		}
		n := asked.Add(1)
		if strings.Contains(body, "%d") {
			body := fmt.Sprintf(body, n, n)
			return response(string(oauthtest.Token), status, body, nil)(w, r)
		}
		return response(string(oauthtest.Token), status, body, nil)(w, r)
	}
}

// TestF103_LifetimesPresentATokenOnce: a lifetime that is no whole number is no lost response: the credential is presented once
// for each token, and tokens are renewed before they end.
func TestF103_LifetimesPresentATokenOnce(t *testing.T) {
	for _, lifetime := range []string{`3599.5`, `"3600"`, `"3599.9"`, `3.6e3`} {
		synctest.Test(t, func(t *testing.T) {
			var asked atomic.Int32
			cl, op := oauthtest.NewClient(t, oauthtest.Config{Plain: true, TokenTTL: time.Hour}, silentrefresh.Config{})
			op.Change(func(c *oauthtest.Config) {
				c.Intercept = tokenResponse(200, `{"access_token":"access-%d","refresh_token":"next-%d","expires_in":`+lifetime+`}`, &asked)
			})
			if err := cl.Renew(t.Context()); err != nil {
				t.Fatal(err)
			}
			first, renewed := asked.Load(), cl.Status().Stats.Refreshes
			if life := cl.Status().Expires.Sub(cl.Status().Issued); life < 3599*time.Second || life > time.Hour {
				t.Errorf("%s is taken for %v", lifetime, life)
			}
			time.Sleep(24 * time.Hour)
			n, tokens := asked.Load()-first, cl.Status().Stats.Refreshes-renewed
			if first != 1 || n < 24 || n > 48 || uint64(n) != tokens {
				t.Errorf("%s: presented %d times at first, then %d times in a day for %d tokens", lifetime, first, n, tokens)
			}
		})
	}
}

// TestF103_BareRefusals: a refusal without a word means here what it means at other endpoints. A 401 ends the session, a 403
// that repeats does, and others are not understood: they end nothing by themselves, make the session unhealthy, name the
// setting that would end it, and are asked for about once an hour.
func TestF103_BareRefusals(t *testing.T) {
	for _, test := range []struct {
		status int
		rule   string
		want   silentrefresh.State
		most   int32 // times that the token is presented in a day
	}{
		{401, "", silentrefresh.StateOver, 1},
		{403, "", silentrefresh.StateOver, 60},
		{400, "", silentrefresh.StateUnclear, 100},
		{409, "", silentrefresh.StateUnclear, 100},
		{422, "", silentrefresh.StateUnclear, 100},
		{400, "400", silentrefresh.StateOver, 1},
		{404, "404", silentrefresh.StateOver, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			var asked atomic.Int32
			op := oauthtest.NewProvider(t, oauthtest.Config{TokenTTL: time.Hour})
			c := op.ClientConfig(oauth.Browser, "ada")
			if test.rule != "" {
				c.Refused = []string{test.rule}
			}
			cl := op.Client(t, c, silentrefresh.Config{})
			op.Change(func(c *oauthtest.Config) { c.Intercept = tokenResponse(test.status, "", &asked) })
			time.Sleep(24 * time.Hour)
			st := cl.Status()
			if st.State != test.want || asked.Load() > test.most || errors.Is(st.Err, silentrefresh.ErrSessionOver) != (test.want == silentrefresh.StateOver) {
				t.Errorf("%d %q: %s after %d refusals: %v", test.status, test.rule, st.State, asked.Load(), st.Err)
			}
			if test.want == silentrefresh.StateOver {
				return
			}
			if st.State.Healthy() || !strings.Contains(st.Err.Error(), "to refused") {
				t.Errorf("%d: it is taken for healthy, or the setting is not named: %v", test.status, st.Err)
			}
			op.Change(func(c *oauthtest.Config) { c.Intercept = nil })
			time.Sleep(2 * time.Hour)
			if got := me(t, cl, op); got != ada {
				t.Errorf("%d: the server takes the token again, and the API says %s", test.status, got)
			}
		})
	}
}

// TestF103_AccessDeniedWhereNobodyWasAsked: a refresh is nothing that a person can decline. The first such response ends
// nothing; one that repeats while the token ends is the server's last word.
func TestF103_AccessDeniedWhereNobodyWasAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cl, op := oauthtest.NewClient(t, oauthtest.Config{TokenTTL: time.Hour}, silentrefresh.Config{MaxWait: -1})
		op.Fault(oauthtest.Fault{Kind: oauthtest.Status, Status: 400, Body: `{"error":"access_denied"}`})
		if err := cl.Renew(t.Context()); err == nil || errors.Is(err, silentrefresh.ErrSessionOver) {
			t.Errorf("an early refresh: %v", err)
		}
		if st := cl.Status(); st.State != silentrefresh.StateLoggedIn || !st.Renewable {
			t.Errorf("the session is %s", st.State)
		}
		for range 48 {
			time.Sleep(time.Hour)
			if got := me(t, cl, op); got != ada {
				t.Fatalf("the API says %s", got)
			}
		}
		if n := op.Counters(); n.APIUnauthorized != 0 || n.Reuses != 0 || n.Logins != 1 {
			t.Errorf("%+v", n)
		}
	})
}

// TestF103_ResourceIsSentEverywhere: in every request for a token, also of a process that knows no more than the Store.
func TestF103_ResourceIsSentEverywhere(t *testing.T) {
	for _, flow := range []oauth.Flow{oauth.Browser, oauth.Device, oauth.ClientCredentials} {
		synctest.Test(t, func(t *testing.T) {
			const resource = "https://api.example.com/v1"
			op := oauthtest.NewProvider(t, oauthtest.Config{Secret: "s", Resource: resource})
			store := new(silentrefresh.MemoryStore)
			c := op.ClientConfig(flow, "ada")
			c.Resource = resource
			cl := op.Client(t, c, silentrefresh.Config{Store: store})
			time.Sleep(time.Hour)
			cl.Close()
			c.Resource = "" // the session knows
			if flow == oauth.ClientCredentials {
				c.Resource = resource
			}
			second := newClient(t, op, c, func(cfg *silentrefresh.Config) { cfg.Store = store })
			if err := second.Renew(t.Context()); err != nil {
				t.Errorf("%s, after a restart: %v", flow, err)
			}
			if n := op.Counters(); n.RefreshRefused != 0 || n.Reuses != 0 || n.Logins == 0 {
				t.Errorf("%s: %+v", flow, n)
			}
		})
	}
}

// TestF103_WhatIsShownObeysNobody: what a server writes for people's eyes has nothing in it that a terminal obeys, and an end.
func TestF103_WhatIsShownObeysNobody(t *testing.T) {
	const evil = "\x1b]8;;https://evil.example.com\x07\u202e\r\n\u009b2J"
	hidden := func(s string) bool { return strings.ContainsAny(s, "\x1b\x07\r\n\u202e\u009b") }
	for _, claim := range []string{"email", "preferred_username", "name", "sub"} {
		op := start(t, oauthtest.Config{Claims: func(c map[string]any) {
			delete(c, "email")
			c[claim] = "Ada" + evil + strings.Repeat("a", 100_000)
		}})
		s := login(t, exchanger(t, settings(op)), client(t), op, "ada")
		if hidden(s.Account) || !strings.HasPrefix(s.Account, "Ada") || len(s.Account) > 512 {
			t.Errorf("%s: %q", claim, s.Account)
		}
	}
	code, err := json.Marshal("AB" + evil + "CD")
	if err != nil {
		t.Fatal(err)
	}
	uri := strings.ReplaceAll(`"https://op.example.com/`+strings.Trim(string(code), `"`)+`"`, " ", "")
	var shown oauth.Prompt
	config := oauthtest.Config{Intercept: response(string(oauthtest.DeviceAuthorize), 200,
		`{"device_code":"d","user_code":`+string(code)+`,"verification_uri":`+uri+`,"verification_uri_complete":`+uri+`}`, nil)}
	bubble(t, config, func(_ *oauthtest.Provider, c *oauth.Config) {
		c.Prompt, c.Patience = func(p oauth.Prompt) { shown = p }, time.Second
	}, func(t *testing.T, _ *oauthtest.Provider, cl *silentrefresh.Client) {
		if err := cl.Login(t.Context(), nil); err == nil || hidden(err.Error()) {
			t.Errorf("%q", err)
		}
	})
	for _, text := range []string{shown.Code, shown.URL, shown.CompleteURL} {
		if hidden(text) || text == "" {
			t.Errorf("shown: %q", text)
		}
	}
}
