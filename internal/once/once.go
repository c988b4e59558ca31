// Package once sends requests that net/http does not resend by itself, over connections that nobody else uses.
package once

import (
	"io"
	"net/http"
)

// Transport is base for auth calls: a pool of its own, so that API requests which wait for a refresh cannot starve
// it, and no connection used twice, because net/http resends a request when a reused one breaks, and a one-use
// credential must not be sent twice behind our back. Only an *http.Transport can be given a pool of its own; but
// whatever base is, net/http does not resend what it sends.
func Transport(base http.RoundTripper) http.RoundTripper {
	t, ok := base.(*http.Transport)
	if !ok {
		return &sendOnce{base: base}
	}
	t = t.Clone()
	t.DisableKeepAlives = true
	t.MaxConnsPerHost = 0
	if len(t.TLSNextProto) > 0 { // HTTP/2 was configured by hand, and the clone would use the connections of the original
		t.TLSNextProto = nil
		t.ForceAttemptHTTP2 = true
	}
	return &sendOnce{base: t, ownPool: true}
}

// HasOwnPool reports whether Transport can give what it makes of base a pool of its own.
func HasOwnPool(base http.RoundTripper) bool {
	_, ok := base.(*http.Transport)
	return ok
}

// sendOnce makes requests that net/http will not resend on its own, whatever is below it.
type sendOnce struct {
	base    http.RoundTripper
	ownPool bool // connections are not reused, so that nothing is ever resent
}

// RoundTrip implements http.RoundTripper.
func (t *sendOnce) RoundTrip(req *http.Request) (*http.Response, error) {
	out := new(http.Request)
	*out = *req
	out.Close = true
	out.GetBody = nil
	if (out.Body == nil || out.Body == http.NoBody) && t.resends(out) {
		out.Body = emptyBody{} // no body on the wire, but not known to be replayable either
	}
	resp, err := t.base.RoundTrip(out)
	if resp != nil {
		resp.Request = req
	}
	return resp, err
}

// resends reports whether net/http may resend the request, which has no body, when a connection breaks that was used
// before. Others are left alone: a POST with a body of unknown length is sent in chunks.
func (t *sendOnce) resends(req *http.Request) bool {
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return !t.ownPool && (req.Header["Idempotency-Key"] != nil || req.Header["X-Idempotency-Key"] != nil)
}

// emptyBody is http.NoBody, except that net/http cannot tell.
type emptyBody struct{}

func (emptyBody) Read([]byte) (int, error) { return 0, io.EOF }

func (emptyBody) Close() error { return nil }
