package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
)

// echoed is what the test kit's /echo responses.
type echoed struct {
	Method string            `json:"method"`
	Path   string            `json:"path"`
	Header map[string]string `json:"header"`
	Body   string            `json:"body"`
}

func echo(t *testing.T, text string) (e echoed) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return e
}

// TestWarmStartIsOneRequest, and nothing else.
func TestWarmStartIsOneRequest(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	before := s.Counters()
	if got := b.ok("request", "/me"); !strings.Contains(got, authtest.DefaultEmail) {
		t.Errorf("responded %q", got)
	}
	want := before
	want.API++
	if got := s.Counters(); got != want {
		t.Errorf("sent %+v, want %+v", got, want)
	}
}

func TestRequest(t *testing.T) {
	b, _ := loggedIn(t, authtest.Config{})
	file := b.file("body", `[1, 2]`)
	for _, c := range []struct {
		name, input string
		args        []string
		want        echoed
		contentType string
	}{
		{name: "plain", args: []string{"/echo?a=b"}, want: echoed{Method: "GET", Path: "/echo?a=b"}},
		{name: "without a slash", args: []string{"echo"}, want: echoed{Method: "GET", Path: "/echo"}},
		{name: "method", args: []string{"-X", "DELETE", "/echo"}, want: echoed{Method: "DELETE", Path: "/echo"}},
		{name: "form", args: []string{"-d", "a=b&c", "/echo"}, contentType: "application/x-www-form-urlencoded",
			want: echoed{Method: "POST", Path: "/echo", Body: "a=b&c"}},
		{name: "JSON after the URL", args: []string{"/echo", "-X", "PUT", "-d", `{"a": 1}`}, contentType: "application/json",
			want: echoed{Method: "PUT", Path: "/echo", Body: `{"a": 1}`}},
		{name: "file", args: []string{"-d", "@" + file, "/echo"}, contentType: "application/json",
			want: echoed{Method: "POST", Path: "/echo", Body: `[1, 2]`}},
		{name: "standard input", args: []string{"-d", "-", "/echo"}, input: "x{", contentType: "application/x-www-form-urlencoded",
			want: echoed{Method: "POST", Path: "/echo", Body: "x{"}},
		{name: "type by hand", args: []string{"-H", "content-type: text/plain", "-d", "{}", "/echo"}, contentType: "text/plain",
			want: echoed{Method: "POST", Path: "/echo", Body: "{}"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := b.runWith(c.input, append([]string{"request"}, c.args...)...)
			got := echo(t, r.out)
			if got.Method != c.want.Method || got.Path != c.want.Path || got.Body != c.want.Body || got.Header["Content-Type"] != c.contentType {
				t.Errorf("sent %+v", got)
			}
		})
	}
}

func TestRequestHeaders(t *testing.T) {
	b, _ := loggedIn(t, authtest.Config{})
	got := echo(t, b.ok("request", "-H", "X-A: 1", "-H", "X-A: 2", "-H", "User-Agent:", "/echo"))
	if got.Header["X-A"] != "1, 2" || strings.HasPrefix(got.Header["User-Agent"], "silentrefresh") {
		t.Errorf("sent %v", got.Header)
	}
	b.fails(exitUsage, []string{`-H "bad" is not a header`}, "request", "-H", "bad", "/echo")
	if r := b.fails(exitUsage, []string{`-H "authorization ..."`}, "request", "-H", "authorization s3cret", "/echo"); strings.Contains(r.err, "s3cret") {
		t.Errorf("repeats what may be a secret: %s", r.err)
	}
}

func TestRequestShowsHeaders(t *testing.T) {
	b, _ := loggedIn(t, authtest.Config{})
	head, body, ok := strings.Cut(b.ok("request", "-i", "/me"), "\r\n\r\n")
	if !ok || !strings.HasPrefix(head, "HTTP/1.1 200 OK\r\n") || !strings.Contains(head, "\r\nContent-Type: application/json") || !strings.HasPrefix(body, "{") {
		t.Errorf("head %q, body %q", head, body)
	}
}

