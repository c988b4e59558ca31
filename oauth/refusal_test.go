package oauth_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/oauth/oauthtest"
)

// TestF75_DeadRefreshTokens: what servers respond means here what it means at other endpoints.
func TestF75_DeadRefreshTokens(t *testing.T) {
	text, err := os.ReadFile("../internal/refusal/testdata/responses.json")
	if err != nil {
		t.Skip(err) // it is not part of this module
	}
	var cases []struct {
		Who         string
		Status      int
		ContentType string `json:"content_type"`
		Sent, Body  string
		Means       string
		Headers     map[string]string
	}
	if err := json.Unmarshal(text, &cases); err != nil || len(cases) == 0 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	op := start(t, oauthtest.Config{})
	e := exchanger(t, settings(op))
	old := login(t, e, client(t), op, "ada")
	for _, test := range cases {
		if test.Sent == "both" {
			continue // a refresh here carries no access token
		}
		header := map[string]string{"Content-Type": test.ContentType}
		maps.Copy(header, test.Headers)
		op.Change(func(p *oauthtest.Config) { p.Intercept = response("/token", test.Status, test.Body, header) })
		_, err := refresh(t, e, client(t), old)
		if f := failure(t, err); f.Refused != (test.Means == "over") {
			t.Errorf("%s means %s: %d %s: %+v", test.Who, test.Means, test.Status, test.Body, f)
		}
	}
}

// TestF75_UnrecognizedSaysWhatWouldHelp: what is not understood ends nothing, says so, and names the setting that would
// end the session.
func TestF75_UnrecognizedSaysWhatWouldHelp(t *testing.T) {
	op := start(t, oauthtest.Config{})
	c := settings(op)
	e := exchanger(t, c)
	old := login(t, e, client(t), op, "ada")
	for _, test := range []struct {
		status     int
		body, rule string
	}{
		{409, `{"message":"Computer says no"}`, "409"},
		{400, `{"error":"e_77"}`, "e_"},
		{400, `{"error":"computer_says_no"}`, "computer_says_no"},
	} {
		op.Change(func(p *oauthtest.Config) { p.Intercept = response("/token", test.status, test.body, nil) })
		_, err := refresh(t, e, client(t), old)
		f := failure(t, err)
		if f.Refused || !f.Unrecognized || !strings.Contains(f.Hint, "to refused") {
			t.Errorf("%s: %+v", test.body, f)
		}
		c.Refused = []string{test.rule}
		_, err = refresh(t, exchanger(t, c), client(t), old)
		if f := failure(t, err); f.Refused != (test.rule != "e_") {
			t.Errorf("%s with the rule: %+v", test.body, f)
		}
	}
}

// TestF76_TheClientComesFirst: codes about the client or the moment end nothing, whatever is written beside them.
func TestF76_TheClientComesFirst(t *testing.T) {
	for _, code := range []string{"invalid_client", "temporarily_unavailable", "server_error", "slow_down", "unsupported_grant_type", "access_denied", "unauthorized_client"} {
		text := "the session is over"
		if code != "unauthorized_client" && code != "access_denied" {
			text = "refresh token expired"
		} else {
			text = "this application may not do that"
		}
		op := start(t, oauthtest.Config{})
		e := exchanger(t, settings(op))
		old := login(t, e, client(t), op, "ada")
		body := `{"error":"` + code + `","error_description":"` + text + `"}`
		op.Change(func(p *oauthtest.Config) { p.Intercept = response("/token", 400, body, nil) })
		_, err := refresh(t, e, client(t), old)
		if f := failure(t, err); f.Refused {
			t.Errorf("%s: %+v", code, f)
		}
	}
}

// TestF82_WaitsAsTold: every way in which a server says when to come again, on every status, by the server's clock.
func TestF82_WaitsAsTold(t *testing.T) {
	ahead := time.Now().Add(time.Hour).UTC() // what the server's clock shows
	for _, test := range []struct {
		status int
		name   string
		value  string
	}{
		{429, "Retry-After", "90"},
		{503, "Retry-After", ahead.Add(90 * time.Second).Format(http.TimeFormat)},
		{408, "Retry-After", "90"},
		{500, "Retry-After", "90"},
		{429, "X-RateLimit-Reset", "90"},
		{429, "RateLimit", `"default";r=0;t=90`},
	} {
		op := start(t, oauthtest.Config{})
		e := exchanger(t, settings(op))
		old := login(t, e, client(t), op, "ada")
		header := map[string]string{test.name: test.value, "Date": ahead.Format(http.TimeFormat)}
		op.Change(func(p *oauthtest.Config) { p.Intercept = response("/token", test.status, `{}`, header) })
		_, err := refresh(t, e, client(t), old)
		if wait := time.Until(failure(t, err).Until); wait < 85*time.Second || wait > 91*time.Second {
			t.Errorf("%d %s: %s is taken for %v", test.status, test.name, test.value, wait)
		}
	}
}

// TestF84_TokenTypes: a token of a type that cannot be sent is an error that names the type; the refresh token that came
// with it is kept.
func TestF84_TokenTypes(t *testing.T) {
	for kind, works := range map[string]bool{"": true, "bearer": true, "BEARER": true, "mac": false, "DPoP": false, "N_A": false} {
		op := start(t, oauthtest.Config{})
		e := exchanger(t, settings(op))
		old := login(t, e, client(t), op, "ada")
		op.Change(func(p *oauthtest.Config) {
			p.Intercept = response("/token", 200, `{"access_token":"a","refresh_token":"next","token_type":"`+kind+`"}`, nil)
		})
		s, err := refresh(t, e, client(t), old)
		if (err == nil) != works || s.RefreshToken.Reveal() != "next" || err != nil && (!strings.Contains(err.Error(), kind) || !s.AccessToken.IsZero()) {
			t.Errorf("%q: %v", kind, err)
		}
	}
}

