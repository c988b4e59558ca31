// Package browser_test records a real browser and lets the tool learn from that: see record.mjs and page.html.
package browser_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
)

var update = flag.Bool("update", false, "keep the recordings in endpoint/discover/testdata")

const discoverData = "../../endpoint/discover/testdata"

// missing skips the test, unless the environment says that everything has to be there.
func missing(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" || os.Getenv("SILENTREFRESH_REQUIRE_NODE") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// browser returns the command that records, or skips the test.
func browser(t *testing.T) (chromium string) {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser takes some seconds to start; leave -short out")
	}
	if _, err := exec.LookPath("node"); err != nil {
		missing(t, "node is not installed")
	}
	chromium = os.Getenv("CHROMIUM")
	if chromium == "" {
		found, err := exec.LookPath("chromium")
		if err != nil {
			missing(t, "chromium is not installed, and CHROMIUM does not say where another one is")
		}
		chromium = found
	}
	for _, dir := range []string{".", "../express"} {
		if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
			missing(t, "node_modules is missing: run npm ci in internal/browser and internal/express")
		}
	}
	return chromium
}

// record returns what the browser exported of a visit.
func record(t *testing.T, name, url, email, password string, more ...string) string {
	t.Helper()
	return recordWith(t, "record.mjs", name, url, email, password, more...)
}

// recordWith is record with another visit.
func recordWith(t *testing.T, visit, name, url, email, password string, more ...string) string {
	t.Helper()
	chromium := browser(t)
	file := filepath.Join(t.TempDir(), "recording.har")
	cmd := exec.CommandContext(t.Context(), "node", append([]string{visit, url, file, email, password}, more...)...)
	cmd.Env = append(os.Environ(), "CHROMIUM="+chromium)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if *update {
		document, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(filepath.Join(discoverData, name+".har"), document, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return file
}

// A tool is the built program with a folder of its own.
type tool struct {
	t        *testing.T
	bin, dir string
}

func newTool(t *testing.T) *tool {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "silentrefresh")
	if out, err := exec.Command("go", "build", "-C", "../../cmd/silentrefresh", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return &tool{t, bin, t.TempDir()}
}

// ok runs the tool, which has to succeed.
func (c *tool) ok(args ...string) string {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), c.bin, args...)
	cmd.Env = append(os.Environ(), "SILENTREFRESH_DIR="+c.dir, "HOME="+c.dir, "DBUS_SESSION_BUS_ADDRESS=")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		c.t.Fatalf("%s: %v\n%s", args, err, &out)
	}
	return out.String()
}

// learns lets the tool learn from the recording, log in, outlive three access tokens of a second, and log out.
func (c *tool) learns(recording, path, email, password string) {
	c.t.Helper()
	c.learnsFor(map[string]string{"email": email, "password": password}, recording, path)
}

// learnsFor is learns with the fields of the login.
func (c *tool) learnsFor(credentials map[string]string, recording, path string) {
	c.t.Helper()
	config := filepath.Join(c.t.TempDir(), "config.json")
	said := c.ok("learn", "-o", config, recording)
	settings, err := os.ReadFile(config)
	if err != nil {
		c.t.Fatal(err)
	}
	if strings.Contains(said+string(settings), credentials["password"]) {
		c.t.Error("the password got out")
	}
	c.t.Logf("%s%s", said, settings)
	document, _ := json.Marshal(credentials)
	c.ok("login", "--config", config, "-d", string(document))
	for range 3 {
		c.ok("request", path)
		time.Sleep(1100 * time.Millisecond)
	}
	c.ok("request", path)
	c.ok("logout")
}

// serve starts the server in a folder, until the test ends, and returns its URL.
func serve(t *testing.T, dir string, env ...string) string {
	t.Helper()
	browser(t)
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		missing(t, "node_modules is missing: run npm ci in "+dir)
	}
	cmd := exec.Command("node", "server.js")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	in, inErr := cmd.StdinPipe() // some serve until it ends
	out, outErr := cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Process.Kill(); cmd.Wait() })
	var ready struct{ Port int }
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil || json.Unmarshal(line, &ready) != nil {
		t.Fatalf("the server said %q: %v", line, err)
	}
	return fmt.Sprintf("http://127.0.0.1:%d", ready.Port)
}

// TestNest: the same page on a NestJS application, which has a refresh cookie and rotates what is in it.
func TestNest(t *testing.T) {
	t.Parallel()
	base := serve(t, "../servers/nest", "MODE=cookie", "LIFE=1")
	recording := record(t, "nest", base+"/?api=/me", "ada@example.com", "analytical engine", "page.html")
	newTool(t).learns(recording, "/me", "ada@example.com", "analytical engine")
}

// TestExpressSession: pages behind a form with a token against forgery, and a session that lives on by use.
func TestExpressSession(t *testing.T) {
	t.Parallel()
	base := serve(t, "../servers/expresssession", "CSRF=csurf", "LIFE=3")
	recording := recordWith(t, "recordform.mjs", "expresssession", base, "ada", "analytical engine", "/me")
	newTool(t).learnsFor(map[string]string{"username": "ada", "password": "analytical engine"}, recording, "/me")
}

// TestExpress: a page on a real Express server.
func TestExpress(t *testing.T) {
	t.Parallel()
	base := serve(t, "../express", "PORT=0", "ACCESS_TTL=1")
	recording := record(t, "express", base+"/", "ada@example.com", "analytical")
	newTool(t).learns(recording, "/api/me", "ada@example.com", "analytical")
}

// TestKit: the same page on servers of the test kit.
func TestKit(t *testing.T) {
	for _, k := range []struct {
		name, query string
		config      authtest.Config
	}{
		{"kit", "", authtest.Config{}},
		{"kit-field", "&refreshField=refreshToken", authtest.Config{RefreshIn: authtest.InJSON, Opaque: true}},
		{"kit-cookie", "&cookie=1&csrf=csrf_token", authtest.Config{TokenIn: authtest.InCookie, CSRF: true}},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			k.config.AccessTTL = time.Second
			s := authtest.NewServer(t, k.config)
			recording := record(t, k.name, s.URL()+"/?api=/me"+k.query, authtest.DefaultEmail, authtest.DefaultPassword, "page.html")
			before := s.Counters()
			newTool(t).learns(recording, "/me", authtest.DefaultEmail, authtest.DefaultPassword)
			if n := s.Counters(); n.Reuses != 0 || n.RefreshRefused != before.RefreshRefused || n.Refreshes < before.Refreshes+3 {
				t.Errorf("%+v", n)
			}
		})
	}
}
