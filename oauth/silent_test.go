package oauth_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/oauth"
	"github.com/silentrefresh/silentrefresh/oauth/oauthtest"
)

func TestSilentLogin(t *testing.T) {
	op := start(t, oauthtest.Config{})
	var fetched atomic.Int32
	callback := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { fetched.Add(1) }))
	t.Cleanup(callback.Close)
	c := settings(op)
	c.RedirectURI = callback.URL + "/cb"
	s := login(t, exchanger(t, c), client(t), op, "ada")

	if s.Subject != "ada" || s.Account != "ada@example.com" {
		t.Errorf("subject %q, account %q", s.Subject, s.Account)
	}
	if s.AccessToken.IsZero() || s.RefreshToken.IsZero() || s.Expires.Sub(s.Issued) != 15*time.Minute {
		t.Errorf("tokens missing, or a lifetime of %v", s.Expires.Sub(s.Issued))
	}
	var claims struct{ Email string }
	if err := s.Response.Decode(&claims); err != nil || claims.Email != "ada@example.com" {
		t.Errorf("claims %+v, %v", claims, err)
	}
	if n := fetched.Load(); n != 0 {
		t.Errorf("the redirect URI was fetched %d times", n)
	}
}

func TestSilentRenewal(t *testing.T) {
	op := start(t, oauthtest.Config{NoRefreshTokens: true})
	e, hc := exchanger(t, settings(op)), client(t)
	old := login(t, e, hc, op, "ada")
	s, err := refresh(t, e, hc, old)
	if err != nil {
		t.Fatal(err)
	}
	if s.AccessToken.Reveal() == old.AccessToken.Reveal() || s.Subject != "ada" {
		t.Error("no new token")
	}
	if n := op.Calls("/jwks"); n != 1 {
		t.Errorf("keys fetched %d times, once is enough", n)
	}
	if n := op.Calls("/.well-known/openid-configuration"); n != 1 {
		t.Errorf("discovered %d times, once is enough", n)
	}
}

// responding makes the authorization endpoint respond with params instead of a code.
func responding(params map[string]string) func(map[string]string) {
	return func(response map[string]string) {
		delete(response, "code")
		for k, v := range params {
			if v == "" {
				delete(response, k)
			} else {
				response[k] = v
			}
		}
	}
}

func TestSilentResponses(t *testing.T) {
	for _, test := range []struct {
		code    string
		refused bool
		hint    string
	}{
		{"login_required", true, ""},
		{"interaction_required", true, ""},
		{"consent_required", true, ""},
		{"account_selection_required", true, ""},
		{"access_denied", false, ""},
		{"server_error", false, ""},
		{"temporarily_unavailable", false, ""},
		{"invalid_scope", false, "scopes"},
		{"unauthorized_client", false, "client_id"},
		{"<script>", false, ""},
	} {
		t.Run(test.code, func(t *testing.T) {
			op := start(t, oauthtest.Config{NoRefreshTokens: true})
			e, hc := exchanger(t, settings(op)), client(t)
			old := login(t, e, hc, op, "ada")
			op.Change(func(p *oauthtest.Config) { p.Response = responding(map[string]string{"error": test.code}) })
			_, err := refresh(t, e, hc, old)
			f := failure(t, err)
			if f.Refused != test.refused || errors.Is(err, silentrefresh.ErrSessionOver) != test.refused {
				t.Errorf("refused %v: %v", f.Refused, err)
			}
			if !f.Refused && (!f.Unsent || f.MaybeSpent) {
				t.Errorf("a silent authentication that fails spends nothing: %+v", f)
			}
			if !strings.Contains(f.Hint, test.hint) {
				t.Errorf("hint %q does not name %q", f.Hint, test.hint)
			}
			if want := test.code; want != "<script>" && f.Code != want {
				t.Errorf("code %q, want %q", f.Code, want)
			}
		})
	}
}

