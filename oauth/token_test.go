package oauth_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/oauth"
	"github.com/silentrefresh/silentrefresh/oauth/oauthtest"
)

func TestRefreshRotates(t *testing.T) {
	op := start(t, oauthtest.Config{})
	e, hc := exchanger(t, settings(op)), client(t)
	s := login(t, e, hc, op, "ada")
	asked := op.Calls("/authorize")
	for range 3 {
		got, err := refresh(t, e, hc, s)
		if err != nil {
			t.Fatal(err)
		}
		if got.RefreshToken.Reveal() == s.RefreshToken.Reveal() {
			t.Fatal("the refresh token was not rotated")
		}
		s = next(got, s)
	}
	if op.Counters().Reuses != 0 || op.Calls("/authorize") != asked {
		t.Errorf("%d reuses, %d authorization requests", op.Counters().Reuses, op.Calls("/authorize")-asked)
	}
}

// TestSilentRescuesARefusedRefreshToken: the second way, before the session is over; afterwards the dead token is
// not presented again.
func TestSilentRescuesARefusedRefreshToken(t *testing.T) {
	op := start(t, oauthtest.Config{})
	e, hc := exchanger(t, settings(op)), client(t)
	old := login(t, e, hc, op, "ada")
	op.RevokeGrants()
	op.Change(func(p *oauthtest.Config) { p.NoRefreshTokens = true })
	s, err := refresh(t, e, hc, old)
	if err != nil {
		t.Fatal(err)
	}
	s = next(s, old)
	if err := e.CheckRenewable(s); err == nil {
		t.Error("a spent refresh token and no cookies count as renewable")
	}
	sent := op.Calls("/token")
	if _, err := refresh(t, e, hc, s); err != nil {
		t.Fatal(err)
	}
	if n := op.Calls("/token") - sent; n != 1 {
		t.Errorf("%d token requests: the dead refresh token was presented again", n)
	}
	if op.Counters().Reuses != 0 {
		t.Errorf("%d reuses", op.Counters().Reuses)
	}
}

func TestBothWaysRefused(t *testing.T) {
	op := start(t, oauthtest.Config{})
	e, hc := exchanger(t, settings(op)), client(t)
	old := login(t, e, hc, op, "ada")
	op.RevokeGrants()
	op.EndSessions()
	_, err := refresh(t, e, hc, old)
	if !errors.Is(err, silentrefresh.ErrSessionOver) {
		t.Fatalf("not over: %v", err)
	}
	for _, want := range []string{"login_required", "invalid_grant"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not mention %s", err, want)
		}
	}
}

func TestSecondWayAwayIsNotTheEnd(t *testing.T) {
	op := start(t, oauthtest.Config{})
	e, hc := exchanger(t, settings(op)), client(t)
	old := login(t, e, hc, op, "ada")
	op.RevokeGrants()
	op.Change(func(p *oauthtest.Config) { p.Intercept = response("/authorize", 503, "", nil) })
	_, err := refresh(t, e, hc, old)
	if f := failure(t, err); f.Refused || !f.Unsent {
		t.Errorf("%+v", f)
	}
}

func TestRefusedWithoutASecondWay(t *testing.T) {
	op := start(t, oauthtest.Config{})
	e := exchanger(t, settings(op))
	old := login(t, e, client(t), op, "ada")
	asked := op.Calls("/authorize")
	op.RevokeGrants()
	_, err := refresh(t, e, client(t), old) // a jar without cookies
	if f := failure(t, err); !f.Refused || f.Code != "invalid_grant" {
		t.Error(err)
	}
	if op.Calls("/authorize") != asked {
		t.Error("the provider was asked about a session that nobody has")
	}
}

// TestF24_TokenEndpointFailures: what the token endpoint's responses to a refresh mean.
func TestF24_TokenEndpointFailures(t *testing.T) {
	type flags struct{ refused, unsent, unknown bool }
	over, harmless, lost, setting := flags{refused: true}, flags{unsent: true}, flags{unknown: true}, flags{}
	for _, test := range []struct {
		status int
		body   string
		want   flags
	}{
		{400, `{"error":"invalid_grant","error_description":"SECRET"}`, over},
		{400, `{"error":"invalid_request"}`, setting}, // Unrecognized
		{403, `{"error":"access_denied"}`, setting},
		{400, `{"error":"interaction_required"}`, over},
		{200, `{"error":"invalid_grant"}`, over},
		{500, `{"error":"server_error"}`, lost},
		{400, `{"error":"server_error"}`, lost},
		{500, `SECRET`, lost},
		{502, `<html>SECRET`, lost},
		{200, `<html>SECRET`, lost},
		{200, `{"access_token":`, lost},
		{200, `{}`, lost},
		{429, `{"error":"slow_down"}`, harmless},
		{503, `SECRET`, harmless},
		{400, `{"error":"temporarily_unavailable"}`, harmless},
		{401, `{"error":"invalid_client"}`, setting},
		{400, `{"error":"unauthorized_client"}`, setting},
		{400, `{"error":"invalid_scope"}`, setting},
		{403, `<html>SECRET`, setting},
		{404, `SECRET`, setting},
		{302, ``, setting},
	} {
		op := start(t, oauthtest.Config{})
		e := exchanger(t, settings(op))
		old := login(t, e, client(t), op, "ada")
		sent := op.Calls("/token")
		op.Change(func(p *oauthtest.Config) {
			p.Intercept = response("/token", test.status, test.body, map[string]string{"Content-Type": "application/json", "Retry-After": "7"})
		})
		_, err := refresh(t, e, client(t), old)
		f := failure(t, err)
		if got := (flags{f.Refused, f.Unsent, f.MaybeSpent}); got != test.want {
			t.Errorf("%d %s: %+v, want %+v", test.status, test.body, got, test.want)
		}
		want := 1
		if test.want == lost {
			want = 2 // once more, and no more
		}
		if n := op.Calls("/token") - sent; n != want || f.Interrupted != (want == 2) {
			t.Errorf("%d %s: the refresh token was sent %d times; interrupted %v", test.status, test.body, n, f.Interrupted)
		}
		if strings.Contains(err.Error(), "SECRET") {
			t.Errorf("the error shows a body: %v", err)
		}
		if wait := time.Until(f.Until); test.want != over && (wait < 5*time.Second || wait > 7*time.Second) {
			t.Errorf("%d %s: postponed by %v, Retry-After says 7 s", test.status, test.body, wait)
		}
	}
}

