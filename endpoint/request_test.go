package endpoint

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
	"github.com/silentrefresh/silentrefresh/internal/once"
)

func TestDefaultRequests(t *testing.T) {
	call := callerOf(t, Settings{}, fakes.RespondJSON(200, `{"accessToken":"t"}`))
	if _, err := call.login(map[string]string{"email": "ada@example.com", "password": "pw"}); err != nil {
		t.Fatal(err)
	}
	in := call.last()
	if in.method != "POST" || in.uri != "/auth/login" || in.body != `{"email":"ada@example.com","password":"pw"}` ||
		in.header.Get("Content-Type") != "application/json" || in.header.Get("Accept") != "application/json" ||
		in.header.Get("User-Agent") != "silentrefresh/1" {
		t.Errorf("login: %+v", in)
	}
	call.setCookie("rt=r1; HttpOnly")
	old := auth.Session{AccessToken: auth.NewSecret("unasked"), RefreshToken: auth.NewSecret("unasked")}
	if _, err := call.refresh(old); err != nil {
		t.Fatal(err)
	}
	out := call.last()
	if out.method != "POST" || out.uri != "/auth/refresh" || out.body != "" || out.cookie("rt") != "r1" {
		t.Errorf("refresh: %+v", out)
	}
	if err := call.logout(old); err != nil {
		t.Fatal(err)
	}
	if bye := call.last(); bye.method != "POST" || bye.uri != "/auth/logout" || bye.body != "" || bye.cookie("rt") != "r1" {
		t.Errorf("logout: %+v", bye)
	}
	for _, s := range call.seen[1:] {
		if s.header.Get("Content-Type") != "" || s.header.Get("Authorization") != "" {
			t.Errorf("sent unasked: %+v", s)
		}
	}
}

func TestBodylessPostHasContentLengthZero(t *testing.T) {
	var length string
	var encoding []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		length, encoding = r.Header.Get("Content-Length"), r.TransferEncoding
		fakes.RespondJSON(200, `{"token":"t"}`)(w, r)
	}))
	defer server.Close()
	call := callerOver(t, Settings{}, server)
	call.setCookie("rt=r1")
	for name, transport := range map[string]http.RoundTripper{"plain": call.hc.Transport, "as the Client has it": once.Transport(call.hc.Transport)} {
		call.hc.Transport = transport
		if _, err := call.refresh(auth.Session{}); err != nil || length != "0" || len(encoding) > 0 {
			t.Errorf("%s: Content-Length %q, Transfer-Encoding %v, %v", name, length, encoding, err)
		}
	}
}

