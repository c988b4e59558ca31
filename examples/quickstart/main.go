// Quickstart logs in once and lets 20 goroutines send requests for about 20 seconds, while everything happens that
// usually logs a client out: tokens that expire every five seconds, a revocation, an auth server that is down, one
// that is slow, a laptop that sleeps. It ends with the figures, and with status 1 if the application has seen any
// of it.
//
//	go run ./examples/quickstart
//	go run ./examples/quickstart -base https://api.example.com -email ada@example.com -password ...
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/authtest"
)

func main() {
	base := flag.String("base", "", "server to log in at; without it, one is started here")
	email := flag.String("email", authtest.DefaultEmail, "account to log in with")
	password := flag.String("password", authtest.DefaultPassword, "its password")
	path := flag.String("path", "/me", "what to GET from the server")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ok, err := run(ctx, *base, *path, map[string]string{"email": *email, "password": *password})
	if err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// run plays the whole show. It reports whether the application saw nothing of it.
func run(ctx context.Context, base, path string, credentials any) (bool, error) {
	timeline := newTimeline(os.Stdout)
	var server *authtest.Server // nil when the server is somebody else's
	if base == "" {
		var err error
		if server, err = authtest.Start(authtest.Config{AccessTTL: 5 * time.Second}); err != nil {
			return false, err
		}
		defer server.Close()
		base = server.URL()
	}
	client, err := silentrefresh.New(silentrefresh.Config{BaseURL: base, Observe: timeline.event})
	if err != nil {
		return false, err
	}
	defer client.Close()
	if err := client.Login(ctx, credentials); err != nil {
		return false, err
	}
	app := startApp(ctx, client.HTTPClient(), base+cmp.Or(path, "/"))
	if server != nil {
		play(ctx, timeline, server)
	} else {
		timeline.say("you", "sending requests to %s for 20 s", base)
		sleep(ctx, 20*time.Second)
	}
	app.stop()
	stats := client.Status().Stats
	timeline.say("you", "logging out")
	logoutErr := client.Logout(context.WithoutCancel(ctx))
	timeline.stop()
	app.report(os.Stdout, stats, server)
	return app.failed.Load() == 0 && app.unauthorized.Load() == 0 && logoutErr == nil, logoutErr
}

// play presses the server's buttons.
func play(ctx context.Context, t *timeline, server *authtest.Server) {
	delay := func(d time.Duration) { server.Change(func(cfg *authtest.Config) { cfg.RefreshDelay = d }) }
	for _, scene := range []struct {
		what string
		do   func()
		wait time.Duration
	}{
		{"20 goroutines send requests; tokens live for 5 s", func() {}, 6 * time.Second},
		{"all access tokens are revoked", server.RevokeAccess, 2 * time.Second},
		{"the auth server is down for 3 s", func() { server.DownFor(authtest.Unavailable, 3*time.Second) }, 6 * time.Second},
		{"refreshes take 2 s from now on", func() { delay(2 * time.Second) }, 4 * time.Second},
		{"the laptop sleeps for an hour", func() { delay(0); server.Sleep(time.Hour) }, 2 * time.Second},
	} {
		t.say("you", "%s", scene.what)
		scene.do()
		if !sleep(ctx, scene.wait) {
			return
		}
	}
}

// sleep reports false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