func TestRequestWritesToFile(t *testing.T) {
	b, _ := loggedIn(t, authtest.Config{})
	file := filepath.Join(t.TempDir(), "response")
	if got := b.ok("request", "-o", file, "/me"); got != "" {
		t.Errorf("printed %q", got)
	}
	if got, err := os.ReadFile(file); err != nil || !strings.Contains(string(got), authtest.DefaultEmail) {
		t.Errorf("wrote %q, %v", got, err)
	}
	b.fails(exitUsage, []string{"was not made"}, "request", "-o", t.TempDir(), "/me")
}

// TestRequestStreams: what the server sends is there before the response has ended.
func TestRequestStreams(t *testing.T) {
	b, _ := loggedIn(t, authtest.Config{})
	r := b.start("request", "/stream?events=1000&every=50ms")
	r.line("event 1")
	if code := r.stop(); code != terminated {
		t.Errorf("exit status %d after an interrupt", code)
	}
}

// TestRequestShowsRedirects, and does not follow them.
func TestRequestShowsRedirects(t *testing.T) {
	api := http.RedirectHandler("/elsewhere", http.StatusFound)
	b, s := loggedIn(t, authtest.Config{API: api})
	if r := b.run("request", "/old"); r.code != 0 || !strings.Contains(r.err, "returned 302 Found: see /elsewhere") || s.Counters().API != 1 {
		t.Errorf("%d %s", r.code, r.err)
	}
}

// TestF46_TokenStaysAtHome: a request elsewhere goes out bare, and that is said.
func TestF46_TokenStaysAtHome(t *testing.T) {
	b, _ := loggedIn(t, authtest.Config{})
	other := authtest.NewServer(t, authtest.Config{})
	b.fails(exitStatus, []string{"token not sent to " + other.URL(), "returned 401"}, "request", other.URL()+"/me")
}

// TestUnreachableElsewhere: the URL that was called is the one to look at, without what may be a secret.
func TestUnreachableElsewhere(t *testing.T) {
	b, _ := loggedIn(t, authtest.Config{})
	other := authtest.NewServer(t, authtest.Config{})
	address := other.URL()
	other.Close()
	r := b.fails(exitPasses, []string{"whether its URL is right: " + address + "/me\n"}, "request", address+"/me?token=s3cret#s3cret")
	if strings.Contains(r.err, "s3cret") {
		t.Errorf("repeats what may be a secret: %s", r.err)
	}
}

// TestExitStatuses: 0 and 22 are elsewhere, too.
func TestExitStatuses(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	b.ok("request", "/status/204")
	b.ok("request", "/status/399")
	b.fails(exitStatus, []string{"/status/400 returned 400"}, "request", "/status/400")
	b.fails(exitStatus, []string{"returned 503"}, "request", "/status/503")
	r := b.fails(exitStatus, []string{"/scope returned 403"}, "request", "/scope?token=s3cret")
	if strings.Contains(r.err, "s3cret") {
		t.Errorf("repeats a query: %s", r.err)
	}
	b.fails(exitUsage, []string{"request takes URL-or-path"}, "request")
	b.fails(exitUsage, []string{"request takes URL-or-path"}, "request", "/a", "/b")
	b.fails(exitUsage, []string{"cannot be parsed"}, "request", "http://[::1")
	for _, url := range []string{"localhost:8080/me", "ftp://127.0.0.1/me", "users:search"} {
		b.fails(exitUsage, []string{"the URL has neither https:// nor http://", "write a path such as /me"}, "request", url)
	}
	b.fails(exitUsage, []string{"the URL is empty", "write a path such as /me"}, "request", "-X", "DELETE", "")
	b.fails(exitUsage, []string{"the query holds a space", "--data-urlencode"}, "request", "-G", "-d", "q=a b", "/echo")
	b.fails(exitUsage, []string{"the query holds a space"}, "request", "/echo?q=a b")
	b.fails(exitUsage, []string{"--nosuch", "silentrefresh request --help"}, "request", "--nosuch", "/me")
	b.fails(exitUsage, []string{"there is no command \"dance\""}, "dance")
	b.fails(exitUsage, []string{"a command is missing"})
	b.fails(exitUsage, []string{"status takes no arguments"}, "status", "now")
	b.fails(exitFailed, []string{"login to", "failed", "/auth/login returned 401 invalid_credentials"}, "login", "-d", `{"email": "x"}`)
	b.ok("request", "/me") // a failed login leaves the session as it is
	s.Close()
	b.fails(exitPasses, []string{"/me was not sent\n", "why: ", "refused"}, "request", "/me?token=s3cret")
}

