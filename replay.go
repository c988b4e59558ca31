package silentrefresh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// body is what a request's body takes to be sent a second time. The zero value is for a request without one.
type body struct {
	own   io.ReadCloser                 // the request's, as it came; nil if it was read into a copy
	again func() (io.ReadCloser, error) // a fresh copy; nil if there is none
	first io.ReadCloser                 // what is sent first; nil: the request's own
	lazy  *lazyBody                     // for a body that can be sent again only while nothing was read of it
	once  bool                          // it may turn out that it can be sent but once
}

// newBody decides how req's body can be replayed: with its own GetBody; from a copy, if it is known to be small;
// else only if the server answers before it has read anything (RFC 9110 section 10.1.1). A body of unknown length
// is never read ahead: the server may be answering while it is still being written.
func newBody(req *http.Request, limit int64) (body, error) {
	switch {
	case req.Body == http.NoBody:
		return body{}, nil
	case req.GetBody != nil:
		return body{own: req.Body, again: req.GetBody}, nil
	case req.ContentLength > 0 && req.ContentLength <= limit:
		return bufferBody(req)
	}
	lazy := &lazyBody{rc: req.Body}
	return body{lazy: lazy, first: lazy, once: true}, nil
}

func bufferBody(req *http.Request) (body, error) {
	stop := context.AfterFunc(req.Context(), func() { req.Body.Close() }) // who waits for us waits no longer
	defer stop()
	data := make([]byte, req.ContentLength+1) // net/http, too, makes sure that the body is no longer than it says
	n, err := io.ReadFull(req.Body, data)
	if n == len(data) {
		err = errors.New("it is longer than its Content-Length")
	} else if n == len(data)-1 && err == io.ErrUnexpectedEOF {
		data, err = data[:n], nil
	}
	if cerr := req.Body.Close(); err == nil {
		err = cerr
	}
	if req.Context().Err() != nil {
		err = context.Cause(req.Context())
	}
	if err != nil {
		return body{}, fmt.Errorf("silentrefresh: the request was not sent: reading its body: %w", err)
	}
	again := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	first, _ := again()
	return body{again: again, first: first}, nil
}

// rewind prepares a second sending. It reports false if there can be none.
func (b *body) rewind() bool {
	switch {
	case b.lazy != nil:
		again, ok := b.lazy.takeBack()
		b.lazy, b.first = again, again
		return ok
	case b.again == nil:
		return true
	}
	again, err := b.again()
	if err != nil {
		return false
	}
	b.first, b.own = again, nil
	return true
}

// unsent ends a body that is not going to be sent (net/http: RoundTripper must close it).
func (b *body) unsent() {
	if b.first != nil {
		b.first.Close()
	} else if b.own != nil {
		b.own.Close()
	}
	b.settle()
}

// settle ends what was held back for a replay that will not come.
func (b *body) settle() {
	if b.lazy != nil {
		b.lazy.settle()
	}
}

var errTaken = errors.New("silentrefresh: the body is being sent again")

// lazyBody is a request's body that can be taken back as long as nothing was read of it. net/http closes the body
// of a request whose answer came first; that Close is held back until it is settled that there is no replay.
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

// settle lets Close through from now on, and the one that was held back. What the server still reads, it may.
func (b *lazyBody) settle() {
	b.mu.Lock()
	heldBack := b.closed && !b.read && !b.settled
	b.settled = true
	rc := b.rc
	b.mu.Unlock()
	if heldBack && rc != nil {
		rc.Close()
	}
}
