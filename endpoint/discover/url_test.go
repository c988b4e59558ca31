package discover_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/silentrefresh/silentrefresh/authtest"
	"github.com/silentrefresh/silentrefresh/endpoint/discover"
)

// A site is a server that notes what it was asked.
type site struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
	wrong []string // what no look may send
}

// newSite serves documents by path; $URL in them is the site's own. A document that begins with a status line is a
// response of its own.
func newSite(t *testing.T, pages map[string]string) *site {
	t.Helper()
	s := &site{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, r.URL.Path)
		if r.Method != http.MethodGet || r.Header.Get("Cookie") != "" || r.Header.Get("Authorization") != "" || r.ContentLength > 0 {
			s.wrong = append(s.wrong, r.Method+" "+r.URL.Path)
		}
		s.mu.Unlock()
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: "v", Path: "/", HttpOnly: true})
		text, ok := pages[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		respond(w, strings.ReplaceAll(text, "$URL", s.URL))
	}))
	t.Cleanup(s.Close)
	return s
}

func respond(w http.ResponseWriter, text string) {
	head, body, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	status := 200
	if _, err := fmt.Sscanf(lines[0], "HTTP %d", &status); err != nil {
		body, lines = text, []string{""}
	}
	w.Header().Set("Content-Type", "application/json")
	if strings.HasPrefix(body, "<") {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
	}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		w.Header().Set(name, value)
	}
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}

// look looks at a path of the site, and fails where something was sent that may not be.
func (s *site) look(t *testing.T, path string) discover.Result {
	t.Helper()
	r, err := discover.URL(t.Context(), nil, s.URL+path)
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.wrong) > 0 || len(s.asked) > 24 {
		t.Errorf("sent %q, asked %d times", s.wrong, len(s.asked))
	}
	s.asked = nil
	return r
}

func found(t *testing.T, r discover.Result, words string) {
	t.Helper()
	for _, f := range r.Findings {
		if strings.Contains(f.String(), words) {
			return
		}
	}
	t.Errorf("want %q found, got %v, missing %q", words, r.Findings, r.Missing)
}

// TestURLChallenge: RFC 9728 from the challenge to the authorization server, which is another origin.
func TestURLChallenge(t *testing.T) {
	server := newSite(t, map[string]string{
		"/.well-known/oauth-authorization-server/tenant": `{"issuer": "$URL/tenant", "token_endpoint": "$URL/token"}`,
	})
	api := newSite(t, map[string]string{
		"/mcp":       "HTTP 401\nWWW-Authenticate: Bearer resource_metadata=\"$URL/meta/mcp\"\n\n{}",
		"/meta/mcp":  `{"resource": "$URL/mcp", "authorization_servers": ["` + server.URL + `/tenant"], "scopes_supported": ["read"]}`,
		"/meta/else": `{"resource": "https://other.example/mcp", "authorization_servers": ["https://evil.example"]}`,
		"/else":      "HTTP 401\nWWW-Authenticate: Bearer resource_metadata=\"$URL/meta/else\"\n\n{}",
	})
	r := api.look(t, "/mcp")
	if r.OAuth == nil || r.OAuth.Issuer != server.URL+"/tenant" || r.OAuth.Resource != api.URL+"/mcp" || len(r.OAuth.Scopes) != 1 {
		t.Errorf("%+v", r.OAuth)
	}
	found(t, r, server.URL+"/.well-known/oauth-authorization-server/tenant")
	if r := api.look(t, "/else"); r.OAuth != nil {
		t.Errorf("another resource's metadata was believed: %+v", r.OAuth)
	} else {
		missing(t, r, "another resource")
	}
}

// TestURLMetadata: each place where the metadata of a server itself may be, and only with its own issuer.
func TestURLMetadata(t *testing.T) {
	document := `{"issuer": "$URL/realms/x", "token_endpoint": "$URL/token"}`
	for _, place := range []string{"/.well-known/oauth-authorization-server/realms/x", "/.well-known/openid-configuration/realms/x", "/realms/x/.well-known/openid-configuration"} {
		s := newSite(t, map[string]string{place: document, "/realms/x": "<p>hello"})
		if r := s.look(t, "/realms/x"); r.OAuth == nil || r.OAuth.Issuer != s.URL+"/realms/x" {
			t.Errorf("%s: %+v", place, r.OAuth)
		}
	}
	mixed := newSite(t, map[string]string{"/.well-known/openid-configuration": `{"issuer": "https://evil.example", "token_endpoint": "https://evil.example/t"}`})
	if r := mixed.look(t, ""); r.OAuth != nil {
		t.Errorf("%+v", r.OAuth)
	} else {
		missing(t, r, "another issuer's")
	}
}

