package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/authtest"
)

// A stage has an auth server, an engine and replicas, and hears what the replicas report.
type stage struct {
	options
	kind    kind
	scene   string
	figures *figures
	ctx     context.Context
	out     io.Writer
	dir     string
	engine  engine
	auth    *authtest.Server

	stopsSaving bool // whether replicas do

	procs  []*exec.Cmd
	ends   sync.WaitGroup
	broken bool

	mu      sync.Mutex
	reports []report
	news    chan struct{} // closed at the next report
}

func newStage(ctx context.Context, out io.Writer, o options, k kind) (*stage, error) {
	s := &stage{options: o, kind: k, ctx: ctx, out: out, news: make(chan struct{})}
	var err error
	if s.dir, err = os.MkdirTemp("", "fleet"); err != nil {
		return nil, err
	}
	if s.engine, err = k.create(ctx, s.dir); err != nil {
		os.RemoveAll(s.dir)
		return nil, err
	}
	return s, nil
}

func (s *stage) close() {
	for _, p := range s.procs {
		p.Process.Signal(syscall.SIGKILL)
	}
	s.ends.Wait()
	s.engine.close()
	if s.auth != nil {
		s.auth.Close()
	}
	os.RemoveAll(s.dir)
}

// begin starts the servers, logs in and starts the replicas. It returns when each has served a request.
func (s *stage) begin(c authtest.Config, credentials bool) (err error) {
	if s.auth, err = authtest.Start(c); err != nil {
		return err
	}
	if err := s.engine.start(s.ctx); err != nil {
		return err
	}
	if err := s.login(); err != nil {
		return err
	}
	for i := range s.replicas {
		r := role{Number: i, Server: s.auth.URL(), Engine: s.kind.name, Address: s.engine.address(), Credentials: credentials, StopsSaving: s.stopsSaving, Every: every}
		if err := s.launch(r); err != nil {
			return err
		}
	}
	_, err = s.await("every replica to serve", time.Minute, s.replicas, func(r report) bool { return r.Kind == kindServed })
	return err
}

// open returns a store on the engine.
func (s *stage) open() (store, error) { return s.kind.open(s.engine.address(), func() {}) }

// login logs in once, as a person would on some other machine.
func (s *stage) login() error {
	store, err := s.open()
	if err != nil {
		return err
	}
	defer store.Close()
	c, err := silentrefresh.New(silentrefresh.Config{BaseURL: s.auth.URL(), Store: store})
	if err != nil {
		return err
	}
	if err := c.Login(s.ctx, credentials()); err != nil {
		return err
	}
	return c.Close()
}

func (s *stage) launch(r role) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), replicaEnv+"="+string(text), "GOMAXPROCS=2")
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.procs = append(s.procs, cmd)
	s.ends.Go(func() {
		s.listen(pipe)
		cmd.Wait()
	})
	return nil
}

func (s *stage) listen(pipe io.Reader) {
	for lines := bufio.NewScanner(pipe); lines.Scan(); {
		var r report
		if json.Unmarshal(lines.Bytes(), &r) != nil {
			r = report{Kind: kindFailed, Err: "unreadable report: " + lines.Text()}
		}
		s.mu.Lock()
		s.reports = append(s.reports, r)
		close(s.news)
		s.news = make(chan struct{})
		s.mu.Unlock()
	}
}

// heard returns the reports since mark that are wanted, one a replica, and what to wait for to hear more.
func (s *stage) heard(mark int, wanted func(report) bool) ([]report, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []report
	seen := map[int]bool{}
	for _, r := range s.reports[mark:] {
		if wanted(r) && !seen[r.Replica] {
			seen[r.Replica] = true
			found = append(found, r)
		}
	}
	return found, s.news
}

// mark is where the reports to come begin.
func (s *stage) mark() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.reports)
}

// await waits until n replicas have reported what is wanted, at any time.
func (s *stage) await(what string, patience time.Duration, n int, wanted func(report) bool) ([]report, error) {
	return s.awaitSince(0, what, patience, n, wanted)
}

// awaitSince is await for what was reported after mark.
func (s *stage) awaitSince(mark int, what string, patience time.Duration, n int, wanted func(report) bool) ([]report, error) {
	late := time.After(patience)
	for {
		found, news := s.heard(mark, wanted)
		if len(found) >= n {
			return found, nil
		}
		select {
		case <-news:
		case <-late:
			return nil, fmt.Errorf("waited %v for %s: only %d of %d replicas have reported it", patience, what, len(found), n)
		case <-s.ctx.Done():
			return nil, context.Cause(s.ctx)
		}
	}
}

// until waits for something of the auth server's.
func (s *stage) until(what string, done func(authtest.Counters) bool) error {
	for range 1000 {
		if done(s.auth.Counters()) {
			return nil
		}
		if err := sleep(s.ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("waited 10 s for %s", what)
}

// finish ends the replicas that live, and counts their requests.
func (s *stage) finish(alive int) (requests, failed int, err error) {
	for _, p := range s.procs {
		p.Process.Signal(syscall.SIGTERM)
	}
	ends, err := s.await("the replicas to end", time.Minute, alive, func(r report) bool { return r.Kind == kindEnd })
	for _, r := range ends {
		requests += r.Requests
		failed += r.Failed
	}
	return requests, failed, err
}

// say prints a line.
func (s *stage) say(format string, args ...any) { fmt.Fprintf(s.out, "  "+format+"\n", args...) }

// measure notes a figure.
func (s *stage) measure(what, format string, args ...any) {
	s.figures.note(s.scene+": "+what, s.kind.name, fmt.Sprintf(format, args...))
}

// check prints a promise and whether it was kept.
func (s *stage) check(kept bool, format string, args ...any) {
	word := "kept"
	if !kept {
		word, s.broken = "BROKEN", true
	}
	s.say("%-6s  %s", word, fmt.Sprintf(format, args...))
}
