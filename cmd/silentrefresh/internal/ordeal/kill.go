package main

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
)

// kill: with a grace period at the server nothing is lost, whenever a process is killed.
func kill(st *stage) {
	st.unixOnly()
	n := st.killing(pick(st, 120, 1000), authtest.Config{Grace: 10 * time.Second, RefreshDelay: 5 * time.Millisecond}, "refresh", "login", "logout")
	st.say("%d processes killed (%d refreshes, %d logins, %d logouts), %d of them with the response lost on the way",
		n.kills, n.of["refresh"], n.of["login"], n.of["logout"], n.grace)
	st.say("%d unreadable records, %d sessions lost, %d locks left behind", n.unreadable, n.lost, n.locked)
	st.want("sessions lost", n.lost, 0)
	st.want("unreadable records", n.unreadable, 0)
	st.want("locks left behind", n.locked, 0)
}

// killStrict: without one, a session is lost only if the kill came between the server's commit and our save, and
// then the next start says "interrupted".
func killStrict(st *stage) {
	st.unixOnly()
	n := st.killing(pick(st, 60, 500), authtest.Config{RefreshDelay: 5 * time.Millisecond}, "refresh")
	st.say("%d refreshes killed, %d of them after the server had spent the token; %d sessions lost; the next start called %d of these interrupted",
		n.kills, n.committed, n.lost, n.interrupted)
	st.want("lost sessions that were called interrupted", n.interrupted, n.lost)
	st.want("sessions lost though the server had not spent the token", n.lostUnspent, 0)
	st.want("unreadable records", n.unreadable, 0)
	st.want("locks left behind", n.locked, 0)
}

// tally is what came of the kills.
type tally struct {
	kills, lost, interrupted, lostUnspent, committed, unreadable, locked, grace int
	of                                                                          map[string]int
}

// killing kills that many processes, on a few sessions at a time.
func (st *stage) killing(kills int, c authtest.Config, kinds ...string) tally {
	const victims = 4
	sum := tally{of: map[string]int{}}
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range victims {
		all.Go(func() {
			st.act(func(*stage) {
				v := &victim{login: st.login(filepath.Join(st.dir, fmt.Sprint("session", i)), c, nil), usual: map[string]time.Duration{}, response: c.RefreshDelay}
				defer v.server.Close()
				v.n.of = map[string]int{}
				for v.n.kills < kills/victims {
					v.attempt(v.n.rarest(kinds))
				}
				v.n.grace = v.server.Counters().GraceUses
				mu.Lock()
				defer mu.Unlock()
				sum.add(v.n)
			})
		})
	}
	all.Wait()
	return sum
}

// rarest is the kind that was killed least often so far.
func (t *tally) rarest(kinds []string) string {
	return slices.MinFunc(kinds, func(a, b string) int { return t.of[a] - t.of[b] })
}

func (t *tally) add(o tally) {
	t.kills += o.kills
	t.lost += o.lost
	t.interrupted += o.interrupted
	t.lostUnspent += o.lostUnspent
	t.committed += o.committed
	t.unreadable += o.unreadable
	t.locked += o.locked
	t.grace += o.grace
	for kind, n := range o.of {
		t.of[kind] += n
	}
}

// A victim is a session whose processes are killed.
type victim struct {
	*login
	n        tally
	none     bool                     // logged out
	usual    map[string]time.Duration // how long each kind takes
	response time.Duration            // how long the server's response takes
}

// attempt kills one process and looks at what is left.
func (v *victim) attempt(kind string) {
	if v.none && kind != "login" {
		if r := v.run("login", "--base", v.server.URL(), "-d", account); r.code != 0 {
			v.st.fatal("login: %s", r)
		}
		v.none = false
	}
	if kind == "refresh" {
		v.server.RevokeAccess()
	}
	before := v.server.Counters()
	if !v.strike(kind) {
		return
	}
	v.n.kills++
	v.n.of[kind]++
	time.Sleep(5 * time.Millisecond) // a call of the dead process's may still be under way at the server
	spent := v.server.Counters().Refreshes > before.Refreshes
	if spent {
		v.n.committed++
	}
	v.judge(kind, v.run("request", "/me"), spent)
}

// strike starts a process and kills it at a random instant: of its whole life, or, for every other refresh, of the
// time around the server's response. It reports false if the process was faster.
func (v *victim) strike(kind string) bool {
	cmd := v.doing(kind)
	usual := v.usual[kind]
	if usual == 0 {
		usual = 50 * time.Millisecond
	}
	calls := v.server.Counters().RefreshCalls
	began := time.Now()
	if err := cmd.Start(); err != nil {
		v.st.fatal("%v", err)
	}
	death := time.AfterFunc(rand.N(usual+usual/4), func() { cmd.Process.Kill() })
	if kind == "refresh" && rand.IntN(2) == 0 {
		death.Stop()
		for v.server.Counters().RefreshCalls == calls && time.Since(began) < 10*usual {
			time.Sleep(time.Millisecond / 4)
		}
		death.Reset(rand.N(v.response * 3))
	}
	err := cmd.Wait()
	death.Stop()
	if cmd.ProcessState.ExitCode() >= 0 {
		v.usual[kind] = (3*usual + time.Since(began)) / 4
		v.none = kind == "logout" && err == nil || v.none && kind == "login" && err != nil
		return false
	}
	return true
}

func (v *victim) doing(kind string) *exec.Cmd {
	switch kind {
	case "login":
		return v.command("login", "--base", v.server.URL(), "-d", account)
	case "logout":
		return v.command("logout")
	}
	return v.command("request", "/me")
}

// judge looks at the first request after a kill. spent says that the server had given a new token before it.
func (v *victim) judge(kind string, r result, spent bool) {
	if r.took > 5*time.Second || strings.Contains(r.err, "waiting for another process") {
		v.n.locked++
	}
	switch {
	case r.served():
		v.none = false
		return
	case r.code != 3:
		v.n.unreadable++
		v.st.fail("after a killed %s: %s", kind, r)
	case kind == "refresh", kind == "login" && !v.none:
		v.n.lost++
		if strings.Contains(r.err, "interrupted") {
			v.n.interrupted++
		} else {
			v.st.fail("after a killed %s: %s", kind, r)
		}
		if !spent {
			v.n.lostUnspent++
		}
	}
	v.none = true
}