// TestURLSendsPeopleAway: a page that redirects to an authorization endpoint names the server and its client.
func TestURLSendsPeopleAway(t *testing.T) {
	server := newSite(t, map[string]string{"/realms/x/.well-known/openid-configuration": `{"issuer": "$URL/realms/x", "token_endpoint": "$URL/t"}`})
	app := newSite(t, map[string]string{
		"/":      "HTTP 302\nLocation: " + server.URL + "/realms/x/protocol/openid-connect/auth?client_id=web&response_type=code&scope=openid&state=s3cret\n\n",
		"/moved": "HTTP 301\nLocation: https://www.example.invalid/?a=s3cret\n\n",
	})
	if r := app.look(t, ""); r.OAuth == nil || r.OAuth.ClientID != "web" || r.OAuth.Issuer != server.URL+"/realms/x" {
		t.Errorf("%+v, missing %q", r.OAuth, r.Missing)
	}
	r := app.look(t, "/moved")
	missing(t, r, "https://www.example.invalid, which was not followed")
	if said, _ := json.Marshal(r); strings.Contains(string(said), "s3cret") {
		t.Errorf("shows a query: %s", said)
	}
}

const fastAPI = `{"openapi": "3.1.0", "paths": {"/users/": {"post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/NewUser"}}}}}}},
	"components": {"schemas": {"NewUser": {"properties": {"email": {}, "password": {}}}},
	"securitySchemes": {"o": {"type": "oauth2", "flows": {"password": {"scopes": {}, "tokenUrl": "auth/token"}}}}}}`

const described = `{"openapi": "3.0.0", "servers": [{"url": "/api/v1"}], "security": [{"b": []}], "paths": {
	"/auth/register": {"post": {"requestBody": {"content": {"application/json": {"schema": {"properties": {"email": {}, "password": {}}}}}}, "responses": {"200": {"content": {"application/json": {"schema": {"properties": {"token": {}}}}}}}}},
	"/auth/anmelden": {"post": {"requestBody": {"$ref": "#/components/requestBodies/Login"}, "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Tokens"}}}}}}},
	"/auth/refresh": {"post": {"requestBody": {"content": {"application/json": {"schema": {"properties": {"refreshToken": {"type": "string"}}}}}}}},
	"/auth/logout": {"delete": {"responses": {"204": {}}}}},
	"components": {"requestBodies": {"Login": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Credentials"}}}}},
	"schemas": {"Credentials": {"properties": {"kennung": {"type": "string"}, "geheim": {"type": "string", "format": "password"}, "username": {"type": "string"}}},
	"Tokens": {"allOf": [{"properties": {"data": {"properties": {"access_token": {"type": "string"}}}}}]}}}}`

const swagger2 = `{"swagger": "2.0", "basePath": "/v2", "paths": {
	"/session": {"post": {"parameters": [{"in": "body", "name": "b", "schema": {"$ref": "#/definitions/L"}}], "responses": {"200": {"schema": {"properties": {"jwt": {}}}}}}}},
	"definitions": {"L": {"properties": {"username": {}, "password": {}}}}}`

