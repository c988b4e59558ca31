package browser_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
)

// found is what pages.mjs has found at a page.
type found struct {
	Complaints []string // of the browser: a policy that was violated, for instance
	Requests   []string // to other origins
	Fits       []bool   // in a light, a dark and a narrow browser
	Schemes    int      // different backgrounds among them

	Pill, Results  string
	Marks, Circles int
	Through, Other map[string]any // what scripts got: a status, or that the browser blocked it
	Stayed         string
	After          map[string]any
	URL, Said      string
	Outage         string
	Log            int
}

// use uses the page of a kind at a URL.
func use(t *testing.T, kind, url string) found {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", "pages.mjs", kind, url)
	cmd.Env = append(os.Environ(), "CHROMIUM="+browser(t))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	var f found
	if err := json.Unmarshal(out, &f); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if len(f.Complaints)+len(f.Requests) != 0 || f.Schemes != 2 || len(f.Fits) != 3 || !f.Fits[0] || !f.Fits[1] || !f.Fits[2] {
		t.Errorf("complaints %q, requests to others %q, %d backgrounds, fits %v", f.Complaints, f.Requests, f.Schemes, f.Fits)
	}
	return f
}

// starts starts the tool and returns the address that its first line begins with.
func (c *tool) starts(args ...string) string {
	c.t.Helper()
	cmd := exec.Command(c.bin, args...)
	cmd.Env = append(os.Environ(), "SILENTREFRESH_DIR="+c.dir, "HOME="+c.dir, "DBUS_SESSION_BUS_ADDRESS=")
	out, err := cmd.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		c.t.Fatal(err)
	}
	address, _, _ := strings.Cut(strings.TrimPrefix(line, "ready "), " ")
	return address
}

// TestProxyPage: a person sees the session and ends it; pages that came through the proxy, and those of others, can
// neither read what it shows nor press its button.
func TestProxyPage(t *testing.T) {
	browser(t)
	t.Parallel()
	s := authtest.NewServer(t, authtest.Config{AccessTTL: time.Minute})
	c := newTool(t)
	credentials, err := json.Marshal(map[string]string{"email": authtest.DefaultEmail, "password": authtest.DefaultPassword})
	if err != nil {
		t.Fatal(err)
	}
	c.ok("login", "--base", s.URL(), "-d", string(credentials))
	address := c.starts("proxy", "--listen", "127.0.0.1:0")
	for range 3 {
		resp, err := http.Get(address + "/me")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	f := use(t, "proxy", address)
	if f.Pill != "logged in as "+authtest.DefaultEmail || f.Marks < 1 || f.Circles < 1 || !strings.Contains(f.Results, "3 × 2xx") {
		t.Errorf("the page shows %+v", f)
	}
	for what, got := range f.Through {
		if got != 403.0 && got != "blocked" && got != "empty" {
			t.Errorf("a page that came through the proxy: %s %v", what, got)
		}
	}
	for what, got := range f.Other {
		if got != "blocked" && got != 0.0 { // 0 is the status of a response that a script may not see
			t.Errorf("a page of another origin: %s %v", what, got)
		}
	}
	if len(f.Through) != 5 || len(f.Other) != 2 || f.Stayed != "logged in" {
		t.Errorf("%+v", f)
	}
	if f.After["pill"] != "not logged in" || f.After["do"] != "silentrefresh login --base "+s.URL() || f.After["open"] != 0.0 || s.Counters().Logouts != 1 {
		t.Errorf("after the logout: %v, %+v", f.After, s.Counters())
	}
}

// TestTestserverPage: its buttons do what they say.
func TestTestserverPage(t *testing.T) {
	browser(t)
	t.Parallel()
	c := newTool(t)
	address := c.starts("testserver", "--listen", "127.0.0.1:0", "--ttl", "1m")
	f := use(t, "testserver", address)
	if f.URL != address || !strings.HasPrefix(f.Outage, "unavailable, back in ") || f.Said != "Done: Go away, unavailable, 50s." || f.Log < 5 {
		t.Errorf("%+v", f)
	}
}
