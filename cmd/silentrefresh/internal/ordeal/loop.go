package main

import (
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
)

// loop: ten processes that live long, and ten that run the tool again and again.
func loop(st *stage) {
	const each = 10
	span := pick(st, 8*time.Second, time.Minute)
	l := st.login(filepath.Join(st.dir, "session"), authtest.Config{AccessTTL: time.Second}, nil)
	defer l.server.Close()
	var requests, failures atomic.Int64
	var all sync.WaitGroup
	until := time.Now().Add(span)
	for range each {
		all.Go(func() {
			for time.Now().Before(until) {
				requests.Add(1)
				if r := l.run("request", "/me"); !r.served() {
					failures.Add(1)
					st.fail("a request: %s", r)
				}
			}
		})
		all.Go(func() {
			r := finish(l.worker("loop", span.String()))
			requests.Add(int64(r.figure("requests")))
			failures.Add(int64(r.figure("failures")))
			if r.code != 0 {
				st.fail("a process: %s", r)
			}
		})
	}
	all.Wait()
	n := l.server.Counters()
	st.say("%d requests of %d processes in %s: %d failures, %d refreshes, %d at a time, %d reuses",
		requests.Load(), 2*each, span, failures.Load(), n.Refreshes, n.ConcurrentRefreshes, n.Reuses)
	st.want("reuses", n.Reuses, 0)
	st.want("refreshes at one time", n.ConcurrentRefreshes, 1)
}
