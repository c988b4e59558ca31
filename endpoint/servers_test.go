package endpoint

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
	"golang.org/x/net/http/httpguts"
)

// A kindOfServer is how a well-known server speaks: what it must be sent, what it responds, and the settings, as a
// configuration file has them, that make the Settings speak so.
type kindOfServer struct {
	name        string
	settings    string
	attach      auth.Attach
	credentials any
	steps       []step // login first, then refreshes; a logout last
	tokens      []string
	life        time.Duration // of every token
	account     string
}

// A step is one request and its response. want is "METHOD uri", then lines of which each has to be part of the body,
// or a header as "Name: value".
type step struct {
	want     string
	status   int
	response string
	headers  []string
}

func (s step) differs(in seen) string {
	lines := strings.Split(s.want, "\n")
	if got := in.method + " " + in.uri; got != lines[0] {
		return got
	}
	for _, line := range lines[1:] {
		name, value, isHeader := strings.Cut(line, ": ")
		if isHeader && httpguts.ValidHeaderFieldName(name) && strings.Join(in.header.Values(name), "|") != value {
			return fmt.Sprintf("%s: %q", name, in.header.Values(name))
		}
		if !(isHeader && httpguts.ValidHeaderFieldName(name)) && !strings.Contains(in.body, line) {
			return "body " + in.body
		}
	}
	return ""
}

func TestKindsOfServers(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	for _, k := range kindsOfServers(t, now) {
		t.Run(k.name, func(t *testing.T) {
			var e Settings
			if err := json.Unmarshal([]byte(k.settings), &e); err != nil {
				t.Fatal(err)
			}
			i := 0
			call := callerOf(t, e, func(w http.ResponseWriter, r *http.Request) {
				s := k.steps[min(i, len(k.steps)-1)]
				i++
				w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
				fakes.RespondJSON(s.status, s.response, s.headers...)(w, r)
			})
			call.e.attach = k.attach
			k.play(t, call)
			if len(call.seen) != len(k.steps) {
				t.Fatalf("%d requests, want %d", len(call.seen), len(k.steps))
			}
			for i, s := range k.steps {
				if difference := s.differs(call.seen[i]); difference != "" {
					t.Errorf("request %d: %s, want\n%s", i+1, difference, s.want)
				}
			}
		})
	}
}

// play logs in, refreshes until the expected tokens have come, and logs out.
func (k kindOfServer) play(t *testing.T, call *caller) {
	s, err := call.login(k.credentials)
	for i, want := range k.tokens {
		if i > 0 {
			if why := call.e.CheckRenewable(withCookies(s, call.jar)); why != nil {
				t.Fatalf("not renewable: %v", why)
			}
			old := s
			if s, err = call.refresh(old); err == nil {
				s = s.CarryForward(old)
			}
		}
		if err != nil {
			t.Fatalf("exchange %d: %v", i+1, err)
		}
		if got := s.AccessToken.Reveal(); got != want || want != "" && lives(s) != k.life {
			t.Fatalf("exchange %d: token %q lives %s, want %q and %s", i+1, got, lives(s), want, k.life)
		}
	}
	if s.Account != k.account {
		t.Errorf("account %q, want %q", s.Account, k.account)
	}
	if err := call.logout(s); err != nil {
		t.Errorf("logout: %v", err)
	}
}

func withCookies(s auth.Session, jar *auth.Jar) auth.Session {
	s.Cookies = jar.All()
	return s
}

