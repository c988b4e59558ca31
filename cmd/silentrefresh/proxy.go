package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/silentrefresh/silentrefresh"
)

const proxyHelp = `Requests to it go to the base URL, with the session's token. Streams, server-sent events and WebSockets pass. Once the
session is over it returns 401 with the header "Silentrefresh-Error: session_over", until somebody logs in again.

Any program of this machine that can reach the port uses the session. With a secret, each request has to show it, in
the header Silentrefresh-Secret or as the password of http://any:SECRET@127.0.0.1:8090. Beyond loopback a secret is
required, and only the header will do: a browser sends a password by itself with what pages of other sites ask for.
Web pages of other origins are refused in any case. The name localhost is listened on at 127.0.0.1 and at ::1.

A response to a request that waited for a newer token says how long in the header Silentrefresh-Waited.

At /_silentrefresh/ is a page for people of this machine: how the session stands, what has happened to it, how many requests
there are, and a button that logs out.

A client that has to send some token, an MCP client for instance, sends a dummy, and --replace-authorization puts the
session's in its place. To other requests that bring an Authorization of their own nothing is added.
`

// proxy serves until it is interrupted.
func proxy(ctx context.Context, a *app) (err error) {
	h, p := &herald{app: a}, a.newPanel()
	c, v, err := a.session(p.observing(h.observe))
	if err != nil {
		return err
	}
	defer a.closing(c, &err)
	p.client.Store(c)
	l, err := a.listen(ctx, a.options.listen)
	if err != nil {
		return err
	}
	st := c.Status()
	a.announce(l.Addr(), st)
	if over(st) {
		h.over.Store(true)
	}
	serving := a.serve(l, c, p)
	defer serving.end()
	ctx, ended := context.WithCancel(ctx)
	defer ended()
	go (&follower{app: a, client: c, store: v}).follow(ctx)
	select {
	case err := <-serving.failed:
		return a.failed("the proxy has ended", err)
	case <-ctx.Done():
		return nil
	}
}

// serving is a proxy that runs.
type serving struct {
	server *http.Server
	failed chan error
}

// serve starts the proxy on l.
func (a *app) serve(l net.Listener, c *silentrefresh.Client, p *panel) *serving {
	s := &serving{
		server: &http.Server{Handler: a.relay(c, l.Addr(), p), ReadHeaderTimeout: 10 * time.Second, ErrorLog: a.quiet()},
		failed: make(chan error, 1),
	}
	go func() { s.failed <- s.server.Serve(l) }()
	return s
}

// end lets requests finish that are under way; streams, which may never, are cut after a while.
func (s *serving) end() {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if err := s.server.Shutdown(ctx); errors.Is(err, context.DeadlineExceeded) {
		s.server.Close()
	}
}
