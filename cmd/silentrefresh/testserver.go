package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"github.com/silentrefresh/silentrefresh/authtest"
)

const testserverHelp = `It prints one line with its URL, an account and a password, and serves until it is interrupted. Its refresh tokens can
be used once. Buttons make things go wrong, for instance:

  curl -X POST 'http://127.0.0.1:8080/_test/revoke'
  curl -X POST 'http://127.0.0.1:8080/_test/down?for=5s'
  curl 'http://127.0.0.1:8080/_test/counters'

More flags stand after "--"; "silentrefresh testserver -- -h" lists them.
`

// testserver runs the test kit's server.
func testserver(ctx context.Context, a *app) error {
	args := append([]string{"-listen", a.options.listen, "-ttl", a.options.ttl.String()}, a.args...)
	fmt.Fprintf(a.err, "Next: silentrefresh login -base http://%s -d '{\"email\": %q, \"password\": %q}'\n",
		a.options.listen, authtest.DefaultEmail, authtest.DefaultPassword)
	err := authtest.Run(ctx, args, a.out)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		return a.failed("the test server did not run", err)
	}
	return nil
}