func kindsOfServers(t *testing.T, now time.Time) []kindOfServer {
	const quarter = 15 * time.Minute
	token := func(n int) string {
		return fakes.JWT(t, "sub", "7", "n", n, "iat", now.Unix(), "exp", now.Add(quarter).Unix())
	}
	t1, t2 := token(1), token(2)
	iso := now.Add(quarter).UTC().Format(time.RFC3339)
	mail := map[string]string{"email": "ada@x.test", "password": "pw"}
	user := map[string]string{"username": "ada", "password": "pw"}
	return slices.Concat([]kindOfServer{
		{
			name: "default: cookie and JSON", settings: `{}`, credentials: mail, account: "ada@x.test", life: quarter, tokens: []string{"t1", "t2"},
			steps: []step{
				{"POST /auth/login\n{\"email\":\"ada@x.test\",\"password\":\"pw\"}", 200, `{"accessToken":"t1","expiresIn":900}`, []string{"Set-Cookie", "rt=r1; HttpOnly; Secure; SameSite=Strict; Path=/auth"}},
				{"POST /auth/refresh\nCookie: rt=r1", 201, `{"accessToken":"t2","expiresIn":900}`, []string{"Set-Cookie", "rt=r2; HttpOnly; Secure; SameSite=Strict; Path=/auth"}},
				{"POST /auth/logout\nCookie: rt=r2", 204, "", nil},
			},
		},
		{
			name: "login gives no token, the first refresh does", settings: `{}`, credentials: mail, account: "ada@x.test", life: quarter, tokens: []string{"", "t1"},
			steps: []step{
				{"POST /auth/login", 200, `{"ok":true}`, []string{"Set-Cookie", "jwt=r1; HttpOnly; Path=/"}},
				{"POST /auth/refresh\nCookie: jwt=r1", 200, `{"accessToken":"t1","expiresIn":900}`, nil},
				{"POST /auth/logout", 204, "", nil},
			},
		},
		{
			name: "Django simplejwt", credentials: user, account: "ada", life: quarter, tokens: []string{t1, t2},
			settings: `{"login":{"url":"/api/token/"},"refresh":{"url":"/api/token/refresh/","refresh_token_field":"refresh"},"logout":{"url":"/api/token/blacklist/","refresh_token_field":"refresh"}}`,
			steps: []step{
				{"POST /api/token/\n{\"password\":\"pw\",\"username\":\"ada\"}", 200, `{"refresh":"r1","access":"` + t1 + `"}`, nil},
				{"POST /api/token/refresh/\n{\"refresh\":\"r1\"}", 200, `{"access":"` + t2 + `"}`, nil},
				{"POST /api/token/blacklist/\n{\"refresh\":\"r1\"}", 200, `{}`, nil},
			},
		},
		{
			name: "dj-rest-auth with cookies", credentials: user, account: "ada@x.test", life: quarter, tokens: []string{t1, t2},
			settings: `{"login":{"url":"/auth/login/","headers":{"Referer":"https://as.test/"}},"refresh":{"url":"/auth/token/refresh/","headers":{"Referer":"https://as.test/"}},
				"logout":{"url":"/auth/logout/"},"csrf":{"cookie":"csrftoken","header":"X-CSRFToken"},"access_token":{"cookie":"jwt-auth"}}`,
			steps: []step{
				{"POST /auth/login/\nReferer: https://as.test/", 200, `{"access":"` + t1 + `","refresh":"","user":{"email":"ada@x.test"}}`,
					[]string{"Set-Cookie", "jwt-auth=" + t1 + "; HttpOnly; Path=/", "Set-Cookie", "jwt-refresh=r1; HttpOnly; Path=/", "Set-Cookie", "csrftoken=c1; Path=/"}},
				{"POST /auth/token/refresh/\nX-CSRFToken: c1", 200, `{"access":"` + t2 + `","access_expiration":"` + iso + `"}`, []string{"Set-Cookie", "jwt-auth=" + t2 + "; HttpOnly; Path=/"}},
				{"POST /auth/logout/\nX-CSRFToken: c1", 200, `{}`, nil},
			},
		},
		{
			name: "Laravel Sanctum", credentials: mail, account: "ada@x.test", life: 2 * time.Hour, tokens: []string{"s1", "s2"},
			settings: `{"login":{"url":"/login","headers":{"Origin":"https://spa.test"}},"refresh":{"method":"GET","url":"/sanctum/csrf-cookie"},"logout":{"url":"/logout"},
				"csrf":{"cookie":"XSRF-TOKEN","header":"X-XSRF-TOKEN","url":"/sanctum/csrf-cookie"},"access_token":{"cookie":"laravel_session"}}`,
			steps: []step{
				{"GET /sanctum/csrf-cookie\nOrigin: https://spa.test", 204, "", []string{"Set-Cookie", "XSRF-TOKEN=eyJpdiI6IjEifQ%3D%3D; Path=/; Max-Age=7200", "Set-Cookie", "laravel_session=s0; HttpOnly; Path=/; Max-Age=7200"}},
				{"POST /login\nX-XSRF-TOKEN: eyJpdiI6IjEifQ==", 204, "", []string{"Set-Cookie", "laravel_session=s1; HttpOnly; Path=/; Max-Age=7200"}},
				{"GET /sanctum/csrf-cookie", 204, "", []string{"Set-Cookie", "laravel_session=s2; HttpOnly; Path=/; Max-Age=7200", "Set-Cookie", "XSRF-TOKEN=two%3D; Path=/"}},
				{"POST /logout\nX-XSRF-TOKEN: two=", 204, "", nil},
			},
		},
		{
			name: "Laravel JWT-auth: the old token, maybe expired, is exchanged", credentials: mail, account: "ada@x.test", life: quarter, tokens: []string{"t1", "t2"},
			settings: `{"login":{"url":"/api/auth/login"},"refresh":{"url":"/api/auth/refresh","access_token_header":"Authorization"},"logout":{"url":"/api/auth/logout","access_token_header":"Authorization"}}`,
			steps: []step{
				{"POST /api/auth/login", 200, `{"status":"success","authorisation":{"token":"t1","type":"bearer","expires_in":900}}`, nil},
				{"POST /api/auth/refresh\nAuthorization: Bearer t1", 200, `{"access_token":"t2","token_type":"bearer","expires_in":900}`, nil},
				{"POST /api/auth/logout\nAuthorization: Bearer t2", 200, `{}`, nil},
			},
		},
		{
			name: "NestJS or Flask-JWT-Extended: refresh token as bearer", credentials: mail, account: "ada@x.test", life: quarter, tokens: []string{t1, t2},
			settings: `{"refresh":{"url":"/refresh","refresh_token_header":"Authorization"},"logout":{"method":"DELETE","access_token_header":"Authorization"}}`,
			steps: []step{
				{"POST /auth/login", 201, `{"access_token":"` + t1 + `","refresh_token":"r1"}`, nil},
				{"POST /refresh\nAuthorization: Bearer r1", 200, `{"access_token":"` + t2 + `"}`, nil},
				{"DELETE /auth/logout\nAuthorization: Bearer " + t2, 200, `{}`, nil},
			},
		},
		{
			name: "ASP.NET Core Identity", credentials: mail, account: "ada@x.test", life: quarter, tokens: []string{"t1", "t2"},
			settings: `{"login":{"url":"/login"},"refresh":{"url":"/refresh","refresh_token_field":"refreshToken"},"logout":{"url":"-"}}`,
			steps: []step{
				{"POST /login", 200, `{"tokenType":"Bearer","accessToken":"t1","expiresIn":900,"refreshToken":"r1"}`, nil},
				{"POST /refresh\n{\"refreshToken\":\"r1\"}", 200, `{"tokenType":"Bearer","accessToken":"t2","expiresIn":900,"refreshToken":"r2"}`, nil},
			},
		},
		{
			name: "ASP.NET tutorial: both tokens in the body", credentials: user, account: "ada", life: quarter, tokens: []string{t1, t2},
			settings: `{"login":{"url":"/api/authenticate/login"},"refresh":{"url":"/api/authenticate/refresh-token","refresh_token_field":"refreshToken","access_token_field":"accessToken"},"logout":{"url":"-"}}`,
			steps: []step{
				{"POST /api/authenticate/login", 200, `{"token":"` + t1 + `","refreshToken":"r1","expiration":"` + iso + `"}`, nil},
				{"POST /api/authenticate/refresh-token\n{\"accessToken\":\"" + t1 + "\",\"refreshToken\":\"r1\"}", 200, `{"accessToken":"` + t2 + `","refreshToken":"r2"}`, nil},
			},
		},
	}, moreServers(t1, t2, mail, user))
}

