package oauth_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/oauth"
	"github.com/silentrefresh/silentrefresh/oauth/oauthtest"
)

// call sends a request as the engine does that has e's session s: signed, and once more where that alone was wrong.
func call(t *testing.T, e *oauth.Exchanger, s auth.Session, url string) int {
	t.Helper()
	for again := true; ; again = false {
		req, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+s.AccessToken.Reveal())
		if e.SignsRequests(s) {
			if err := e.SignRequest(req, s); err != nil {
				t.Fatal(err)
			}
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if !e.ReadSigned(resp, s) || !again {
			return resp.StatusCode
		}
	}
}

// TestDPoP: an API that takes nothing but bound tokens, and a server that insists on pushed requests; with nonces and
// without; after a refresh, and after a restart that has nothing but the session.
func TestDPoP(t *testing.T) {
	for _, nonce := range []string{"", "first"} {
		t.Run("nonce "+nonce, func(t *testing.T) {
			op := start(t, oauthtest.Config{Plain: true, Registers: true, RequirePush: true, RequireDPoP: true, Nonce: nonce})
			e, hc := exchanger(t, throughResource(op)), client(t)
			s, err := e.Exchange(auth.WithForeground(t.Context()), hc, auth.Grant{Kind: auth.KindLogin})
			if err != nil {
				t.Fatal(err)
			}
			if got := call(t, e, s, op.URL()+"/me?page=2"); got != http.StatusOK {
				t.Errorf("status %d", got)
			}
			if nonce != "" {
				op.Change(func(p *oauthtest.Config) { p.Nonce = "second" })
			}
			later := exchanger(t, throughResource(op))
			next, err := refresh(t, later, hc, s)
			if err != nil {
				t.Fatal(err)
			}
			next = next.CarryForward(s)
			if got := call(t, later, next, op.URL()+"/me"); got != http.StatusOK || !later.SignsRequests(next) {
				t.Errorf("status %d", got)
			}
			if op.Counters().Reuses != 0 {
				t.Errorf("%d reuses", op.Counters().Reuses)
			}
		})
	}
}

// TestDPoPWhereItIsFoundOut: a server whose metadata does not say that it insists is asked once more, with a key.
func TestDPoPWhereItIsFoundOut(t *testing.T) {
	for mode, works := range map[string]bool{oauth.DPoPAuto: true, oauth.DPoPNever: false, oauth.DPoPAlways: true} {
		op := start(t, oauthtest.Config{Plain: true, RequireDPoP: true, Nonce: "n", Secret: "s"})
		c := service(op)
		c.DPoP = mode
		e := exchanger(t, c)
		s, err := e.Exchange(t.Context(), client(t), auth.Grant{Kind: auth.KindLogin})
		if (err == nil) != works {
			t.Errorf("%q: %v", mode, err)
		}
		if works && call(t, e, s, op.URL()+"/me") != http.StatusOK {
			t.Errorf("%q: the API denies it", mode)
		}
	}
}

// TestDPoPNotTaken: a token that the server did not bind goes out as Bearer, unless the settings insist.
func TestDPoPNotTaken(t *testing.T) {
	op := start(t, oauthtest.Config{Plain: true, Secret: "s", Intercept: response("/token", 200, `{"access_token":"a","token_type":"Bearer"}`, nil)})
	c := service(op)
	c.DPoP = oauth.DPoPAlways
	_, err := exchanger(t, c).Exchange(t.Context(), client(t), auth.Grant{Kind: auth.KindLogin})
	if err == nil || !strings.Contains(err.Error(), "bound to no key") {
		t.Error(err)
	}
}

// TestF17_ProofsByTheServersClock: a machine whose clock is an hour off can still prove possession.
func TestF17_ProofsByTheServersClock(t *testing.T) {
	op := start(t, oauthtest.Config{Plain: true, RequireDPoP: true, Secret: "s"})
	var issued []int64
	var mu sync.Mutex
	op.Change(func(p *oauthtest.Config) {
		p.Intercept = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/token" {
				mu.Lock()
				defer mu.Unlock()
				issued = append(issued, issuedAt(t, r.Header.Get("DPoP")))
			}
			w.Header().Set("Date", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat))
			return false
		}
	})
	c := service(op)
	c.DPoP = oauth.DPoPAlways
	e := exchanger(t, c)
	e.Exchange(t.Context(), client(t), auth.Grant{Kind: auth.KindLogin}) // refused: the fake's own clock is ours
	if len(issued) == 0 {
		t.Fatal("no token was asked for")
	}
	if ahead := time.Until(time.Unix(issued[len(issued)-1], 0)); ahead < 59*time.Minute {
		t.Errorf("the last proof is %v ahead", ahead)
	}
}

func issuedAt(t *testing.T, proof string) int64 {
	t.Helper()
	parts := strings.Split(proof, ".")
	if len(parts) != 3 {
		return 0
	}
	var claims struct{ IAT int64 }
	if err := json.Unmarshal(decoded(t, parts[1]), &claims); err != nil {
		t.Fatal(err)
	}
	return claims.IAT
}

// TestF48_KeysStaySecret: no verb and no error shows the key that tokens are bound to.
func TestF48_KeysStaySecret(t *testing.T) {
	op := start(t, oauthtest.Config{Plain: true, RequireDPoP: true, Secret: "s"})
	e := exchanger(t, service(op))
	s, err := e.Exchange(t.Context(), client(t), auth.Grant{Kind: auth.KindLogin})
	if err != nil {
		t.Fatal(err)
	}
	var kept struct {
		Key struct{ D string } `json:"dpop_key"`
	}
	if err := json.Unmarshal([]byte(s.Extra.Reveal()), &kept); err != nil || kept.Key.D == "" {
		t.Fatalf("the session keeps no key: %v", err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if text := fmt.Sprintf(verb, s); strings.Contains(text, kept.Key.D) {
			t.Errorf("%s shows the key", verb)
		}
	}
}

// TestSignRequestConcurrently: every proof is another one.
func TestSignRequestConcurrently(t *testing.T) {
	op := start(t, oauthtest.Config{Plain: true, RequireDPoP: true, Secret: "s"})
	e := exchanger(t, service(op))
	s, err := e.Exchange(t.Context(), client(t), auth.Grant{Kind: auth.KindLogin})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			for range 5 {
				if got := call(t, e, s, op.URL()+"/me"); got != http.StatusOK {
					t.Errorf("status %d", got)
				}
			}
		})
	}
	all.Wait()
}

// TestDPoPThroughAClient: a Client's requests carry proofs, follow nonces without a refresh, and go on after one.
func TestDPoPThroughAClient(t *testing.T) {
	op := start(t, oauthtest.Config{Plain: true, Registers: true, RequirePush: true, RequireDPoP: true, Nonce: "first"})
	var signed atomic.Bool
	op.Change(func(p *oauthtest.Config) {
		p.Intercept = func(_ http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/me" && r.Header.Get("DPoP") != "" {
				signed.Store(true)
			}
			return false
		}
	})
	cl := newClient(t, op, throughResource(op))
	if err := cl.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	got := me(t, cl, op)
	if !signed.Load() {
		t.Error("the API saw no proof")
	}
	op.Change(func(p *oauthtest.Config) { p.Nonce = "second" })
	if got != ada || me(t, cl, op) != ada || cl.Status().Stats.Refreshes != 0 {
		t.Errorf("logged in as %s, %d refreshes", got, cl.Status().Stats.Refreshes)
	}
	if err := cl.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := me(t, cl, op); got != ada {
		t.Errorf("after a refresh: %s", got)
	}
}
