//go:build !windows

package main

import (
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/silentrefresh/silentrefresh/authtest"
)

func TestExec(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	b.env["WORD"] = "kept"
	b.env["SILENTREFRESH_SECRET"] = "hush"
	r := b.runWith("from outside\n", "exec", "--", "sh", "-c", `read line; echo "$line, $WORD, $SILENTREFRESH_SECRET, $1, $SILENTREFRESH_URL"; echo oops >&2; exit 7`, "sh", "-v")
	if !like(r.out, "from outside, kept, hush, -v, http://silentrefresh:hush@127.0.0.1:#\n") || r.err != "oops\n" || r.code != 7 {
		t.Errorf("%+v", r)
	}
	if s.Counters().API != 0 {
		t.Error("something was sent")
	}
}

// TestExecServes: the command's requests are logged in. The command is this tool again: others are not everywhere.
func TestExecServes(t *testing.T) {
	b, _ := loggedIn(t, authtest.Config{})
	self := b.command().Path
	got := b.ok("exec", "sh", "-c", `exec "$0" request "$SILENTREFRESH_URL/me"`, self)
	if !strings.Contains(got, authtest.DefaultEmail) {
		t.Errorf("responded %q", got)
	}
	b.env["SILENTREFRESH_SECRET"] = "h@sh/ %"
	const raw = `exec "$0" request "$SILENTREFRESH_URL/me"`
	if got := b.ok("exec", "sh", "-c", raw, self); !strings.Contains(got, authtest.DefaultEmail) {
		t.Errorf("with a secret: %q", got)
	}
}

func TestExecExitStatuses(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	b.ok("exec", "true")
	b.fails(128+15, nil, "exec", "sh", "-c", "kill -TERM $$")
	b.fails(exitNotFound, []string{"nosuchcommand was not started: executable file not found in $PATH\n"}, "exec", "nosuchcommand")
	b.fails(exitNotExecutable, []string{"was not started: permission denied\n"}, "exec", b.file("data", ""))
	b.fails(exitUsage, []string{"exec takes -- COMMAND..."}, "exec", "--")
	s.EndSessions()
	b.run("request", "/me")
	b.fails(exitLogin, []string{"touch was not started: the session is over", "silentrefresh login"}, "exec", "touch", b.dir+"/x")
}

// TestExecPassesSignalsOn, and ends as the command does.
func TestExecPassesSignalsOn(t *testing.T) {
	b, _ := loggedIn(t, authtest.Config{})
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGINT} {
		if signal.Ignored(s) { // under nohup
			continue
		}
		r := b.start("exec", "--", "sh", "-c", `trap "echo heard; exit 5" TERM HUP USR1 INT; echo ready; while :; do sleep 0.05; done`)
		r.line("ready")
		if err := r.cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		r.line("heard")
		r.cmd.Wait()
		if code := r.cmd.ProcessState.ExitCode(); code != 5 {
			t.Errorf("after %v: %d", s, code)
		}
	}
}
