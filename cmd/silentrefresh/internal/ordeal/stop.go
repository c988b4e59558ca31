//go:build !windows

package main

import (
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
)

// stop: whoever has a valid token is served; the others wait as long as promised (an exchange's deadline and 5 s)
// and say what for; when the stopped process goes on, all is well.
func stop(st *stage) {
	const timeout, patience = 3 * time.Second, 8 * time.Second
	l := st.login(filepath.Join(st.dir, "session"), authtest.Config{AccessTTL: 5 * time.Second},
		map[string]any{"timeout": timeout.String(), "max_wait": "1s"})
	defer l.server.Close()
	l.server.Fault(authtest.Fault{Kind: authtest.Hang})
	holder := l.worker("renew")
	if err := holder.Start(); err != nil {
		st.fatal("%v", err)
	}
	for l.server.Counters().Hanging == 0 {
		time.Sleep(time.Millisecond)
	}
	holder.Process.Signal(syscall.SIGSTOP)
	r := l.run("request", "/me")
	st.say("a valid token while the refreshing process is stopped: served in %s", r.took.Round(time.Millisecond))
	if !r.served() || r.took > time.Second {
		st.fail("with a valid token: %s, after %s", r, r.took)
	}
	time.Sleep(5 * time.Second)
	r = l.run("request", "/me")
	st.say("without one: waited %s, and said: %s", r.took.Round(100*time.Millisecond), strings.ReplaceAll(strings.TrimSpace(r.err), "\n", "\n    "))
	if r.code != 75 || !strings.Contains(r.err, "waiting for another process") || !strings.Contains(r.err, "do:  try again when") || r.took < patience || r.took > patience+7*time.Second {
		st.fail("without a valid token: %s, after %s", r, r.took)
	}
	holder.Process.Signal(syscall.SIGCONT)
	holder.Wait() // it gave up: its deadline has passed
	l.server.Release()
	if r = l.run("request", "/me"); !r.served() {
		st.fail("after the stopped process went on: %s", r)
	}
	n := l.server.Counters()
	st.say("and after it went on: served, %d reuses", n.Reuses)
	st.want("reuses", n.Reuses, 0)
}
