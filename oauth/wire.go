package oauth

import (
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/retryafter"
)

// maxResponse caps every response in bytes: documents and tokens are small, and a server gone wrong is not to fill
// the memory.
const maxResponse = 1 << 20

// A wire is the transport of one exchange, whose requests go one after the other. It remembers the last of them,
// which net/http does not tell.
type wire struct {
	base http.RoundTripper // nil: http.DefaultTransport
	last call
}

// A call is what is known of a request and its response.
type call struct {
	path   string
	began  time.Time
	unsent bool      // it never left this machine
	status int       // 0: no response
	date   time.Time // the response's Date; began if it had none
	until  time.Time // what it asks to wait for, zero if it does not
	fresh  bool      // it told what the next proof has to have (RFC 9449)
}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	var asked, got atomic.Bool
	ctx := httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		GetConn: func(string) { asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { got.Store(true) },
	})
	c := call{path: r.URL.Path, began: time.Now()}
	c.date = c.began
	resp, err := capped{w.base}.RoundTrip(r.WithContext(ctx))
	if err != nil {
		// A transport that tells nothing about connections may have sent it.
		c.unsent = asked.Load() && !got.Load()
		w.last = c
		return nil, err
	}
	c.status = resp.StatusCode
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		c.date = date
	}
	c.until = retryafter.At(c.status, resp.Header)
	w.last = c
	return resp, nil
}

// capped is a transport whose responses end after maxResponse bytes.
type capped struct{ base http.RoundTripper } // nil: http.DefaultTransport

// RoundTrip implements http.RoundTripper.
func (c capped) RoundTrip(r *http.Request) (*http.Response, error) {
	base := c.base
	if base == nil {
		base = http.DefaultTransport
	}
	resp, err := base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxResponse), resp.Body}
	return resp, nil
}
