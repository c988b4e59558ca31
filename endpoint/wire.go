package endpoint

import (
	"context"
	"errors"
	"net"
	"net/http/httptrace"
	"sync/atomic"
)

// wire sees how far a request came. What never had a connection was not sent.
type wire struct {
	asked     atomic.Bool // a connection was asked for: the transport tells us such things
	connected atomic.Bool
}

// watch returns a context whose requests are seen.
func (w *wire) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { w.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { w.connected.Store(true) },
	})
}

func (w *wire) reset() {
	w.asked.Store(false)
	w.connected.Store(false)
}

// nothingSent reports whether the attempt that failed with err never reached a server: no route, no name, nobody
// listening, no TLS.
func (w *wire) nothingSent(err error) bool {
	if w.asked.Load() {
		return !w.connected.Load()
	}
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}
