package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
)

// proxied starts a proxy and returns its URL.
func proxied(t *testing.T, b *box, args ...string) (*running, string) {
	t.Helper()
	r := b.start(append([]string{"proxy", "--listen", "127.0.0.1:0"}, args...)...)
	address, _, _ := strings.Cut(r.line("http://127.0.0.1:"), " ")
	return r, address
}

// get sends a request, with headers by name, value.
func get(t *testing.T, address string, header ...string) (*http.Response, string) {
	t.Helper()
	return send(t, http.MethodGet, address, "", header...)
}

func send(t *testing.T, method, address, body string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
		req.Header.Add(header[i], header[i+1])
	}
	hc := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := hc.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

func TestProxy(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	r, address := proxied(t, b)
	_, text := send(t, "PUT", address+"/echo?a=b", "body", "X-A", "1", "Origin", address, "Referer", address+"/page?x")
	got := echo(t, text)
	if got.Method != "PUT" || got.Path != "/echo?a=b" || got.Body != "body" || got.Header["X-A"] != "1" || got.Header["Authorization"] == "" {
		t.Errorf("the server got %+v", got)
	}
	if got.Header["Origin"] != s.URL() || got.Header["Referer"] != s.URL()+"/page?x" {
		t.Errorf("a page of the server's shows Origin %q, Referer %q", got.Header["Origin"], got.Header["Referer"])
	}
	s.RevokeAccess()
	if resp, _ := get(t, address+"/me"); resp.StatusCode != http.StatusOK || s.Counters().Refreshes != 1 {
		t.Errorf("after the token was revoked: %s", resp.Status)
	}
	if resp, _ := get(t, address+"/status/418"); resp.StatusCode != http.StatusTeapot || resp.Header.Get(errorHeader) != "" {
		t.Errorf("a response of the server's: %s", resp.Status)
	}
	if code := r.stop(); code != terminated || !strings.Contains(r.err.String(), "any program of this machine can use the session; to ask for a secret, set SILENTREFRESH_SECRET") {
		t.Errorf("ended with %d, and said %s", code, r.err)
	}
}

// TestProxyStreams: events arrive one by one, and an upgraded connection carries bytes both ways.
func TestProxyStreams(t *testing.T) {
	b, _ := loggedIn(t, authtest.Config{})
	r, address := proxied(t, b)
	resp, err := http.Get(address + "/stream?events=100000&every=20ms")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() && lines.Text() != "data: event 2" {
	}
	conn := upgrade(t, address)
	for _, word := range []string{"ping\n", "pong\n"} {
		fmt.Fprint(conn, word)
		if got, err := conn.ReadString('\n'); err != nil || got != word {
			t.Errorf("echoed %q, %v", got, err)
		}
	}
	began := time.Now()
	if code := r.stop(); code != terminated || time.Since(began) > 10*time.Second {
		t.Errorf("with streams open it ended with %d after %v", code, time.Since(began))
	}
}

// upgraded is a connection after its upgrade.
type upgraded struct {
	net.Conn
	*bufio.Reader
}

func (u upgraded) Read(p []byte) (int, error) { return u.Reader.Read(p) }

func upgrade(t *testing.T, address string) upgraded {
	t.Helper()
	host := strings.TrimPrefix(address, "http://")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "GET /upgrade HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", host)
	u := upgraded{conn, bufio.NewReader(conn)}
	resp, err := http.ReadResponse(u.Reader, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v, %v", resp, err)
	}
	return u
}

// TestProxyRedirects: within the server they become redirects within the proxy.
func TestProxyRedirects(t *testing.T) {
	base, err := url.Parse("https://api.example.com/v1/")
	if err != nil {
		t.Fatal(err)
	}
	from := base.JoinPath("a/b")
	r := &relay{base: base}
	for location, want := range map[string]string{
		"https://api.example.com/v1/x?y=1#z":     "/x?y=1#z",
		"https://api.example.com:443/v1/x":       "/x",
		"HTTPS://API.example.com/v1/x":           "/x",
		"/v1/x%2Fy":                              "/x%2Fy",
		"../c":                                   "/c",
		"?page=2":                                "/a/b?page=2",
		"/other":                                 "/other",
		"https://api.example.com/other":          "https://api.example.com/other",
		"https://login.example.com/v1/x":         "https://login.example.com/v1/x",
		"http://api.example.com/v1/x":            "http://api.example.com/v1/x",
		"https://api.example.com/v1//evil.com/x": "https://api.example.com/v1//evil.com/x",
		"://":                                    "://",
	} {
		if got := r.local(location, from); got != want {
			t.Errorf("%s becomes %s, want %s", location, got, want)
		}
	}
	b, s := loggedIn(t, authtest.Config{API: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+r.Host+"/there", http.StatusFound)
	})})
	_, address := proxied(t, b)
	if resp, _ := get(t, address+"/here"); resp.Header.Get("Location") != "/there" {
		t.Errorf("%s redirects to %s", s.URL(), resp.Header.Get("Location"))
	}
}

