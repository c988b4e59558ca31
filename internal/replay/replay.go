// Package replay makes a request's body one that can be sent a second time, where that is safe, and frees the connection of
// a response that is not going to be returned.
package replay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// Body is what a request's body takes to be sent a second time. The zero value is for a request without one.
type Body struct {
	own   io.ReadCloser                 // the request's, as it came; nil if it was read into a copy
	Again func() (io.ReadCloser, error) // a fresh copy; nil if there is none
	First io.ReadCloser                 // what is sent first; nil: the request's own
	lazy  *lazyBody                     // for a body that can be sent again only while nothing was read of it
	Once  bool                          // it may turn out that it can be sent but once
}

// NewBody decides how req's body can be replayed: with its own GetBody; from a copy, if it is known to be small;
// else only if the server responds before it has read anything (RFC 9110 section 10.1.1). A body of unknown length
// is never read ahead: the server may be responding while it is still being written.
func NewBody(req *http.Request, limit int64) (Body, error) {
	switch {
	case req.Body == http.NoBody:
		return Body{}, nil
	case req.GetBody != nil && !inMemory(req.Body):
		all, first := copiesOf(req)
		return Body{First: first, Again: all.again}, nil
	case req.GetBody != nil:
		return Body{own: req.Body, Again: req.GetBody}, nil
	case req.ContentLength > 0 && req.ContentLength <= limit:
		return bufferBody(req)
	}
	lazy := &lazyBody{rc: req.Body}
	return Body{lazy: lazy, First: lazy, Once: true}, nil
}

func bufferBody(req *http.Request) (Body, error) {
	stop := context.AfterFunc(req.Context(), func() { req.Body.Close() }) // who waits for us waits no longer
	defer stop()
	// As long as it is, not as long as it says. net/http, too, makes sure that the two agree.
	data, err := io.ReadAll(io.LimitReader(req.Body, req.ContentLength+1))
	switch {
	case err != nil:
	case int64(len(data)) > req.ContentLength:
		err = errors.New("it is longer than its Content-Length")
	case int64(len(data)) < req.ContentLength:
		err = fmt.Errorf("it is shorter than its Content-Length: %w", io.ErrUnexpectedEOF)
	}
	if cerr := req.Body.Close(); err == nil {
		err = cerr
	}
	if req.Context().Err() != nil {
		err = context.Cause(req.Context())
	}
	if err != nil {
		return Body{}, fmt.Errorf("silentrefresh: the request was not sent: reading its body: %w", err)
	}
	again := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	first, _ := again()
	return Body{Again: again, First: first}, nil
}

// Rewind prepares a second sending. It reports false if there can be none.
func (b *Body) Rewind() bool {
	switch {
	case b.lazy != nil:
		again, ok := b.lazy.takeBack()
		b.lazy, b.First = again, again
		return ok
	case b.Again == nil:
		return true
	}
	again, err := b.Again()
	if err != nil {
		return false
	}
	b.First, b.own = again, nil
	return true
}

// Unsent ends a body that is not going to be sent (net/http: RoundTripper must close it).
func (b *Body) Unsent() {
	if b.First != nil {
		b.First.Close()
	} else if b.own != nil {
		b.own.Close()
	}
	b.Settle()
}

// Settle ends what was held back for a replay that will not come.
func (b *Body) Settle() {
	if b.lazy != nil {
		b.lazy.Settle()
	}
}

var errTaken = errors.New("silentrefresh: the body is being sent again")

// lazyBody is a request's body that can be taken back as long as nothing was read of it. net/http closes the body
// of a request whose response came first; that Close is held back until it is settled that there is no replay.
type lazyBody struct {
	mu      sync.Mutex
	rc      io.ReadCloser // nil once taken back
	read    bool
	closed  bool
	settled bool
}

// Read implements io.Reader.
func (b *lazyBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	rc := b.rc
	if b.closed || rc == nil {
		b.mu.Unlock()
		return 0, errTaken
	}
	b.read = true
	b.mu.Unlock()
	return rc.Read(p)
}

// Close implements io.Closer.
func (b *lazyBody) Close() error {
	b.mu.Lock()
	b.closed = true
	rc := b.rc
	if !b.read && !b.settled {
		rc = nil
	}
	b.mu.Unlock()
	if rc == nil {
		return nil
	}
	return rc.Close()
}

// takeBack returns a body that starts where this one did, and leaves this one empty. It reports false if anything
// was read.
func (b *lazyBody) takeBack() (*lazyBody, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.read || b.rc == nil {
		return b, false
	}
	rc := b.rc
	b.rc = nil
	return &lazyBody{rc: rc}, true
}

// Settle lets Close through from now on, and the one that was held back. What the server still reads, it may.
func (b *lazyBody) Settle() {
	b.mu.Lock()
	heldBack := b.closed && !b.read && !b.settled
	b.settled = true
	rc := b.rc
	b.mu.Unlock()
	if heldBack && rc != nil {
		rc.Close()
	}
}
