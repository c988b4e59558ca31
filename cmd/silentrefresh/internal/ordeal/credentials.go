package main

import (
	"path/filepath"
	"sync"

	"github.com/silentrefresh/silentrefresh/authtest"
)

// credentials: one login for all.
func credentials(st *stage) {
	const processes = 20
	l := st.login(filepath.Join(st.dir, "session"), authtest.Config{}, nil)
	defer l.server.Close()
	l.server.EndSessions()
	before := l.server.Counters()
	var all sync.WaitGroup
	for range processes {
		all.Go(func() {
			if r := finish(l.worker("credentials")); r.code != 0 {
				st.fail("a process: %s", r)
			}
		})
	}
	all.Wait()
	n := l.server.Counters()
	st.say("%d processes served by %d login, %d refreshes refused, %d reuses",
		processes, n.LoginCalls-before.LoginCalls, n.RefreshRefused-before.RefreshRefused, n.Reuses)
	st.want("logins", n.LoginCalls-before.LoginCalls, 1)
	st.want("reuses", n.Reuses, 0)
}
