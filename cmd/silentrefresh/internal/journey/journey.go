// Package journey knows how far a request has come: whether it was sent decides whether it may be sent again.
package journey

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// A Stage of a journey.
type Stage int32

// The stages.
const (
	Unsent   Stage = iota // it never had a connection
	Begun                 // some of it may have been sent
	Written               // all of its header was sent
	Rejected              // the API has rejected its token; it is sent again with the next one
)

// A Journey is that of one request. Its stage may be asked for at any time, the rest once the request has returned.
type Journey struct {
	Generation uint64 // of the token when the request came

	stage atomic.Int32
	since time.Time     // when it was last in our hands
	held  time.Duration // how long it has been, before it was sent
}

// Stage returns how far it has come.
func (j *Journey) Stage() Stage { return Stage(j.stage.Load()) }

func (j *Journey) is(s Stage) { j.stage.Store(int32(s)) }

// Restart says that another request begins, after a redirect.
func (j *Journey) Restart() { j.is(Unsent) }

// Waited returns how long the request was held for a newer token, 0 if it was sent with the one that was there when it came;
// generation is that of the token now.
func (j *Journey) Waited(generation uint64) time.Duration {
	if generation == j.Generation {
		return 0
	}
	return j.held
}

type key struct{}

// Begin returns a context in which a Transport notes how far a request comes.
func Begin(ctx context.Context) (context.Context, *Journey) {
	j := &Journey{since: time.Now()}
	return context.WithValue(ctx, key{}, j), j
}

// Of returns the journey of the request with that context, an empty one if none was begun.
func Of(ctx context.Context) *Journey {
	if j, ok := ctx.Value(key{}).(*Journey); ok {
		return j
	}
	return &Journey{}
}

// A Transport is the one below the session's: what comes here has a token, and is to be sent.
type Transport struct{ *http.Transport }

// RoundTrip implements http.RoundTripper.
func (t Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	j := Of(req.Context())
	trace := &httptrace.ClientTrace{
		GetConn: func(string) { // maybe again, after a connection that was kept turned out to be dead
			if !Repeatable(req.Method) {
				j.is(Unsent) // net/http resends it only if nothing was written, or the server had closed before
			} else if j.Stage() == Written {
				j.is(Begun)
			}
		},
		GotConn:      func(httptrace.GotConnInfo) { j.is(Begun) },
		WroteHeaders: func() { j.is(Written) },
	}
	j.held += time.Since(j.since)
	resp, err := t.Transport.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
	j.since = time.Now()
	if err == nil {
		j.is(Rejected) // else the response is returned, and nobody asks
	}
	return resp, err
}

// Repeatable reports whether sending a request twice has the effect of sending it once (RFC 9110 section 9.2.2).
func Repeatable(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}
