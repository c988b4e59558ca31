package servers_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// A server is one of the folders beside this file. Its process prints {"port": 12345} when it is ready, serves until its
// input ends, and has POST /test/revoke?user=NAME, which ends a user's sessions by the server's own means.
type server struct {
	dir     string
	command []string // how to run it, in dir; nil: it is a Go module, and built
	needs   []string // a command that fails where it is not installed
	env     []string

	once sync.Once
	url  string
	err  error
}

// errMissing: the server is not installed.
var errMissing = errors.New("not installed")

// base starts the server, if nobody has, until parent ends, and returns its URL. It is Done when that is done.
func (s *server) base(t, parent *testing.T, starting *sync.WaitGroup) string {
	t.Helper()
	defer starting.Done()
	s.once.Do(func() { s.url, s.err = s.start(parent) })
	if errors.Is(s.err, errMissing) && !required() {
		t.Skip(s.err)
	}
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.url
}

// required reports whether the environment says that everything has to be there.
func required() bool {
	return os.Getenv("CI") == "true" || os.Getenv("SILENTREFRESH_REQUIRE_NODE") == "1"
}

func (s *server) start(t *testing.T) (string, error) {
	command, err := s.ready(t)
	if err != nil {
		return "", err
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), fmt.Sprintf("LIFE=%d", int(life.Seconds())), "DATA="+t.TempDir())
	cmd.Env = append(cmd.Env, s.env...)
	cmd.Stderr = t.Output()
	in, inErr := cmd.StdinPipe() // it ends with its input, also when this process is killed
	out, outErr := cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr, cmd.Start()); err != nil {
		return "", err
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	port, err := readPort(out, t.Output())
	if err != nil {
		return "", fmt.Errorf("the server in %s did not start: %w", s.dir, err)
	}
	return fmt.Sprintf("http://127.0.0.1:%d", port), nil
}

// readPort waits for the line that says where the server listens, and passes the others on, before and after it.
func readPort(out io.Reader, log io.Writer) (int, error) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var ready struct{ Port int }
		if json.Unmarshal(lines.Bytes(), &ready) == nil && ready.Port != 0 {
			go io.Copy(log, out)
			return ready.Port, nil
		}
		fmt.Fprintln(log, lines.Text())
	}
	return 0, errors.Join(lines.Err(), io.ErrUnexpectedEOF)
}

// ready returns the command that runs the server, once all that it needs is there.
func (s *server) ready(t *testing.T) ([]string, error) {
	missing := fmt.Errorf("%s is %w, see internal/servers/README.md", s.dir, errMissing)
	if s.command == nil {
		if !required() {
			return nil, missing // it takes minutes to compile
		}
		return build(s.dir, filepath.Join(t.TempDir(), s.dir))
	}
	needs := exec.Command(s.needs[0], s.needs[1:]...)
	needs.Dir = s.dir
	if needs.Run() != nil {
		return nil, missing
	}
	return s.command, nil
}

func build(dir, to string) ([]string, error) {
	cmd := exec.Command("go", "build", "-o", to, ".")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build in %s: %w\n%s", dir, err, out)
	}
	return []string{to}, nil
}

// revoke ends the sessions of an account at the server.
func revoke(t *testing.T, base string, a account) {
	t.Helper()
	resp, err := http.Post(base+"/test/revoke?user="+a.name, "", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(io.LimitReader(resp.Body, 1000)); resp.StatusCode/100 != 2 {
		t.Fatalf("/test/revoke returned %d %s", resp.StatusCode, strings.TrimSpace(string(body)))
	}
}
