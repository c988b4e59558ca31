package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
	"github.com/silentrefresh/silentrefresh/filestore"
	"github.com/silentrefresh/silentrefresh/seal"
)

// A stage is where one show takes place.
type stage struct {
	name, tool, dir string
	short           bool

	mu       sync.Mutex
	failures int
	skipped  bool
}

// over ends a show early.
type over struct{}

// act runs f, which may end early.
func (st *stage) act(f func(*stage)) {
	defer func() {
		if p := recover(); p != nil {
			if _, early := p.(over); !early {
				panic(p)
			}
		}
	}()
	if err := os.MkdirAll(st.dir, 0o700); err != nil {
		st.fatal("%v", err)
	}
	f(st)
}

// say prints a figure.
func (st *stage) say(format string, args ...any) { fmt.Printf("  "+format+"\n", args...) }

// fail says what was not as promised.
func (st *stage) fail(format string, args ...any) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.failures++; st.failures <= 10 {
		fmt.Printf("  NOT AS PROMISED: "+format+"\n", args...)
	}
}

// fatal is fail, and ends the show.
func (st *stage) fatal(format string, args ...any) {
	st.fail(format, args...)
	panic(over{})
}

// skip ends the show because it cannot be run here.
func (st *stage) skip(format string, args ...any) {
	st.say("skipped: "+format, args...)
	st.skipped = true
	panic(over{})
}

// want fails unless got is want.
func (st *stage) want(what string, got, want int) {
	if got != want {
		st.fail("%s: %d, want %d", what, got, want)
	}
}

// pick is long, or short where the time is.
func pick[T any](st *stage, short, long T) T {
	if st.short {
		return short
	}
	return long
}

// A login is a session of the tool at a server.
type login struct {
	st     *stage
	server *authtest.Server
	dir    string // of the tool's
	key    string // that encrypts the session: not one of this machine's keychain
}

// login starts a server and logs in to it. settings are more of the config file's.
func (st *stage) login(dir string, c authtest.Config, settings map[string]any) *login {
	server, err := authtest.Start(c)
	if err != nil {
		st.fatal("%v", err)
	}
	l := &login{st: st, server: server, dir: dir, key: seal.FormatKey(seal.NewKey())}
	l.logIn(settings)
	return l
}

// logIn logs in once more.
func (l *login) logIn(settings map[string]any) {
	all := map[string]any{"base_url": l.server.URL()}
	for name, v := range settings {
		all[name] = v
	}
	document, err := json.Marshal(all)
	if err != nil {
		l.st.fatal("%v", err)
	}
	file := filepath.Join(l.st.dir, filepath.Base(l.dir)+".config.json")
	if err := os.WriteFile(file, document, 0o600); err != nil {
		l.st.fatal("%v", err)
	}
	if r := l.run("login", "--config", file, "-d", account); r.code != 0 {
		l.st.fatal("login: %s", r)
	}
}

// account is what the server knows.
var account = fmt.Sprintf(`{"email": %q, "password": %q}`, authtest.DefaultEmail, authtest.DefaultPassword)

// command is the tool on the session.
func (l *login) command(args ...string) *exec.Cmd {
	cmd := exec.Command(l.st.tool, args...)
	cmd.Env = append(os.Environ(), "SILENTREFRESH_DIR="+l.dir, filestore.EnvKey+"="+l.key)
	return cmd
}

// run runs the tool to its end.
func (l *login) run(args ...string) result { return finish(l.command(args...)) }

// A result is how a process ended.
type result struct {
	code     int // -1: by a signal
	out, err string
	took     time.Duration
}

func (r result) String() string {
	return strings.TrimSpace(fmt.Sprintf("exit status %d: %s %s", r.code, r.out, r.err))
}

// finish runs cmd to its end.
func finish(cmd *exec.Cmd) result {
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	began := time.Now()
	err := cmd.Run()
	r := result{out: out.String(), err: stderr.String(), took: time.Since(began)}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		r.code = exit.ExitCode()
	} else if err != nil {
		r.code, r.err = -2, err.Error()
	}
	return r
}

// served reports whether r is the response to a request for /me.
func (r result) served() bool { return r.code == 0 && strings.Contains(r.out, authtest.DefaultEmail) }

// file is the one file of the session's with that ending.
func (l *login) file(ending string) string {
	found, err := filepath.Glob(filepath.Join(l.dir, "*", "*"+ending))
	if err != nil || len(found) != 1 {
		l.st.fatal("files with the ending %s: %v, %v", ending, found, err)
	}
	return found[0]
}

// unixOnly skips where there are no signals and mounts.
func (st *stage) unixOnly() {
	if runtime.GOOS == "windows" {
		st.skip("there is no such signal on Windows")
	}
}
