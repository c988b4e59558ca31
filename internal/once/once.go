// Package once sends requests that net/http does not resend by itself, over connections that nobody else uses.
package once

import (
	"io"
	"net/http"
)

// Transport is base for auth calls: a pool of its own, so that API requests which wait for a refresh cannot starve
// it, and no connection used twice, because net/http resends a request when a reused one breaks, and a one-use
// credential must not be sent twice behind our back.
func Transport(base http.RoundTripper) http.RoundTripper {
	if t, ok := base.(*http.Transport); ok {
		t = t.Clone()
		t.DisableKeepAlives = true
		t.MaxConnsPerHost = 0
		return &sendOnce{t}
	}
	return &sendOnce{base}
}

// sendOnce makes requests that net/http will not resend on its own, whatever is below it.
type sendOnce struct{ base http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t *sendOnce) RoundTrip(req *http.Request) (*http.Response, error) {
	out := new(http.Request)
	*out = *req
	out.Close = true
	out.GetBody = nil
	if (out.Body == nil || out.Body == http.NoBody) && resends(out.Method) {
		out.Body = emptyBody{} // no body on the wire, but not known to be replayable either
	}
	resp, err := t.base.RoundTrip(out)
	if resp != nil {
		resp.Request = req
	}
	return resp, err
}

// resends reports whether net/http resends bodyless requests of that method. Others are left alone: a POST with a body
// of unknown length would be sent in chunks.
func resends(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions || method == http.MethodTrace
}

// emptyBody is http.NoBody, except that net/http cannot tell.
type emptyBody struct{}

func (emptyBody) Read([]byte) (int, error) { return 0, io.EOF }

func (emptyBody) Close() error { return nil }
