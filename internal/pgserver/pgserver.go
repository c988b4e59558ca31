// Package pgserver starts a PostgreSQL of one's own, for tests and programs that show what happens when it dies.
package pgserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ErrMissing: PostgreSQL is not installed.
var ErrMissing = errors.New("there is no PostgreSQL; on Debian: apt-get install postgresql")

// A Server has a folder and a port of its own, on loopback, and lets everybody in.
type Server struct {
	bin  string
	dir  string
	port int
	cmd  *exec.Cmd
	log  bytes.Buffer
}

// New makes a database in a folder of its own. It starts nothing yet.
func New(ctx context.Context) (*Server, error) {
	bin, err := folder()
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin}
	if s.port, err = freePort(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "pgserver"); err != nil {
		return nil, err
	}
	if err := s.initialize(ctx); err != nil {
		os.RemoveAll(s.dir)
		return nil, err
	}
	return s, nil
}

// folder is where the newest PostgreSQL has its programs: Debian has a folder for each version, outside PATH.
func folder() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		path, err = filepath.EvalSymlinks(path) // the others need not be where the link is
		return filepath.Dir(path), err
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return "", ErrMissing
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		return n
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })), nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func (s *Server) initialize(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "initdb"), "--pgdata", filepath.Join(s.dir, "data"),
		"--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync")
	if err := unprivileged(cmd, s.dir); err != nil {
		return err
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// Start starts the server and waits until it responds.
func (s *Server) Start(ctx context.Context) error {
	s.log.Reset()
	s.cmd = exec.Command(filepath.Join(s.bin, "postgres"), "-D", filepath.Join(s.dir, "data"), "-p", strconv.Itoa(s.port),
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=200")
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := unprivileged(s.cmd, s.dir); err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	for range 400 {
		if exec.CommandContext(ctx, filepath.Join(s.bin, "pg_isready"), "-q", "-d", s.URL()).Run() == nil {
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	s.Kill()
	return fmt.Errorf("PostgreSQL does not respond; it said:\n%s", strings.TrimSpace(s.log.String()))
}

// Kill ends the server as a crash would: connections break, and nothing is written that was not. SIGQUIT, and not
// SIGKILL, because after that its processes may hinder the next start for a while.
func (s *Server) Kill() {
	if s.cmd != nil {
		if s.cmd.Process.Signal(syscall.SIGQUIT) != nil { // Windows has no such signal
			s.cmd.Process.Kill()
		}
		s.cmd.Wait()
		s.cmd = nil
	}
}

// Close ends the server and removes its folder.
func (s *Server) Close() {
	s.Kill()
	os.RemoveAll(s.dir)
}

// URL is how the server is reached, by a user who may do anything.
func (s *Server) URL() string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", s.port)
}