func TestWhereTheRefreshCredentialTravels(t *testing.T) {
	old := auth.Session{AccessToken: auth.NewSecret("a1"), RefreshToken: auth.NewSecret("r1")}
	for _, tt := range []struct {
		name string
		call Call
		uri  string
		body string
		auth string
	}{
		{"JSON field", Call{RefreshTokenField: "refreshToken"}, "/auth/refresh", `{"refreshToken":"r1"}`, ""},
		{"nested JSON field", Call{RefreshTokenField: "variables.token", Fields: map[string]any{"query": "q", "variables": map[string]any{"n": 1}}},
			"/auth/refresh", `{"query":"q","variables":{"n":1,"token":"r1"}}`, ""},
		{"form field", Call{Encoding: "form", RefreshTokenField: "refresh_token", Fields: map[string]any{"grant_type": "refresh_token"}},
			"/auth/refresh", "grant_type=refresh_token&refresh_token=r1", ""},
		{"query of GET", Call{Method: "get", URL: "/r?v=1", RefreshTokenField: "token"}, "/r?v=1&token=r1", "", ""},
		{"PUT", Call{Method: "PUT", RefreshTokenField: "token"}, "/auth/refresh", `{"token":"r1"}`, ""},
		{"DELETE with a body", Call{Method: "DELETE", RefreshTokenField: "token"}, "/auth/refresh", `{"token":"r1"}`, ""},
		{"Authorization", Call{RefreshTokenHeader: "Authorization"}, "/auth/refresh", "", "Bearer r1"},
		{"old access token as header", Call{AccessTokenHeader: "Authorization"}, "/auth/refresh", "", "Bearer a1"},
		{"old access token as field", Call{AccessTokenField: "accessToken", RefreshTokenField: "refreshToken"},
			"/auth/refresh", `{"accessToken":"a1","refreshToken":"r1"}`, ""},
		{"trailing slash and query kept", Call{URL: "/token/?grant_type=refresh_token&x=a%20b", RefreshTokenField: "refresh_token"},
			"/token/?grant_type=refresh_token&x=a%20b", `{"refresh_token":"r1"}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			call := callerOf(t, Settings{Refresh: tt.call}, fakes.RespondJSON(200, `{"token":"t"}`))
			if _, err := call.refresh(old); err != nil {
				t.Fatal(err)
			}
			in := call.last()
			if in.uri != tt.uri || in.body != tt.body || in.header.Get("Authorization") != tt.auth || in.method != call.e.Refresh.Method {
				t.Errorf("%s %s %q, Authorization %q", in.method, in.uri, in.body, in.header.Get("Authorization"))
			}
			if (in.body == "") != (in.header.Get("Content-Type") == "") {
				t.Errorf("body %q with Content-Type %q", in.body, in.header.Get("Content-Type"))
			}
		})
	}
	t.Run("settings stay as they were", func(t *testing.T) {
		e := Settings{Refresh: Call{RefreshTokenField: "v.token", Fields: map[string]any{"v": map[string]any{"n": 1}}}}
		if _, err := callerOf(t, e, fakes.RespondJSON(200, `{"token":"t"}`)).refresh(old); err != nil || len(e.Refresh.Fields["v"].(map[string]any)) != 1 {
			t.Errorf("%v, %v", e.Refresh.Fields, err)
		}
	})
}

func TestHeadersOfSettings(t *testing.T) {
	e := Settings{Refresh: Call{Headers: map[string]string{"apikey": "k", "origin": "https://app.test", "User-Agent": "mine/2",
		"Host": "virtual.test", "Accept": "application/vnd.api+json"}}}
	var host string
	call := callerOf(t, e, func(w http.ResponseWriter, r *http.Request) {
		host = r.Host
		fakes.RespondJSON(200, `{"token":"t"}`)(w, r)
	})
	call.setCookie("rt=r1")
	if _, err := call.refresh(auth.Session{}); err != nil {
		t.Fatal(err)
	}
	h := call.last().header
	for name, want := range map[string]string{"Apikey": "k", "Origin": "https://app.test", "User-Agent": "mine/2", "Accept": "application/vnd.api+json"} {
		if h.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, h.Get(name), want)
		}
	}
	if host != "virtual.test" {
		t.Errorf("Host: %q", host)
	}
}

func TestCredentials(t *testing.T) {
	type form struct {
		User     string `json:"username"`
		Password string `json:"password"`
		Remember bool   `json:"remember,omitempty"`
	}
	fixed := map[string]any{"client_id": "c", "username": "nobody"}
	for _, tt := range []struct {
		name        string
		credentials any
		json, form  string
	}{
		{"nil", nil, `{"client_id":"c","username":"nobody"}`, "client_id=c&username=nobody"},
		{"map", map[string]any{"username": "ada", "n": 12345678901234567, "on": true}, `{"client_id":"c","n":12345678901234567,"on":true,"username":"ada"}`,
			"client_id=c&n=12345678901234567&on=true&username=ada"},
		{"struct", form{User: "ada", Password: "p&w"}, `{"client_id":"c","password":"p\u0026w","username":"ada"}`, "client_id=c&password=p%26w&username=ada"},
		{"pointer", &form{User: "ada", Password: "p"}, `{"client_id":"c","password":"p","username":"ada"}`, "client_id=c&password=p&username=ada"},
		{"url.Values", url.Values{"username": {"ada"}, "scope": {"a", "b"}}, `{"client_id":"c","scope":["a","b"],"username":"ada"}`,
			"client_id=c&scope=a&scope=b&username=ada"},
		{"RawMessage", json.RawMessage(`{"username":"ada"}`), `{"client_id":"c","username":"ada"}`, "client_id=c&username=ada"},
		{"bytes", []byte(`{"username":"ada"}`), `{"client_id":"c","username":"ada"}`, "client_id=c&username=ada"},
		{"nested", map[string]any{"user": map[string]any{"email": "a", "tags": []string{"x", "y"}}},
			`{"client_id":"c","user":{"email":"a","tags":["x","y"]},"username":"nobody"}`,
			"client_id=c&user%5Bemail%5D=a&user%5Btags%5D=x&user%5Btags%5D=y&username=nobody"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for encoding, want := range map[string]string{"json": tt.json, "form": tt.form} {
				call := callerOf(t, Settings{Login: Call{Encoding: encoding, Fields: fixed}}, fakes.RespondJSON(200, `{"token":"t"}`))
				if _, err := call.login(tt.credentials); err != nil {
					t.Fatal(err)
				}
				if got := call.last().body; got != want {
					t.Errorf("%s: sent %s, want %s", encoding, got, want)
				}
			}
		})
	}
	if !reflect.DeepEqual(fixed, map[string]any{"client_id": "c", "username": "nobody"}) {
		t.Errorf("the settings' fields were changed: %v", fixed)
	}
}

func TestBadCredentialsAreNotSent(t *testing.T) {
	for name, credentials := range map[string]any{
		"text": "hunter2", "list": []string{"hunter2"}, "number": 7, "func": func() {}, "half": []byte(`{"p":"hunter2"`),
		"two": []byte(`{"p":"hunter2"} {}`), "brace": []byte(`{"p":"hunter2"}}`), "Secret": map[string]any{"password": auth.NewSecret("hunter2")},
	} {
		call := callerOf(t, Settings{}, fakes.RespondJSON(200, `{"token":"t"}`))
		_, err := call.login(credentials)
		if re := failure(t, err); !re.Unsent || len(call.seen) > 0 || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, %d requests", name, err, len(call.seen))
		}
	}
	call := callerOf(t, Settings{Login: Call{Method: "GET"}}, fakes.RespondJSON(200, `{"token":"t"}`))
	_, err := call.login(map[string]string{"password": "hunter2"})
	if err == nil || len(call.seen) > 0 || !strings.Contains(err.Error(), "login.method") {
		t.Errorf("credentials in a query: %v", err)
	}
	call = callerOf(t, Settings{Login: Call{Method: "GET", Headers: map[string]string{"Authorization": "Basic eDp5"}}}, fakes.RespondJSON(200, `{"token":"t"}`))
	if _, err := call.login(nil); err != nil || call.last().header.Get("Authorization") != "Basic eDp5" {
		t.Errorf("GET with Basic: %v", err)
	}
}

func TestLogoutIsDoneWhenTheSessionIsGone(t *testing.T) {
	call := callerOf(t, Settings{Logout: Call{URL: "-"}}, nil)
	if err := call.logout(auth.Session{}); err != nil || len(call.seen) > 0 {
		t.Errorf("no endpoint: %v, %d requests", err, len(call.seen))
	}
	e := Settings{Logout: Call{AccessTokenHeader: "Authorization", RefreshTokenField: "refreshToken"}}
	call = callerOf(t, e, fakes.Respond(204, "", ""))
	err := call.logout(auth.Session{AccessToken: auth.NewSecret("a1"), RefreshToken: auth.NewSecret("r1")})
	if in := call.last(); err != nil || in.header.Get("Authorization") != "Bearer a1" || in.body != `{"refreshToken":"r1"}` {
		t.Errorf("%+v, %v", in, err)
	}
}

func TestAttach(t *testing.T) {
	for _, tt := range []struct {
		attach        auth.Attach
		header, value string
	}{
		{auth.Attach{}, "Authorization", "Bearer t"},
		{auth.Attach{Scheme: "JWT"}, "Authorization", "JWT t"},
		{auth.Attach{Header: "authorization"}, "authorization", "Bearer t"},
		{auth.Attach{Bare: true}, "Authorization", "t"},
		{auth.Attach{Header: "X-Access-Token"}, "X-Access-Token", "t"},
		{auth.Attach{Header: "X-Auth", Scheme: "Token"}, "X-Auth", "Token t"},
	} {
		if header, value := tt.attach.Value("t"); header != tt.header || value != tt.value || tt.attach.Check() != nil {
			t.Errorf("%+v: %s: %s, %v", tt.attach, header, value, tt.attach.Check())
		}
	}
	for _, a := range []auth.Attach{{Header: "a b"}, {Header: "Cookie"}, {Scheme: "x\ny"}, {Scheme: "JWT", Bare: true}} {
		if a.Check() == nil {
			t.Errorf("%+v is accepted", a)
		}
	}
	call := callerOf(t, Settings{Refresh: Call{AccessTokenHeader: "X-Token"}}, fakes.RespondJSON(200, `{"token":"JWT t2"}`))
	call.e.attach = auth.Attach{Header: "X-Token", Scheme: "JWT"}
	s, err := call.refresh(auth.Session{AccessToken: auth.NewSecret("t1")})
	if err != nil || call.last().header.Get("X-Token") != "JWT t1" || s.AccessToken.Reveal() != "t2" {
		t.Errorf("sent %v, got %q, %v", call.last().header, s.AccessToken.Reveal(), err)
	}
}

func TestExchangerThatWasNotBound(t *testing.T) {
	if _, err := (&Exchanger{}).Exchange(t.Context(), http.DefaultClient, auth.Grant{Kind: auth.KindLogin}); err == nil {
		t.Error("an Exchanger that was not bound works")
	}
	call := callerOf(t, Settings{Login: Call{URL: "-"}, Refresh: Call{URL: "-"}}, nil)
	if _, err := call.login(nil); err == nil || !strings.Contains(err.Error(), "Resume") {
		t.Errorf("login: %v", err)
	}
	if _, err := call.refresh(auth.Session{}); !isNotRenewable(err) {
		t.Errorf("refresh: %v", err)
	}
}

func TestCancelledExchangeIsUnsent(t *testing.T) {
	call := callerOf(t, Settings{}, nil)
	ctx, cancel := contextCancelled(t)
	defer cancel()
	call.ctx = ctx
	call.setCookie("rt=r1")
	_, err := call.refresh(auth.Session{})
	if verdict(t, err) != "unsent" || len(call.seen) > 0 {
		t.Errorf("%v, %d requests", err, len(call.seen))
	}
}