// TestF29_OnceMore: a race at the provider passes at the second try.
func TestF29_OnceMore(t *testing.T) {
	op := start(t, oauthtest.Config{})
	e := exchanger(t, settings(op))
	old := login(t, e, client(t), op, "ada")
	var tries atomic.Int32
	op.Change(func(p *oauthtest.Config) {
		p.Intercept = func(w http.ResponseWriter, r *http.Request) bool {
			return tries.Add(1) == 1 && response("/token", 500, `{"error":"server_error"}`, nil)(w, r)
		}
	})
	if _, err := refresh(t, e, client(t), old); err != nil {
		t.Error(err)
	}
}

// TestF40_InterruptedIsSaid: the provider rotated, the response was lost, and the token is refused the second time.
func TestF40_InterruptedIsSaid(t *testing.T) {
	op := start(t, oauthtest.Config{})
	e := exchanger(t, settings(op))
	old := login(t, e, client(t), op, "ada")
	hc := client(t)
	var tries atomic.Int32
	hc.Transport = losing(func() bool { return tries.Add(1) == 1 })
	_, err := refresh(t, e, hc, old)
	if f := failure(t, err); !f.Refused || !f.Interrupted || f.Code != "invalid_grant" || tries.Load() != 2 {
		t.Errorf("%+v after %d tries", f, tries.Load())
	}
}

// TestF40_InterruptedIsSaidAfterBothWays: the same where silent authentication could not help.
func TestF40_InterruptedIsSaidAfterBothWays(t *testing.T) {
	op := start(t, oauthtest.Config{})
	e, hc := exchanger(t, settings(op)), client(t)
	old := login(t, e, hc, op, "ada")
	op.EndSessions()
	var tries atomic.Int32
	hc.Transport = losing(func() bool { return tries.Add(1) == 1 })
	_, err := refresh(t, e, hc, old)
	if f := failure(t, err); !f.Refused || !f.Interrupted || f.Code != "login_required" {
		t.Errorf("%+v", f)
	}
}

// losing is a transport that loses responses after the server has acted.
type losing func() bool

func (lose losing) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && r.URL.Path == "/token" && lose() {
		resp.Body.Close()
		return nil, errors.New("connection reset")
	}
	return resp, err
}

// TestF29_LostAnswers: a connection that was never made is harmless; one that broke is not.
func TestF29_LostResponses(t *testing.T) {
	op := start(t, oauthtest.Config{})
	e := exchanger(t, settings(op))
	old := login(t, e, client(t), op, "ada")

	op.Change(func(p *oauthtest.Config) {
		p.Intercept = func(w http.ResponseWriter, r *http.Request) bool { panic(http.ErrAbortHandler) }
	})
	_, err := refresh(t, e, client(t), old)
	if f := failure(t, err); !f.MaybeSpent || f.Unsent || f.Refused {
		t.Errorf("aborted: %+v", f)
	}

	hc := client(t)
	hc.Transport = &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no route") }}
	_, err = refresh(t, e, hc, old)
	if f := failure(t, err); f.MaybeSpent || !f.Unsent || f.Refused || !strings.Contains(err.Error(), "no route") {
		t.Errorf("not dialled: %+v", f)
	}

	hc.Transport = opaque{}
	_, err = refresh(t, e, hc, old)
	if f := failure(t, err); !f.MaybeSpent || f.Unsent {
		t.Errorf("a transport that does not tell whether it sent: %+v", f)
	}
}

type opaque struct{}

func (opaque) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("something broke")
}

func TestRenewable(t *testing.T) {
	op := start(t, oauthtest.Config{})
	silent := exchanger(t, settings(op))
	c := settings(op)
	c.Flow, c.RedirectURI = oauth.Device, ""
	device := exchanger(t, c)
	cookies := []auth.Cookie{{Name: "op_session", Value: auth.NewSecret("x")}}
	for _, test := range []struct {
		name  string
		e     *oauth.Exchanger
		s     auth.Session
		wants string
	}{
		{"refresh token", device, auth.Session{RefreshToken: auth.NewSecret("r")}, ""},
		{"cookies", silent, auth.Session{Cookies: cookies}, ""},
		{"cookies, no redirect URI", device, auth.Session{Cookies: cookies}, "redirect_uri"},
		{"nothing", silent, auth.Session{Expires: time.Now()}, "offline_access"},
		{"nothing, and no end", silent, auth.Session{}, "serves until the API rejects it"},
	} {
		err := test.e.CheckRenewable(test.s)
		if (err == nil) != (test.wants == "") {
			t.Errorf("%s: %v", test.name, err)
		}
		if err != nil && (!errors.Is(err, auth.ErrNotRenewable) || !strings.Contains(err.Error(), test.wants)) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}