func TestSilentResponsesThatLie(t *testing.T) {
	for _, test := range []struct {
		name     string
		response map[string]string
		want     string
	}{
		{"state of another request", map[string]string{"state": "other", "code": "c"}, "state"},
		{"no state", map[string]string{"state": "", "code": "c"}, "state"},
		{"another issuer", map[string]string{"iss": "https://evil.example.com", "code": "c"}, "another server"},
		{"error of another issuer", map[string]string{"iss": "https://evil.example.com", "error": "login_required"}, "another server"},
		{"no issuer", map[string]string{"iss": "", "code": "c"}, "does not say which server"},
		{"neither code nor error", map[string]string{}, "neither a code nor an error"},
	} {
		t.Run(test.name, func(t *testing.T) {
			op := start(t, oauthtest.Config{NoRefreshTokens: true})
			e, hc := exchanger(t, settings(op)), client(t)
			old := login(t, e, hc, op, "ada")
			sent := op.Calls("/token")
			op.Change(func(p *oauthtest.Config) { p.Response = responding(test.response) })
			_, err := refresh(t, e, hc, old)
			if f := failure(t, err); f.Refused || !strings.Contains(err.Error(), test.want) {
				t.Errorf("refused %v: %v", f.Refused, err)
			}
			if op.Calls("/token") != sent {
				t.Error("a code of a doubtful response was redeemed")
			}
		})
	}
}

// TestBroughtCookiesReachAllOfTheProvider: a cookie without a path is for all of it, not for the folder of one
// endpoint.
func TestBroughtCookiesReachAllOfTheProvider(t *testing.T) {
	op := start(t, oauthtest.Config{})
	op.Change(func(p *oauthtest.Config) {
		p.Metadata = func(d map[string]any) { d["authorization_endpoint"] = op.URL() + "/deep/down/authorize" }
	})
	cookie := op.Session("ada")
	cookie.Path = ""
	_, err := exchanger(t, settings(op)).Exchange(t.Context(), client(t),
		auth.Grant{Kind: auth.KindLogin, Credentials: oauth.Cookies{cookie}})
	if err != nil {
		t.Error(err)
	}
}

func TestSilentIssuerNotPromised(t *testing.T) {
	op := start(t, oauthtest.Config{
		Metadata: func(d map[string]any) { delete(d, "authorization_response_iss_parameter_supported") },
		Response: func(a map[string]string) { delete(a, "iss") },
	})
	login(t, exchanger(t, settings(op)), client(t), op, "ada")
}

func TestSilentResponseTwice(t *testing.T) {
	op := start(t, oauthtest.Config{})
	hc := client(t)
	hc.Transport = redirecting(func(to *url.URL) *url.URL {
		if to.Path == "/callback" {
			to.RawQuery += "&code=another"
		}
		return to
	})
	_, err := exchanger(t, settings(op)).Exchange(t.Context(), hc,
		auth.Grant{Kind: auth.KindLogin, Credentials: oauth.Cookies{op.Session("ada")}})
	if err == nil || !strings.Contains(err.Error(), "code twice") {
		t.Errorf("error %v", err)
	}
}

func TestSilentOtherSubject(t *testing.T) {
	op := start(t, oauthtest.Config{NoRefreshTokens: true})
	e, hc := exchanger(t, settings(op)), client(t)
	old := login(t, e, hc, op, "ada")
	op.Change(func(p *oauthtest.Config) { p.Claims = func(c map[string]any) { c["sub"] = "eve" } })
	s, err := refresh(t, e, hc, old)
	if !errors.Is(err, silentrefresh.ErrSessionOver) || !s.AccessToken.IsZero() {
		t.Errorf("the session of another account was taken: %v", err)
	}
}

// response is a fault of one path.
func response(path string, status int, body string, header map[string]string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != path {
			return false
		}
		for k, v := range header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(status)
		w.Write([]byte(body))
		return true
	}
}

