package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
)

// mcpServer is an MCP server at /mcp as far as a proxy sees it, with its authorization server, which registers clients.
// It takes POST only, and streams its response until the client has read the first event of it.
func mcpServer(t *testing.T) *httptest.Server {
	mux := http.NewServeMux()
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	say := func(path string, document any) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { json.NewEncoder(w).Encode(document) })
	}
	say("/.well-known/oauth-protected-resource/mcp", map[string]any{"resource": s.URL + "/mcp", "authorization_servers": []string{s.URL}})
	say("/.well-known/oauth-authorization-server", map[string]any{"issuer": s.URL, "authorization_endpoint": s.URL + "/authorize",
		"token_endpoint": s.URL + "/token", "registration_endpoint": s.URL + "/register"})
	say("/register", map[string]string{"client_id": "registered"})
	say("/token", map[string]any{"access_token": "token-of-ada", "token_type": "Bearer", "expires_in": 900, "refresh_token": "r"})
	mux.HandleFunc("/authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("client_id") != "registered" || q.Get("resource") != s.URL+"/mcp" {
			t.Errorf("asked with %v", q)
		}
		response := url.Values{"state": {q.Get("state")}, "code": {"c"}}
		http.Redirect(w, r, q.Get("redirect_uri")+"?"+response.Encode(), http.StatusFound)
	})
	read := make(chan struct{}, 1)
	mux.HandleFunc("POST /read", func(http.ResponseWriter, *http.Request) { read <- struct{}{} })
	mux.HandleFunc("POST /mcp", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer token-of-ada" {
			w.Header().Set("WWW-Authenticate", "Bearer")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Mcp-Session-Id", "for "+r.Header.Get("Mcp-Session-Id"))
		fmt.Fprint(w, "data: first\n\n")
		w.(http.Flusher).Flush()
		select {
		case <-read:
			fmt.Fprint(w, "data: second\n\n")
		case <-time.After(10 * time.Second):
			t.Error("the first event was held back")
		}
	})
	return s
}

// TestMCPClientBehindTheProxy: a login by the server's URL alone; then streams pass as they come, the session id is the
// server's, and a dummy token is replaced where that is asked for.
func TestMCPClientBehindTheProxy(t *testing.T) {
	s := mcpServer(t)
	b := newBox(t)
	maps.Copy(b.env, map[string]string{"DISPLAY": "", "WAYLAND_DISPLAY": "", "PATH": "", "BROWSER": ""})
	cmd := b.command("login", s.URL+"/mcp")
	shown, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var told strings.Builder
	for lines := bufio.NewScanner(shown); lines.Scan(); {
		told.WriteString(lines.Text() + "\n")
		if page := strings.TrimSpace(lines.Text()); strings.HasPrefix(page, s.URL+"/authorize?") {
			visit(t, page)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, told.String())
	}
	for _, test := range []struct {
		flags  []string
		header map[string]string
		status int
	}{
		{nil, nil, http.StatusOK},
		{nil, map[string]string{"Authorization": "Bearer dummy"}, http.StatusUnauthorized},
		{[]string{"--replace-authorization"}, map[string]string{"Authorization": "Bearer dummy"}, http.StatusOK},
	} {
		_, address := proxied(t, b, test.flags...)
		req, err := http.NewRequest(http.MethodPost, address+"/mcp", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Mcp-Session-Id", "42")
		for name, value := range test.header {
			req.Header.Set(name, value)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != test.status {
			t.Errorf("%v: status %d", test, resp.StatusCode)
		}
		if resp.StatusCode == http.StatusOK {
			streamed(t, s, resp)
		}
		resp.Body.Close()
	}
}

// streamed reads a stream of which the second event comes only after the first was read.
func streamed(t *testing.T, s *httptest.Server, resp *http.Response) {
	t.Helper()
	if id := resp.Header.Get("Mcp-Session-Id"); id != "for 42" {
		t.Errorf("session id %q", id)
	}
	lines := bufio.NewScanner(resp.Body)
	if !lines.Scan() || lines.Text() != "data: first" {
		t.Fatalf("read %q", lines.Text())
	}
	said, err := http.Post(s.URL+"/read", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	said.Body.Close()
	for lines.Scan() {
		if lines.Text() == "data: second" {
			return
		}
	}
	t.Error("the stream ended before its second event")
}

// TestExecCredential: what Kubernetes takes from a credential plugin.
func TestExecCredential(t *testing.T) {
	end := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))
	for info, want := range map[string]string{
		"":          `{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"expirationTimestamp":"2026-01-02T02:04:05Z","token":"s3cret"}}`,
		"{nonsense": `{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"expirationTimestamp":"2026-01-02T02:04:05Z","token":"s3cret"}}`,
		`{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential"}`: `{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","status":{"expirationTimestamp":"2026-01-02T02:04:05Z","token":"s3cret"}}`,
	} {
		got, err := execCredential(silentrefresh.Token{Value: auth.NewSecret("s3cret"), Expires: end}, info)
		if err != nil || string(got) != want {
			t.Errorf("%s: %s, %v", info, got, err)
		}
	}
	if got, _ := execCredential(silentrefresh.Token{Value: auth.NewSecret("s")}, ""); strings.Contains(string(got), "expirationTimestamp") {
		t.Errorf("a token of unknown lifetime: %s", got)
	}
}
