package oauth_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/oauth"
	"github.com/silentrefresh/silentrefresh/oauth/oauthtest"
)

// TestF31_OmittedIsCarriedForward: a response to a refresh needs neither an ID token nor a new refresh token.
func TestF31_OmittedIsCarriedForward(t *testing.T) {
	op := start(t, oauthtest.Config{})
	e, hc := exchanger(t, settings(op)), client(t)
	old := login(t, e, hc, op, "ada")
	op.Change(func(p *oauthtest.Config) {
		p.Intercept = response("/token", 200, `{"access_token":"a","expires_in":"60","refresh_expires_in":1800}`, map[string]string{"Content-Type": "application/json"})
	})
	s, err := refresh(t, e, hc, old)
	if err != nil {
		t.Fatal(err)
	}
	s = s.CarryForward(old)
	if s.RefreshToken.Reveal() != old.RefreshToken.Reveal() || s.Extra.Reveal() != old.Extra.Reveal() {
		t.Error("what the response omits was not left to be carried forward")
	}
	if s.Expires.Sub(s.Issued) != time.Minute || s.Ends.Sub(s.Issued) != 30*time.Minute {
		t.Errorf("token %v, session %v", s.Expires.Sub(s.Issued), s.Ends.Sub(s.Issued))
	}
}

func TestF30_FormEncodedResponse(t *testing.T) {
	op := start(t, oauthtest.Config{})
	e, hc := exchanger(t, settings(op)), client(t)
	old := login(t, e, hc, op, "ada")
	op.Change(func(p *oauthtest.Config) {
		p.Intercept = response("/token", 200, "access_token=a&refresh_token=r&expires_in=60", map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
	})
	s, err := refresh(t, e, hc, old)
	if err != nil || s.AccessToken.Reveal() != "a" || s.RefreshToken.Reveal() != "r" || s.Expires.Sub(s.Issued).Round(time.Second) != time.Minute {
		t.Errorf("%v, %v", s.Expires.Sub(s.Issued), err)
	}
}

// TestF30_HugeAnswer: no response is read beyond a cap.
func TestF30_HugeResponse(t *testing.T) {
	op := start(t, oauthtest.Config{})
	e, hc := exchanger(t, settings(op)), client(t)
	old := login(t, e, hc, op, "ada")
	var wrote atomic.Int64
	op.Change(func(p *oauthtest.Config) {
		p.Intercept = func(w http.ResponseWriter, r *http.Request) bool {
			for range 256 { // 256 MiB, if anybody read it
				n, err := w.Write(make([]byte, 1<<20))
				wrote.Add(int64(n))
				if err != nil {
					break
				}
			}
			return true
		}
	})
	for _, e := range []*oauth.Exchanger{e, exchanger(t, settings(op))} { // tokens, and a discovery document
		if _, err := refresh(t, e, hc, old); err == nil {
			t.Error("it was taken for a response")
		}
	}
	op.Close()
	if n := wrote.Load() >> 20; n > 64 {
		t.Errorf("%d MiB were taken", n)
	}
}
