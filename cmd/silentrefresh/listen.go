package main

import (
	"context"
	"net"

	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/listen"
)

// listen listens on an address for the proxy. A name is listened on at each of its addresses: of localhost, whoever
// listens on 127.0.0.1 alone leaves ::1 to another user of this machine, and what clients try first is up to them. Beyond
// loopback a secret is required.
func (a *app) listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := listen.OnAll(ctx, address)
	if err != nil {
		return nil, usage("the proxy cannot listen there: "+plain(err), "choose another address with --listen")
	}
	if a.options.secret == "" && !listen.Loopback(l.Addr()) {
		l.Close()
		return nil, usage("whoever can reach this machine could use the session: beyond loopback the proxy has to have a secret",
			"set "+variable(secretFlag)+", or listen on 127.0.0.1")
	}
	return l, nil
}
