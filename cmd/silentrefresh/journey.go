package main

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// A journey is how far a request has come: whether it was sent decides whether it may be sent again.
type journey struct {
	at         atomic.Int32
	since      time.Time     // when it was last in our hands
	held       time.Duration // how long it has been, before it was sent
	generation uint64        // of the token when it came
}

// The stages of a journey.
const (
	unsent   int32 = iota // it never had a connection
	begun                 // some of it may have been sent
	written               // all of its header was sent
	rejected              // the API has rejected its token; it is sent again with the next one
)

type journeyKey struct{}

// traced returns a context in which the tool's base transport notes how far a request comes.
func traced(ctx context.Context) (context.Context, *journey) {
	j := &journey{since: time.Now()}
	return context.WithValue(ctx, journeyKey{}, j), j
}

// journeyOf is the journey of a request, an empty one if it is not traced.
func journeyOf(ctx context.Context) *journey {
	if j, ok := ctx.Value(journeyKey{}).(*journey); ok {
		return j
	}
	return &journey{}
}

// tracing is the transport below the session's: what comes here has a token, and is to be sent.
type tracing struct{ *http.Transport }

// RoundTrip implements http.RoundTripper.
func (t tracing) RoundTrip(req *http.Request) (*http.Response, error) {
	j := journeyOf(req.Context())
	trace := &httptrace.ClientTrace{
		GetConn: func(string) { // maybe again, after a connection that was kept turned out to be dead
			if !repeatable(req.Method) {
				j.at.Store(unsent) // net/http resends it only if nothing was written, or the server had closed before
			} else if j.at.Load() == written {
				j.at.Store(begun)
			}
		},
		GotConn:      func(httptrace.GotConnInfo) { j.at.Store(begun) },
		WroteHeaders: func() { j.at.Store(written) },
	}
	j.held += time.Since(j.since)
	resp, err := t.Transport.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
	j.since = time.Now()
	if err == nil {
		j.at.Store(rejected) // else the response is returned, and nobody asks
	}
	return resp, err
}

// unanswered explains err, for which a request got no response.
func (a *app) unanswered(name, method string, j *journey, err error) *failure {
	var f *failure
	switch j.at.Load() {
	case unsent:
		return a.failed(name+" was not sent", err)
	case rejected:
		return a.failed(name+" was rejected, and not sent again", err)
	case begun:
		f = a.failed(name+" may have been sent, and no response came", err)
	default:
		f = a.failed(name+" was sent, and no response came", err)
	}
	if !repeatable(method) {
		f.code, f.do = exitFailed, "see whether it has taken effect before you send it again"
	}
	return f
}

// repeatable reports whether sending a request twice has the effect of sending it once (RFC 9110 section 9.2.2).
func repeatable(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}

// waited reports how long the request was held for a newer token, 0 if it was sent with the one that was there.
func (j *journey) waited(generation uint64) time.Duration {
	if generation == j.generation {
		return 0
	}
	return j.held
}
