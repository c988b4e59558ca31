package express_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/silentrefresh/silentrefresh"
)

const accessSecret = "signs access tokens in these tests"

var (
	ada   = map[string]string{"email": "ada@example.com", "password": "analytical"}
	grace = map[string]string{"email": "grace@example.com", "password": "compiler"}
)

// server is the Express server as a process of its own.
type server struct {
	URL  string
	port int
	env  []string
	stop func() // kills it, as a crash would
}

// start runs the server with settings ("ACCESS_TTL=2") until the test ends.
func start(t *testing.T, settings ...string) *server {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node is not installed")
	}
	if _, err := os.Stat("node_modules"); err != nil {
		missing(t, "node_modules is missing: run npm ci in internal/express")
	}
	s := &server{env: append(os.Environ(), settings...)}
	s.run(t, node)
	return s
}

// missing skips the test, unless the environment says that everything has to be there.
func missing(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" || os.Getenv("SILENTREFRESH_REQUIRE_NODE") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

func (s *server) run(t *testing.T, node string) {
	t.Helper()
	cmd := exec.Command(node, "server.js")
	cmd.Env = append(s.env, "PORT="+strconv.Itoa(s.port), "ACCESS_TOKEN_SECRET="+accessSecret)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.stop = sync.OnceFunc(func() { cmd.Process.Kill(); cmd.Wait() })
	t.Cleanup(s.stop)
	var ready struct{ Port int }
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the server did not say where it listens: %v", err)
	}
	if err := json.Unmarshal([]byte(line), &ready); err != nil {
		t.Fatalf("the server said %q: %v", line, err)
	}
	s.port = ready.Port
	s.URL = fmt.Sprintf("http://127.0.0.1:%d", s.port)
}

// restart kills the server and starts it again on the same port. What it knew is gone.
func (s *server) restart(t *testing.T, node string) {
	t.Helper()
	s.stop()
	s.run(t, node)
}

// newClient returns a client for s, all of whose traffic passes through the tap.
func (s *server) newClient(t *testing.T, cfg silentrefresh.Config) (*silentrefresh.Client, *tap) {
	t.Helper()
	wire := &tap{}
	cfg.BaseURL, cfg.Base, cfg.AuthBase = s.URL, wire, wire
	cfg.RejectedStatus = []int{http.StatusUnauthorized, http.StatusForbidden}
	client, err := silentrefresh.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return client, wire
}

// tap looks at what really goes over the wire.
type tap struct {
	mu     sync.Mutex
	calls  []call
	before func(*http.Request) *http.Request // may change a request on its way, nil: nothing does
}

type call struct {
	path   string
	status int
	cookie string // the refresh token that was sent
}

// RoundTrip implements http.RoundTripper.
func (w *tap) RoundTrip(req *http.Request) (*http.Response, error) {
	if w.before != nil {
		req = w.before(req)
	}
	c := call{path: req.URL.Path}
	if cookie, err := req.Cookie("refreshToken"); err == nil {
		c.cookie = cookie.Value
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err == nil {
		c.status = resp.StatusCode
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, c)
	return resp, err
}

// to returns the calls below a path so far.
func (w *tap) to(prefix string) []call {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []call
	for _, c := range w.calls {
		if strings.HasPrefix(c.path, prefix) {
			found = append(found, c)
		}
	}
	return found
}

// responded counts the calls below a path that ended with status.
func (w *tap) responded(prefix string, status int) int {
	n := 0
	for _, c := range w.to(prefix) {
		if c.status == status {
			n++
		}
	}
	return n
}