// TestF88_Lifetimes: however it is written, it is read, and the refresh token is presented once.
func TestF88_Lifetimes(t *testing.T) {
	for field, want := range map[string]time.Duration{
		`"expires_in":3599.5`:      3599*time.Second + 500*time.Millisecond,
		`"expires_in":"3600"`:      time.Hour,
		`"expires_in_ms":300000`:   5 * time.Minute,
		`"expires_in":-1`:          0,
		`"expires_in":null`:        0,
		`"expires_in":"soon"`:      0,
		`"expires_in":1e400`:       10 * 365 * 24 * time.Hour,
		`"expires_in":{"a":1}`:     0,
		`"token_type":"bearer"`:    0,
		`"expires_in":0,"scope":1`: 0,
	} {
		op := start(t, oauthtest.Config{})
		e := exchanger(t, settings(op))
		old := login(t, e, client(t), op, "ada")
		sent := op.Calls("/token")
		op.Change(func(p *oauthtest.Config) {
			p.Intercept = response("/token", 200, `{"access_token":"a",`+field+`}`, nil)
		})
		s, err := refresh(t, e, client(t), old)
		if err != nil {
			t.Errorf("%s: %v", field, err)
			continue
		}
		var life time.Duration
		if !s.Expires.IsZero() {
			life = s.Expires.Sub(s.Issued)
		}
		if life != want || op.Calls("/token")-sent != 1 {
			t.Errorf("%s: %v, want %v, after %d requests", field, life, want, op.Calls("/token")-sent)
		}
	}
}

// TestF77_TheSessionsOwnEnd: how long the refresh token lives is the engine's to know.
func TestF77_TheSessionsOwnEnd(t *testing.T) {
	for _, field := range []string{`"refresh_expires_in":1800`, `"refresh_token_expires_in":"1800"`, `"refresh_token_expires_in":1800.0`} {
		op := start(t, oauthtest.Config{})
		e := exchanger(t, settings(op))
		old := login(t, e, client(t), op, "ada")
		op.Change(func(p *oauthtest.Config) {
			p.Intercept = response("/token", 200, `{"access_token":"a","expires_in":36000,`+field+`}`, nil)
		})
		s, err := refresh(t, e, client(t), old)
		if err != nil || s.Ends.Sub(s.Issued) != 30*time.Minute || s.Expires.Sub(s.Issued) != 10*time.Hour {
			t.Errorf("%s: token %v, session %v, %v", field, s.Expires.Sub(s.Issued), s.Ends.Sub(s.Issued), err)
		}
	}
}

// TestF78_EndsByTheServersClock: a machine whose clock is a month off counts lifetimes all the same.
func TestF78_EndsByTheServersClock(t *testing.T) {
	for _, off := range []time.Duration{30 * 24 * time.Hour, -30 * 24 * time.Hour} {
		op := start(t, oauthtest.Config{})
		e := exchanger(t, settings(op))
		old := login(t, e, client(t), op, "ada")
		theirs := time.Now().Add(off).Truncate(time.Second)
		body := fmt.Sprintf(`{"access_token":"a","expires_at":%d}`, theirs.Add(time.Hour).Unix())
		op.Change(func(p *oauthtest.Config) {
			p.Intercept = response("/token", 200, body, map[string]string{"Date": theirs.UTC().Format(http.TimeFormat)})
		})
		s, err := refresh(t, e, client(t), old)
		if err != nil || s.Expires.Sub(s.Issued) != time.Hour {
			t.Errorf("%v off: %v, %v", off, s.Expires.Sub(s.Issued), err)
		}
	}
}

// TestF103_ForgedAccountNames: an account is shown on terminals, which obey control characters.
func TestF103_ForgedAccountNames(t *testing.T) {
	op := start(t, oauthtest.Config{Claims: func(c map[string]any) { c["email"] = "a\x1b[2Jda\u202e@\r\nexample.com" }})
	s := login(t, exchanger(t, settings(op)), client(t), op, "ada")
	if s.Account != "a[2Jda@example.com" {
		t.Errorf("%q", s.Account)
	}
}

// TestIDTokenAsBearer: API requests carry the ID token, and Logout revokes what the server gave beside it.
func TestIDTokenAsBearer(t *testing.T) {
	op := start(t, oauthtest.Config{TokenTTL: time.Hour})
	c := settings(op)
	c.IDTokenAsBearer = true
	e, hc := exchanger(t, c), client(t)
	s := login(t, e, hc, op, "ada")
	if parts := strings.Split(s.AccessToken.Reveal(), "."); len(parts) != 3 {
		t.Fatal("that is no ID token")
	}
	if life := s.Expires.Sub(s.Issued).Round(5 * time.Second); life != time.Minute {
		t.Errorf("ends after %v, the ID token after a minute", life)
	}
	next, err := refresh(t, e, hc, s)
	if err != nil || next.AccessToken.Equal(s.AccessToken) {
		t.Errorf("%v", err)
	}
	if _, err := e.Exchange(t.Context(), hc, auth.Grant{Kind: auth.KindLogout, Old: next.CarryForward(s)}); err != nil {
		t.Error(err)
	}
	if op.Calls("/revoke") != 2 {
		t.Errorf("%d revocations", op.Calls("/revoke"))
	}
}