// TestProxyWhenTheSessionIsOver: 401 with a hint; and after a login elsewhere it goes on.
func TestProxyWhenTheSessionIsOver(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	_, address := proxied(t, b)
	s.EndSessions()
	for range 2 { // the first request was sent, the second was not
		resp, text := get(t, address+"/me")
		var hint struct{ Error, Message, Hint string }
		if err := json.Unmarshal([]byte(text), &hint); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if resp.StatusCode != http.StatusUnauthorized || resp.Header.Get("Silentrefresh-Error") != "session_over" ||
			hint.Error != "session_over" || hint.Hint != "silentrefresh login" || !strings.Contains(hint.Message, "the session is over: /auth/refresh returned 401 invalid_grant") {
			t.Errorf("%s %v %s", resp.Status, resp.Header, text)
		}
	}
	b.ok("login", "-d", credentials)
	servesSoon(t, address)
	b.ok("logout")
	b.ok("login", "--base", s.URL(), "-d", credentials)
	servesSoon(t, address)
}

// TestProxyBeforeALogin waits for one.
func TestProxyBeforeALogin(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{})
	b := newBox(t)
	r, address := proxied(t, b, "--base", s.URL())
	if resp, _ := get(t, address+"/me"); resp.StatusCode != http.StatusUnauthorized || resp.Header.Get(errorHeader) != "session_over" {
		t.Errorf("%s %v", resp.Status, resp.Header)
	}
	b.ok("login", "--base", s.URL(), "-d", credentials)
	servesSoon(t, address)
	if r.stop() != terminated || !strings.Contains(r.err.String(), "nothing is passed on yet: nobody is logged in") {
		t.Errorf("said %s", r.err)
	}
}

// servesSoon waits until the proxy has found the new session: it looks once a second at most.
func servesSoon(t *testing.T, address string) {
	t.Helper()
	for range 50 {
		if resp, _ := get(t, address+"/me"); resp.StatusCode == http.StatusOK {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Error("a login elsewhere was not noticed in 5 s")
}

// TestProxyLeavesOthersCredentialsAlone: they are the request's own, and so is a refusal of them.
func TestProxyLeavesOthersCredentialsAlone(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	_, address := proxied(t, b)
	s.EndSessions()
	get(t, address+"/me") // now it is over
	resp, text := get(t, address+"/me", "Authorization", "Bearer mine")
	if resp.StatusCode != http.StatusUnauthorized || resp.Header.Get(errorHeader) != "" || !strings.Contains(text, "invalid_token") {
		t.Errorf("%s %v %s", resp.Status, resp.Header, text)
	}
}

func TestProxyWhenTheServerIsAway(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{})
	b := newBox(t)
	b.ok("login", "--config", b.config(s, map[string]any{"max_wait": "50ms"}), "-d", credentials)
	_, address := proxied(t, b)
	s.Down(authtest.Unavailable)
	s.RevokeAccess()
	resp, text := get(t, address+"/me")
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get(errorHeader) != "refresh_failed" || resp.Header.Get("Retry-After") == "" {
		t.Errorf("the auth server is away: %s %v %s", resp.Status, resp.Header, text)
	}
	s.Close()
	resp, text = get(t, address+"/x", "Authorization", "own")
	if resp.StatusCode != http.StatusBadGateway || resp.Header.Get(errorHeader) != "server_unreachable" {
		t.Errorf("the API is away: %s %s", resp.Status, text)
	}
}

func TestProxySecret(t *testing.T) {
	b, _ := loggedIn(t, authtest.Config{})
	b.env["SILENTREFRESH_SECRET"] = "hush"
	r, address := proxied(t, b)
	for _, header := range [][]string{nil, {secretHeader, "wrong"}, {"Authorization", basic("x", "wrong")}, {"Authorization", "Bearer hush"}} {
		resp, _ := get(t, address+"/me", header...)
		if resp.StatusCode != http.StatusUnauthorized || resp.Header.Get(errorHeader) != "secret_required" {
			t.Errorf("with %v: %s", header, resp.Status)
		}
	}
	for _, header := range [][]string{{secretHeader, "hush"}, {"Authorization", basic("any", "hush")}} {
		_, text := get(t, address+"/echo", header...)
		if strings.Contains(text, "hush") || strings.Contains(text, secretHeader) || echo(t, text).Path != "/echo" {
			t.Errorf("with %v the server got %s", header, text)
		}
	}
	if r.stop(); strings.Contains(r.err.String(), "ask for a secret") || strings.Contains(r.err.String(), "hush") {
		t.Errorf("said %s", r.err)
	}
}

func basic(user, password string) string {
	req := httptest.NewRequest("GET", "/", nil)
	req.SetBasicAuth(user, password)
	return req.Header.Get("Authorization")
}

// TestF61_AtTheDoor: nothing of a foreign request reaches the server.
func TestF61_AtTheDoor(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	_, address := proxied(t, b)
	for _, header := range [][]string{
		{"Origin", "https://evil.example.com"}, {"Sec-Fetch-Site", "cross-site"}, {"Host", "evil.example.com"},
		{"Origin", "https://evil.example.com", "Connection", "Upgrade", "Upgrade", "echo"},
	} {
		resp, text := get(t, address+"/me", header...)
		if resp.StatusCode != http.StatusForbidden || resp.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%v: %s %s", header, resp.Status, text)
		}
	}
	if n := s.Counters().API; n != 0 {
		t.Errorf("%d requests reached the server", n)
	}
}