// TestSilentSaysWhoItMeans: the provider is told whose session to renew, and does not begin another account's.
func TestSilentSaysWhoItMeans(t *testing.T) {
	op := start(t, oauthtest.Config{NoRefreshTokens: true})
	e, hc := exchanger(t, settings(op)), client(t)
	old := login(t, e, hc, op, "ada")
	login(t, e, hc, op, "eve") // in the same jar
	_, err := refresh(t, e, hc, old)
	if f := failure(t, err); !f.Refused || f.Code != "login_required" {
		t.Errorf("%+v", f)
	}
}

// TestSilentBreaksOff: nothing is spent, and the request's query stays out of the error.
func TestSilentBreaksOff(t *testing.T) {
	op := start(t, oauthtest.Config{NoRefreshTokens: true})
	e, hc := exchanger(t, settings(op)), client(t)
	old := login(t, e, hc, op, "ada")
	op.Change(func(p *oauthtest.Config) {
		p.Intercept = func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }
	})
	_, err := refresh(t, e, hc, old)
	if f := failure(t, err); f.Refused || f.MaybeSpent || !f.Unsent || f.Path != "/authorize" {
		t.Errorf("%+v", f)
	}
}

func TestSilentNeedsSomethingToShow(t *testing.T) {
	op := start(t, oauthtest.Config{})
	e := exchanger(t, settings(op))
	_, err := refresh(t, e, client(t), auth.Session{})
	if !errors.Is(err, auth.ErrNotRenewable) || op.Calls("/authorize") != 0 {
		t.Errorf("%v after %d requests", err, op.Calls("/authorize"))
	}
}

// TestReplayedCode: an old code is refused by the provider; the session is not over for that.
func TestReplayedCode(t *testing.T) {
	var first string
	op := start(t, oauthtest.Config{NoRefreshTokens: true, Response: func(a map[string]string) {
		if first == "" {
			first = a["code"]
		}
		a["code"] = first
	}})
	e, hc := exchanger(t, settings(op)), client(t)
	old := login(t, e, hc, op, "ada")
	_, err := refresh(t, e, hc, old)
	if f := failure(t, err); f.Refused || f.MaybeSpent || f.Code != "invalid_grant" {
		t.Errorf("%+v", f)
	}
	if n := op.Calls("/token"); n != 2 {
		t.Errorf("%d token requests, one for each code", n)
	}
}

// TestPersonNeededHint: what to do about a login that the provider grants to a person only depends on who logs in.
func TestPersonNeededHint(t *testing.T) {
	op := start(t, oauthtest.Config{})
	brought := oauth.Cookies{op.Session("ada")}
	inBrowser := browserSettings(op, op.Browse("ada"))
	withNone := inBrowser
	withNone.Params = map[string]string{"prompt": "none"}
	for _, code := range []string{"login_required", "interaction_required", "consent_required", "account_selection_required"} {
		op.Change(func(p *oauthtest.Config) { p.Response = responding(map[string]string{"error": code}) })
		for _, test := range []struct {
			name        string
			c           oauth.Config
			credentials any
			want        string
		}{
			{"silent", settings(op), nil, "bring the cookies"},
			{"cookies were brought", inBrowser, brought, "bring the cookies"},
			{"browser", inBrowser, nil, "what the server's page asks"},
			{"browser, told not to ask", withNone, nil, "take prompt out of params"},
		} {
			t.Run(code+", "+test.name, func(t *testing.T) {
				err := newClient(t, op, test.c).Login(t.Context(), test.credentials)
				f := failure(t, err)
				if !f.Refused || f.Code != code || !strings.Contains(f.Hint, test.want) {
					t.Errorf("refused %v, code %q, hint %q", f.Refused, f.Code, f.Hint)
				}
				if errors.Is(err, silentrefresh.ErrSessionOver) {
					t.Error("there was no session that could be over")
				}
			})
		}
	}
}
