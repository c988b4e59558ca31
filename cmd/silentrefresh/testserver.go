package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"strings"

	"github.com/silentrefresh/silentrefresh/authtest"
)

const testserverHelp = `It prints one line with its URL, an account and a password, and serves until it is interrupted. Its refresh tokens can
be used once. Buttons make things go wrong: in a browser at http://127.0.0.1:8080/_test/, and for programs, for instance:

  curl -X POST 'http://127.0.0.1:8080/_test/revoke'
  curl -X POST 'http://127.0.0.1:8080/_test/down?for=5s'
  curl 'http://127.0.0.1:8080/_test/counters'

More flags stand after "--"; "silentrefresh testserver -- -h" lists them.
`

// testserver runs the test kit's server.
func testserver(ctx context.Context, a *app) error {
	args := append([]string{"--listen", a.options.testListen, "--ttl", a.options.ttl.String()}, a.args...)
	err := authtest.Run(ctx, args, &announcer{a})
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "listen" {
		return usage("the test server cannot listen there: "+plain(op), "choose another address with --listen")
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		return a.failed("the test server did not run", err)
	}
	return nil
}

// An announcer passes on what the server says, and adds to its address how to log in there.
type announcer struct{ a *app }

// Write implements io.Writer.
func (w *announcer) Write(b []byte) (int, error) {
	n, err := w.a.out.Write(b)
	if address, ok := strings.CutPrefix(string(b), "ready "); ok {
		address, _, _ = strings.Cut(address, " ")
		fmt.Fprintf(w.a.err, "Next: silentrefresh login --base %s -d '{\"email\": %q, \"password\": %q}'\n",
			address, authtest.DefaultEmail, authtest.DefaultPassword)
	}
	return n, err
}
