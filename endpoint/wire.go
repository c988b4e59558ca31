package endpoint

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
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

// cause is what went wrong below HTTP, without what an error of net/http carries beside it: the URL with its query,
// or a line of the response.
func cause(err error) error {
	for {
		outer, ok := errors.AsType[*url.Error](err)
		if !ok {
			break
		}
		err = outer.Err
	}
	for _, known := range []error{context.DeadlineExceeded, context.Canceled, io.ErrUnexpectedEOF, io.EOF} {
		if errors.Is(err, known) {
			return known
		}
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op
	}
	if untrusted, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return untrusted
	}
	if number, ok := errors.AsType[syscall.Errno](err); ok {
		return number
	}
	if text := err.Error(); strings.Contains(text, "malformed") {
		return errMalformed
	} else if strings.ContainsAny(text, "?=\r\n") || len(text) > 300 {
		return fmt.Errorf("the connection failed (%T)", err)
	}
	return err
}