func moreServers(t1, t2 string, mail, user map[string]string) []kindOfServer {
	const quarter = 15 * time.Minute
	return []kindOfServer{
		{
			name: "FastAPI's form", credentials: user, account: "ada", life: 0, tokens: []string{"t1"},
			settings: `{"login":{"url":"/token","encoding":"form","fields":{"grant_type":"password"}},"refresh":{"url":"-"},"logout":{"url":"-"}}`,
			steps:    []step{{"POST /token\nContent-Type: application/x-www-form-urlencoded\ngrant_type=password&password=pw&username=ada", 200, `{"access_token":"t1","token_type":"bearer"}`, nil}},
		},
		{
			name: "Supabase", credentials: mail, account: "ada@x.test", life: quarter, tokens: []string{"t1", "t2"},
			settings: `{"login":{"url":"/auth/v1/token?grant_type=password","headers":{"apikey":"anon"}},
				"refresh":{"url":"/auth/v1/token?grant_type=refresh_token","headers":{"apikey":"anon"},"refresh_token_field":"refresh_token"},
				"logout":{"url":"/auth/v1/logout?scope=local","headers":{"apikey":"anon"},"access_token_header":"Authorization"}}`,
			steps: []step{
				{"POST /auth/v1/token?grant_type=password\napikey: anon", 200, `{"access_token":"t1","token_type":"bearer","expires_in":900,"expires_at":1,"refresh_token":"r1","user":{"email":"ada@x.test"}}`, nil},
				{"POST /auth/v1/token?grant_type=refresh_token\napikey: anon\n{\"refresh_token\":\"r1\"}", 200, `{"access_token":"t2","expires_in":900,"refresh_token":"r2"}`, nil},
				{"POST /auth/v1/logout?scope=local\napikey: anon\nAuthorization: Bearer t2", 204, "", nil},
			},
		},
		{
			name: "Firebase: other origins, other names", credentials: mail, account: "ada@x.test", life: quarter, tokens: []string{"t1", "t2"},
			settings: `{"login":{"url":"https://identitytoolkit.test/v1/accounts:signInWithPassword?key=k","fields":{"returnSecureToken":true}},
				"refresh":{"url":"https://securetoken.test/v1/token?key=k","encoding":"form","fields":{"grant_type":"refresh_token"},"refresh_token_field":"refresh_token"},
				"logout":{"url":"-"},"access_token":{"json":"idToken"}}`,
			steps: []step{
				{"POST /v1/accounts:signInWithPassword?key=k\n\"returnSecureToken\":true", 200, `{"idToken":"t1","email":"ada@x.test","refreshToken":"r1","expiresIn":"900"}`, nil},
				{"POST /v1/token?key=k\ngrant_type=refresh_token&refresh_token=r1", 200, `{"access_token":"no","expires_in":"900","id_token":"t2","refresh_token":"r1"}`, nil},
			},
		},
		{
			name: "Keycloak direct grant", credentials: user, account: "ada", life: quarter, tokens: []string{"t1", "t2"},
			settings: `{"login":{"url":"/realms/x/protocol/openid-connect/token","encoding":"form","fields":{"grant_type":"password","client_id":"c"}},
				"refresh":{"url":"/realms/x/protocol/openid-connect/token","encoding":"form","fields":{"grant_type":"refresh_token","client_id":"c"},"refresh_token_field":"refresh_token"},
				"logout":{"url":"/realms/x/protocol/openid-connect/logout","encoding":"form","fields":{"client_id":"c"},"refresh_token_field":"refresh_token"}}`,
			steps: []step{
				{"POST /realms/x/protocol/openid-connect/token\nclient_id=c&grant_type=password&password=pw&username=ada", 200, `{"access_token":"t1","expires_in":900,"refresh_expires_in":0,"refresh_token":"r1","not-before-policy":0}`, nil},
				{"POST /realms/x/protocol/openid-connect/token\nclient_id=c&grant_type=refresh_token&refresh_token=r1", 200, `{"access_token":"t2","expires_in":900,"refresh_token":"r2"}`, nil},
				{"POST /realms/x/protocol/openid-connect/logout\nclient_id=c&refresh_token=r2", 204, "", nil},
			},
		},
		{
			name: "Directus: lifetimes in milliseconds, beside a JWT", credentials: mail, account: "ada@x.test", life: quarter, tokens: []string{t1, t2},
			settings: `{"refresh":{"fields":{"mode":"json"},"refresh_token_field":"refresh_token"},"logout":{"refresh_token_field":"refresh_token"},"access_token":{"expires_unit":"ms"}}`,
			steps: []step{
				{"POST /auth/login", 200, `{"data":{"access_token":"` + t1 + `","expires":900000,"refresh_token":"r1"}}`, nil},
				{"POST /auth/refresh\n{\"mode\":\"json\",\"refresh_token\":\"r1\"}", 200, `{"data":{"access_token":"` + t2 + `","expires":900000,"refresh_token":"r2"}}`, nil},
				{"POST /auth/logout\n{\"refresh_token\":\"r2\"}", 204, "", nil},
			},
		},
		{
			name: "PocketBase: the valid token renews itself, bare", credentials: map[string]string{"identity": "ada", "password": "pw"}, attach: auth.Attach{Bare: true},
			account: "ada@x.test", life: quarter, tokens: []string{t1, t2},
			settings: `{"login":{"url":"/api/collections/users/auth-with-password"},"refresh":{"url":"/api/collections/users/auth-refresh","access_token_header":"Authorization"},"logout":{"url":"-"}}`,
			steps: []step{
				{"POST /api/collections/users/auth-with-password", 200, `{"token":"` + t1 + `","record":{"email":"ada@x.test"}}`, nil},
				{"POST /api/collections/users/auth-refresh\nAuthorization: " + t1, 200, `{"token":"` + t2 + `","record":{"email":"ada@x.test"}}`, nil},
			},
		},
		{
			name: "Strapi", credentials: map[string]string{"identifier": "ada", "password": "pw"}, account: "ada@x.test", life: quarter, tokens: []string{t1, t2},
			settings: `{"login":{"url":"/api/auth/local"},"refresh":{"url":"/api/auth/refresh","refresh_token_field":"refreshToken"},
				"logout":{"url":"/api/auth/logout","access_token_header":"Authorization"}}`,
			steps: []step{
				{"POST /api/auth/local", 200, `{"jwt":"` + t1 + `","refreshToken":"r1","user":{"id":1,"username":"ada","email":"ada@x.test"}}`, nil},
				{"POST /api/auth/refresh\n{\"refreshToken\":\"r1\"}", 200, `{"jwt":"` + t2 + `"}`, nil},
				{"POST /api/auth/logout\nAuthorization: Bearer " + t2, 200, `{"ok":true}`, nil},
			},
		},
		{
			name: "Hasura Auth", credentials: mail, account: "ada@x.test", life: quarter, tokens: []string{"t1", "t2"},
			settings: `{"login":{"url":"/v1/signin/email-password"},"refresh":{"url":"/v1/token","refresh_token_field":"refreshToken"},"logout":{"url":"/v1/signout","refresh_token_field":"refreshToken"}}`,
			steps: []step{
				{"POST /v1/signin/email-password", 200, `{"session":{"accessToken":"t1","accessTokenExpiresIn":900,"refreshToken":"r1","user":{"email":"ada@x.test"}},"mfa":null}`, nil},
				{"POST /v1/token\n{\"refreshToken\":\"r1\"}", 200, `{"accessToken":"t2","accessTokenExpiresIn":900,"refreshToken":"r2","user":{"email":"ada@x.test"}}`, nil},
				{"POST /v1/signout\n{\"refreshToken\":\"r2\"}", 200, `"OK"`, nil},
			},
		},
		{
			name: "node-express-boilerplate", credentials: mail, account: "ada@x.test", life: quarter, tokens: []string{"t1", "t2"},
			settings: `{"login":{"url":"/v1/auth/login"},"refresh":{"url":"/v1/auth/refresh-tokens","refresh_token_field":"refreshToken"},"logout":{"url":"/v1/auth/logout","refresh_token_field":"refreshToken"}}`,
			steps: []step{
				{"POST /v1/auth/login", 200, `{"user":{"email":"ada@x.test"},"tokens":{"access":{"token":"t1","expires":"900s"},"refresh":{"token":"r1","expires":"30d"}}}`, nil},
				{"POST /v1/auth/refresh-tokens\n{\"refreshToken\":\"r1\"}", 200, `{"access":{"token":"t2","expires":900},"refresh":{"token":"r2","expires":"30d"}}`, nil},
				{"POST /v1/auth/logout\n{\"refreshToken\":\"r2\"}", 204, "", nil},
			},
		},
		{
			name: "devise-jwt: the token is in a header", credentials: map[string]any{"user": mail}, account: "ada@x.test", life: quarter, tokens: []string{t1},
			settings: `{"login":{"url":"/users/sign_in"},"refresh":{"url":"-"},"logout":{"method":"DELETE","url":"/users/sign_out","access_token_header":"Authorization"},"access_token":{"header":"Authorization"}}`,
			steps: []step{
				{"POST /users/sign_in\n{\"user\":{\"email\":\"ada@x.test\"", 200, `{"id":7,"email":"ada@x.test"}`, []string{"Authorization", "Bearer " + t1}},
				{"DELETE /users/sign_out\nAuthorization: Bearer " + t1, 204, "", nil},
			},
		},
		{
			name: "djoser: Authorization: JWT", credentials: user, attach: auth.Attach{Scheme: "JWT"}, account: "ada", life: quarter, tokens: []string{t1, t2},
			settings: `{"login":{"url":"/auth/jwt/create/"},"refresh":{"url":"/auth/jwt/refresh/","refresh_token_field":"refresh"},"logout":{"url":"-"}}`,
			steps: []step{
				{"POST /auth/jwt/create/", 200, `{"access":"` + t1 + `","refresh":"r1"}`, nil},
				{"POST /auth/jwt/refresh/\n{\"refresh\":\"r1\"}", 200, `{"access":"` + t2 + `"}`, nil},
			},
		},
		{
			name: "GraphQL", credentials: map[string]any{"variables": mail}, account: "", life: quarter, tokens: []string{"t1", "t2"},
			settings: `{"login":{"url":"/graphql","fields":{"query":"mutation login"}},
				"refresh":{"url":"/graphql","fields":{"query":"mutation refresh"},"refresh_token_field":"variables.token"},"logout":{"url":"-"}}`,
			steps: []step{
				{"POST /graphql\n\"query\":\"mutation login\"\n\"email\":\"ada@x.test\"", 200, `{"data":{"login":{"accessToken":"t1","expiresIn":"15m","refreshToken":"r1"}}}`, nil},
				{"POST /graphql\n{\"query\":\"mutation refresh\",\"variables\":{\"token\":\"r1\"}}", 200, `{"data":{"refresh":{"accessToken":"t2","expiresIn":"15m","refreshToken":"r2"}}}`, nil},
			},
		},
	}
}
