package replay

import (
	"bytes"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"time"
)

// stillRead is how long a copy of a body waits until the one before is closed. A RoundTripper must close it, though perhaps
// after it has returned; one that does not is not waited for any longer.
const stillRead = time.Second

// copies are those of a body whose GetBody may give out the same reader again, rewound. Where the server has responded
// early, the copy before may still be on its way, so the next is not taken before that is closed.
type copies struct {
	get   func() (io.ReadCloser, error)
	inUse chan struct{} // holds one while a copy is
}

// copiesOf returns the copies of req's body, and the first, with which req came.
func copiesOf(req *http.Request) (*copies, io.ReadCloser) {
	s := &copies{get: req.GetBody, inUse: make(chan struct{}, 1)}
	s.inUse <- struct{}{}
	return s, &oneCopy{of: s, rc: req.Body, gone: make(chan struct{})}
}

// again returns another copy: at once if none is in use, or else one that is taken when it is read.
func (s *copies) again() (io.ReadCloser, error) {
	c := &oneCopy{of: s, gone: make(chan struct{})}
	select {
	case s.inUse <- struct{}{}:
		return c, c.take()
	default:
		return c, nil
	}
}

func (s *copies) free() {
	select {
	case <-s.inUse:
	default: // it was not waited for any longer
	}
}

// oneCopy is a copy of a body. One goroutine reads it, and any may close it.
type oneCopy struct {
	of   *copies
	gone chan struct{} // closed by Close

	mu      sync.Mutex
	rc      io.ReadCloser // nil until it is taken
	reading bool
	closing bool // rc.Close is being called
	closed  bool
}

// Read implements io.Reader.
func (c *oneCopy) Read(p []byte) (int, error) {
	if !c.taken() {
		if err := c.await(); err != nil {
			return 0, err
		}
	}
	if !c.enter() {
		return 0, http.ErrBodyReadAfterClose
	}
	defer c.leave()
	return c.rc.Read(p)
}

func (c *oneCopy) taken() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rc != nil
}

// await takes the copy when the one before is closed.
func (c *oneCopy) await() error {
	late := time.NewTimer(stillRead)
	defer late.Stop()
	select {
	case c.of.inUse <- struct{}{}:
	case <-late.C:
	case <-c.gone:
		return http.ErrBodyReadAfterClose
	}
	return c.take()
}

// take takes the copy.
func (c *oneCopy) take() error {
	rc, err := c.of.get()
	if err != nil {
		c.of.free()
		return err
	}
	c.mu.Lock()
	c.rc = rc
	closed := c.closed
	c.mu.Unlock()
	if !closed {
		return nil
	}
	defer c.of.free()
	return rc.Close()
}

func (c *oneCopy) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = !c.closed
	return c.reading
}

func (c *oneCopy) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reading = false; c.closed && !c.closing {
		c.of.free()
	}
}

// Close implements io.Closer.
func (c *oneCopy) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	rc := c.rc
	c.closing, c.closed = rc != nil, true
	c.mu.Unlock()
	close(c.gone)
	if rc == nil {
		return nil
	}
	defer c.ended()
	return rc.Close()
}

// ended lets the next copy be taken, unless somebody is still in a Read of this one, who then does.
func (c *oneCopy) ended() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing = false; !c.reading {
		c.of.free()
	}
}

// inMemory reports whether body is what http.NewRequest makes of a reader in memory, whose GetBody gives out copies that
// have nothing in common. net/http, too, looks for those: it sends them in one piece with the header.
func inMemory(body io.ReadCloser) bool {
	v := reflect.ValueOf(body)
	if t := v.Type(); t != nopCloser && t != nopCloserWriterTo {
		return false
	}
	switch v.Field(0).Interface().(type) {
	case *bytes.Buffer, *bytes.Reader, *strings.Reader:
		return true
	}
	return false
}

var (
	nopCloser         = reflect.TypeOf(io.NopCloser(nil))
	nopCloserWriterTo = reflect.TypeOf(io.NopCloser(strings.NewReader("")))
)
