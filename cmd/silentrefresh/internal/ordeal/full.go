//go:build !windows

package main

import (
	"os"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
)

// full: the process goes on with what it has in memory, says that it is not saved, and saves it when there is room.
func full(st *stage) {
	dir, unmount := st.mount("disk", "256k")
	defer unmount()
	l := st.login(dir, authtest.Config{RefreshDelay: time.Second}, nil)
	defer l.server.Close()
	p := l.proxy()
	defer p.end()
	l.server.RevokeAccess()
	filler := make(chan string, 1)
	go func() {
		for l.server.Counters().Refreshes == 0 {
			time.Sleep(time.Millisecond)
		}
		filler <- st.fill(dir) // the server has spent the token, and its response is on the way
	}()
	if status, text := p.get("/me"); status != 200 {
		st.fail("the request that refreshed: %d %s", status, text)
	}
	for range 5 {
		if status, text := p.get("/me"); status != 200 {
			st.fail("a request after it: %d %s", status, text)
		}
	}
	p.says("lives on in memory")
	os.Remove(<-filler)
	p.says("is saved now")
	p.end()
	if r := l.run("request", "/me"); !r.served() {
		st.fail("the next process: %s", r)
	}
	n := l.server.Counters()
	st.say("6 requests served while the disk was full; then saved, and the next process went on: %d refreshes, %d reuses", n.Refreshes, n.Reuses)
	st.want("reuses", n.Reuses, 0)
	st.want("refreshes", n.Refreshes, 1)
}
