package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/authtest"
)

// app is an application that knows nothing of tokens: 20 goroutines, an http.Client.
type app struct {
	client *http.Client
	url    string
	cancel context.CancelFunc
	wg     sync.WaitGroup

	requests, failed, unauthorized atomic.Int64
}

func startApp(ctx context.Context, client *http.Client, url string) *app {
	ctx, cancel := context.WithCancel(ctx)
	a := &app{client: client, url: url, cancel: cancel}
	for range 20 {
		a.wg.Go(func() {
			for ctx.Err() == nil {
				a.get()
				sleep(ctx, 50*time.Millisecond)
			}
		})
	}
	return a
}

// get sends one request. It does not end with the app: every request that was begun counts.
func (a *app) get() {
	a.requests.Add(1)
	resp, err := a.client.Get(a.url)
	if err != nil {
		a.failed.Add(1)
		return
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	switch {
	case resp.StatusCode == http.StatusUnauthorized:
		a.unauthorized.Add(1)
	case resp.StatusCode >= 400:
		a.failed.Add(1)
	}
}

func (a *app) stop() {
	a.cancel()
	a.wg.Wait()
}

// report prints what the application saw, what the transport did about it, and what the server counted.
func (a *app) report(w io.Writer, stats silentrefresh.Stats, server *authtest.Server) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name string, value any, note string) { fmt.Fprintf(t, "  %s\t%v\t%s\n", name, value, note) }
	fmt.Fprintln(t)
	row("requests", a.requests.Load(), "of the application")
	row("failed", a.failed.Load(), "")
	row("401s it saw", a.unauthorized.Load(), "")
	row("refreshes", stats.Refreshes, "that gave a new token")
	row("refreshes failed", stats.Failures, "")
	row("replays", stats.Replays, "requests sent again with a newer token")
	row("waited", stats.Waited, "requests that had to wait for a token")
	row("longest wait", stats.LongestWait.Round(time.Millisecond), "")
	if server != nil {
		n := server.Counters()
		row("server: API", n.API, "requests that arrived")
		row("server: rejected", n.APIUnauthorized, "for their token")
		row("server: refreshes", n.Refreshes, fmt.Sprintf("of %d calls, at most %d at a time, %d spent tokens reused", n.RefreshCalls, n.ConcurrentRefreshes, n.Reuses))
	}
	t.Flush()
}