// TestNobodyIsLoggedIn: exit status 3, whatever the command.
func TestNobodyIsLoggedIn(t *testing.T) {
	b := newBox(t)
	for _, args := range [][]string{{"request", "/me"}, {"token"}, {"status"}, {"watch"}, {"proxy"}, {"exec", "true"}, {"logout"}} {
		b.fails(exitLogin, []string{"nobody is logged in", "do:  silentrefresh login --base URL"}, args...)
	}
	s := authtest.NewServer(t, authtest.Config{})
	b.fails(exitLogin, []string{"nobody is logged in", "silentrefresh login --base " + s.URL()}, "--base", s.URL(), "request", "/me")
	b.fails(exitUsage, []string{"nothing says where to log in"}, "login", "-d", "{}")
}

// TestOverReadsWell: what failed, why, what to do, in three lines.
func TestOverReadsWell(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{AccessTTL: time.Second})
	s.EndSessions()
	time.Sleep(time.Until(expiry(t, b)) + 10*time.Millisecond)
	want := "silentrefresh: /me was not sent: the session is over\n" +
		"  why: /auth/refresh returned 401 invalid_grant at #:#:#\n" +
		"  do:  silentrefresh login\n"
	for range 2 { // the second process reads what the first has written down
		if r := b.run("request", "/me"); r.code != exitLogin || !like(r.err, want) {
			t.Errorf("%d\n%s\nwant\n%s", r.code, r.err, want)
		}
	}
	if n := s.Counters().RefreshCalls; n != 1 {
		t.Errorf("%d refreshes: the end was not written down", n)
	}
}

// TestOverAfterTheRequest: the response is printed, and what it means is said.
func TestOverAfterTheRequest(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	s.EndSessions()
	r := b.fails(exitLogin, []string{"/me returned 401 Unauthorized: the session is over", "invalid_grant", "silentrefresh login"}, "request", "/me")
	if !strings.Contains(r.out, "invalid_token") {
		t.Errorf("printed %q", r.out)
	}
}

// TestF40_InterruptedIsSaid: the server spent the credential, and its response was lost.
func TestF40_InterruptedIsSaid(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	s.RevokeAccess()
	s.Fault(authtest.Fault{Kind: authtest.Drop, Commit: true})
	b.fails(exitLogin, []string{"interrupted", "silentrefresh login"}, "request", "/me")
	b.fails(exitLogin, []string{"interrupted"}, "request", "/me")
	b.fails(exitLogin, []string{"interrupted"}, "status")
}

// TestServerAway: a token that cannot be renewed is not a session that is over.
func TestServerAway(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{})
	b := newBox(t)
	b.ok("login", "--config", b.config(s, map[string]any{"max_wait": "100ms"}), "-d", credentials)
	s.RevokeAccess()
	s.Down(authtest.Unavailable)
	b.fails(exitPasses, []string{"the token could not be renewed", "/auth/refresh returned 503", "do:  "}, "request", "/me")
	b.ok("status")
	s.Up()
	b.ok("request", "/me")
	s.Close()
	b.fails(exitPasses, []string{"/me was not sent", "connection refused", "do:  see whether the server is up", s.URL()}, "request", "/me")
}