// TestURLOpenAPI: the document in its places, and what it describes.
func TestURLOpenAPI(t *testing.T) {
	for _, c := range []struct {
		name  string
		pages map[string]string
		want  string
	}{
		{"FastAPI", map[string]string{"/openapi.json": fastAPI},
			`{"ask":["username","password"],"login":{"encoding":"form","fields":{"grant_type":"password"},"url":"/auth/token"},"logout":{"url":"-"},"refresh":{"url":"-"}}`},
		{"a page of documentation", map[string]string{"/docs": `<script>SwaggerUIBundle({url: '/spec/x.json', dom_id: '#x'})</script>`, "/spec/x.json": described},
			`{"ask":["username","geheim"],"login":{"url":"/api/v1/auth/anmelden"},"logout":{"access_token_header":"Authorization","method":"DELETE","url":"/api/v1/auth/logout"},"refresh":{"refresh_token_field":"refreshToken","url":"/api/v1/auth/refresh"}}`},
		{"a link in the header", map[string]string{"/": "HTTP 200\nLink: </s>; rel=\"service-desc\"\n\n{}", "/s": swagger2},
			`{"ask":["username","password"],"login":{"url":"/v2/session"},"logout":{"url":"-"},"refresh":{"url":"-"}}`},
		{"the document itself", map[string]string{"/": swagger2},
			`{"ask":["username","password"],"login":{"url":"/v2/session"},"logout":{"url":"-"},"refresh":{"url":"-"}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, c.pages)
			r := s.look(t, "/")
			if r.BaseURL != s.URL {
				t.Errorf("base %s", r.BaseURL)
			}
			r.BaseURL = ""
			if got := settings(t, r); got != c.want {
				t.Errorf("settings\n%s\nwant\n%s\nfound %v, missing %q", got, c.want, r.Findings, r.Missing)
			}
		})
	}
}

// TestURLOpenAPIElsewhere: another origin that the document names is said; one that it should not name is not taken.
func TestURLOpenAPIElsewhere(t *testing.T) {
	other := newSite(t, nil)
	s := newSite(t, map[string]string{"/openapi.json": strings.Replace(described, `"/api/v1"`, `"`+other.URL+`/api/v1"`, 1)})
	r := s.look(t, "")
	found(t, r, "names another origin, "+other.URL)
	if r.BaseURL != other.URL || len(other.asked) > 0 {
		t.Errorf("%s, asked %q", r.BaseURL, other.asked)
	}
	plain := newSite(t, map[string]string{"/openapi.json": strings.Replace(described, `"/api/v1"`, `"http://api.example.com/api/v1"`, 1)})
	if r := plain.look(t, ""); r.BaseURL != plain.URL {
		t.Errorf("went to plain http: %s", r.BaseURL)
	}
}

// TestURLForm: a login form, here or where a link leads; its hidden fields, and forms that are no login.
func TestURLForm(t *testing.T) {
	form := `<title>x</title><form action="/search"><input name="q"></form><form method="POST" action="/sessions?x=1">
		<input type="hidden" name="authenticity_token" value="abcdefghij0123456789=="><input type=hidden name=next value=/>
		<input name="user[login]"><input type="password" name="user[password]"><input type="checkbox" name="remember"><button>Go</button></form>`
	for path, pages := range map[string]map[string]string{
		"/":     {"/": form},
		"/home": {"/home": `<a href="/a">A</a><a href="/einlass">Log in</a>`, "/einlass": form},
		"/nix":  {"/login": form},
		"/to":   {"/to": "HTTP 302\nLocation: /einlass?next=%2Fto\n\n", "/einlass": form},
	} {
		s := newSite(t, pages)
		r := s.look(t, path)
		r.BaseURL = ""
		want := `"login":{"accepted_status":[302,303],"encoding":"form","fields":{"next":"/"},"url":"/sessions?x=1"},"logout":{"url":"-"},"refresh":{"url":"-"}}`
		csrf := `{"access_token":{"cookie":"sid"},"ask":["user[login]","user[password]"],"csrf":{"field":"authenticity_token","response_field":"authenticity_token","url":`
		if got := settings(t, r); !strings.HasSuffix(got, want) || !strings.HasPrefix(got, csrf) {
			t.Errorf("%s: settings\n%s\nwant\n%s ...\n%s", path, got, csrf, want)
		}
		missing(t, r, "learn from that")
		if path == "/to" {
			missing(t, r, `"rejected_if": [{"status":302,"location":"/einlass"}]`)
			if strings.Contains(settings(t, r), "next=") {
				t.Errorf("names where to go after the login: %s", settings(t, r))
			}
		}
		if said, _ := json.Marshal(r); strings.Contains(string(said), "abcdefghij") {
			t.Errorf("shows the token: %s", said)
		}
	}
	script := newSite(t, map[string]string{"/": `<div><input id="mail" type="email"><input id="pw" type="password"><button>Go</button></div>`})
	r := script.look(t, "")
	found(t, r, "asks for mail and pw")
	missing(t, r, "script")
	away := newSite(t, map[string]string{"/": `<form method="post" action="http://evil.example/x"><input name="u"><input type="password" name="p"></form>`})
	if r := away.look(t, ""); r.Settings.Login.URL != "-" {
		t.Errorf("would send it to %s", r.Settings.Login.URL)
	}
}

// TestURLUsualPaths: something that wants a POST, and nothing at all.
func TestURLUsualPaths(t *testing.T) {
	kit := authtest.NewServer(t, authtest.Config{})
	r, err := discover.URL(t.Context(), &http.Client{Transport: kit.Transport()}, kit.URL())
	if err != nil || r.Settings.Login.URL != "/auth/login" || r.Settings.Refresh.URL != "/auth/refresh" {
		t.Errorf("%v, %+v", err, r)
	}
	s := newSite(t, nil)
	nothing := s.look(t, "/x/y")
	missing(t, nothing, "docs/SERVERS.md")
	if len(nothing.Findings) > 0 {
		t.Errorf("found %v", nothing.Findings)
	}
}

// TestURLBounds: endless redirects, a document without an end, mistakes in the URL, a caller who gives up.
func TestURLBounds(t *testing.T) {
	n := 0
	loop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		http.Redirect(w, r, fmt.Sprintf("/%d", n), http.StatusFound)
	}))
	defer loop.Close()
	if _, err := discover.URL(t.Context(), nil, loop.URL); err == nil || n > 24 {
		t.Errorf("%v after %d", err, n)
	}
	big := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/openapi.json" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		for chunk := []byte(strings.Repeat("[", 64<<10)); ; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}))
	defer big.Close()
	if _, err := discover.URL(t.Context(), nil, big.URL); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "x", "ftp://x", "http://", "http://[s3cret", "file:///s3cret"} {
		if _, err := discover.URL(t.Context(), nil, bad); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := discover.URL(ctx, nil, loop.URL); err == nil {
		t.Error("went on after the caller gave up")
	}
}

// TestURLRecursiveSchemas: schemas within themselves end.
func TestURLRecursiveSchemas(t *testing.T) {
	s := newSite(t, map[string]string{"/openapi.json": `{"openapi": "3.0.0", "paths": {"/login": {"post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}}}},
		"components": {"schemas": {"A": {"allOf": [{"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/A"}], "properties": {"a": {"$ref": "#/components/schemas/A"}, "password": {}, "email": {}}},
		"B": {"$ref": "#/components/schemas/B"}}}}`})
	if r := s.look(t, ""); r.Settings.Login.URL != "/login" {
		t.Errorf("%s, missing %q", settings(t, r), r.Missing)
	}
}
