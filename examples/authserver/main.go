// Authserver is an auth server and the API that it protects, to test clients in any language against: with tokens
// as short-lived as you like, one-use refresh tokens, and buttons for everything that goes wrong.
//
//	go run ./examples/authserver -listen 127.0.0.1:8080 -ttl 5s
//	curl -X POST 'http://127.0.0.1:8080/_test/down?for=5s'
//	curl http://127.0.0.1:8080/_test/counters
//
// Run it with -h for the flags; the documentation of authtest.Server lists endpoints and buttons.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/silentrefresh/silentrefresh/authtest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := authtest.Run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
