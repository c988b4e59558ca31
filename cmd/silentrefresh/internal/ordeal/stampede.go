package main

import (
	"path/filepath"
	"sync"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
)

const crowd = 100

// stampede: one refresh for all.
func stampede(st *stage) {
	n := st.stampede(nil)
	st.want("refreshes", n.Refreshes, 1)
}

// stampedeInMemory: each process needs a token of its own, and gets it in turn.
func stampedeInMemory(st *stage) {
	n := st.stampede(map[string]any{"memory_only": true})
	if n.Refreshes > crowd {
		st.fail("%d refreshes for %d processes", n.Refreshes, crowd)
	}
}

func (st *stage) stampede(settings map[string]any) authtest.Counters {
	l := st.login(filepath.Join(st.dir, "session"), authtest.Config{RefreshDelay: 20 * time.Millisecond}, settings)
	defer l.server.Close()
	l.server.RevokeAccess()
	results := make([]result, crowd)
	var all sync.WaitGroup
	for i := range results {
		all.Go(func() { results[i] = l.run("request", "/me") })
	}
	all.Wait()
	served := 0
	for _, r := range results {
		if r.served() {
			served++
		} else {
			st.fail("a request: %s", r)
		}
	}
	n := l.server.Counters()
	st.say("%d of %d requests served, %d refreshes, %d at a time, %d reuses", served, crowd, n.Refreshes, n.ConcurrentRefreshes, n.Reuses)
	st.want("reuses", n.Reuses, 0)
	st.want("refreshes at one time", n.ConcurrentRefreshes, 1)
	return n
}
