package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/process"
	"github.com/silentrefresh/silentrefresh/filestore"
	"github.com/silentrefresh/silentrefresh/seal"
)

// asTool makes the test binary the tool: every test runs it as a process of its own.
const asTool = "TEST_AS_TOOL"

func TestMain(m *testing.M) {
	if os.Getenv(asTool) != "" {
		main()
	}
	os.Exit(m.Run())
}

const credentials = `{"email": "` + authtest.DefaultEmail + `", "password": "` + authtest.DefaultPassword + `"}`

// A box is a folder of the tool's, and the environment that it runs in: nothing of this machine's.
type box struct {
	t   *testing.T
	dir string
	env map[string]string
}

// newBox is for tests that wait for processes most of the time: they run side by side.
func newBox(t *testing.T) *box {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "silentrefresh")
	return &box{t: t, dir: dir, env: map[string]string{
		asTool: "1", "GORACE": "atexit_sleep_ms=0", "HOME": t.TempDir(), "SILENTREFRESH_DIR": dir, filestore.EnvKey: seal.FormatKey(seal.NewKey()),
	}}
}

// newBoxBeside is one with another folder, for the same test.
func newBoxBeside(b *box) *box {
	other := &box{t: b.t, dir: filepath.Join(b.t.TempDir(), "silentrefresh"), env: maps.Clone(b.env)}
	other.env["SILENTREFRESH_DIR"] = other.dir
	return other
}

// loggedIn is a box with a session at a server of that kind.
func loggedIn(t *testing.T, c authtest.Config) (*box, *authtest.Server) {
	t.Helper()
	s := authtest.NewServer(t, c)
	b := newBox(t)
	b.ok("login", "--base", s.URL(), "-d", credentials)
	return b, s
}

func (b *box) command(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "SILENTREFRESH_") && !strings.HasPrefix(v, "DBUS_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.env)) {
		cmd.Env = append(cmd.Env, name+"="+b.env[name])
	}
	return cmd
}

// ended is how the tool ended.
type ended struct {
	code     int
	out, err string
}

// run runs the tool; input is its standard input.
func (b *box) runWith(input string, args ...string) ended {
	b.t.Helper()
	cmd := b.command(args...)
	var out, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &stderr
	err := cmd.Run()
	if _, ran := errors.AsType[*exec.ExitError](err); err != nil && !ran {
		b.t.Fatal(err)
	}
	return ended{shellStatus(cmd.ProcessState), out.String(), stderr.String()}
}

func (b *box) run(args ...string) ended {
	b.t.Helper()
	return b.runWith("", args...)
}

// ok runs the tool, which has to succeed, and returns what it printed.
func (b *box) ok(args ...string) string {
	b.t.Helper()
	r := b.run(args...)
	if r.code != 0 {
		b.t.Fatalf("%s: exit status %d\n%s%s", args, r.code, r.out, r.err)
	}
	return r.out
}

// fails runs the tool, which has to fail with that status and say each of words.
func (b *box) fails(code int, words []string, args ...string) ended {
	b.t.Helper()
	r := b.run(args...)
	if r.code != code {
		b.t.Errorf("%s: exit status %d, want %d\n%s%s", args, r.code, code, r.out, r.err)
	}
	for _, w := range words {
		if !strings.Contains(r.err, w) {
			b.t.Errorf("%s: want %q in the error:\n%s", args, w, r.err)
		}
	}
	return r
}

// config writes a config file for s with these settings beside base_url.
func (b *box) config(s *authtest.Server, settings map[string]any) string {
	b.t.Helper()
	all := map[string]any{"base_url": s.URL()}
	maps.Copy(all, settings)
	document, err := json.Marshal(all)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.file("config.json", string(document))
}

func (b *box) file(name, text string) string {
	b.t.Helper()
	path := filepath.Join(b.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
	return path
}

// A running is a tool that runs until it is told to end.
type running struct {
	b     *box
	cmd   *exec.Cmd
	lines chan string // of its standard output
	err   *bytes.Buffer
}

func (b *box) start(args ...string) *running {
	b.t.Helper()
	return b.startCommand(b.command(args...))
}

func (b *box) startCommand(cmd *exec.Cmd) *running {
	b.t.Helper()
	r := &running{b: b, cmd: cmd, lines: make(chan string, 1000), err: &bytes.Buffer{}}
	r.cmd.Stderr = r.err
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { r.cmd.Process.Kill() })
	go r.read(out)
	return r
}

func (r *running) read(out io.Reader) {
	for s := bufio.NewScanner(out); s.Scan(); {
		r.lines <- s.Text()
	}
	close(r.lines)
}

// line waits for a line with these words.
func (r *running) line(words string) string {
	r.b.t.Helper()
	var seen []string
	for late := time.After(30 * time.Second); ; {
		select {
		case l, ok := <-r.lines:
			if !ok {
				r.b.t.Fatalf("no line with %q but\n%s", words, strings.Join(seen, "\n"))
			}
			if strings.Contains(l, words) {
				return l
			}
			seen = append(seen, l)
		case <-late:
			r.b.t.Fatalf("no line with %q in 30 s but\n%s", words, strings.Join(seen, "\n"))
		}
	}
}

// terminated is the exit status of what SIGTERM has killed, as shells have it.
const terminated = 128 + 15

// stop ends it as a service manager does, and returns its exit status.
func (r *running) stop() int {
	r.b.t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		r.b.t.Error(err)
	}
	for range r.lines { // Wait closes the pipe: all has to be read before
	}
	r.cmd.Wait()
	return shellStatus(r.cmd.ProcessState)
}

// forward passes requests on to the server at url.
func forward(to string) http.Handler {
	u, err := url.Parse(to)
	if err != nil {
		panic(err)
	}
	return httputil.NewSingleHostReverseProxy(u)
}

// shellStatus is a process's exit status as shells have it.
func shellStatus(p *os.ProcessState) int {
	code, _ := process.EndOf(p)
	return code
}
