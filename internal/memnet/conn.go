package memnet

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// bufferSize is how much one direction holds before a writer has to wait for the reader.
const bufferSize = 64 << 10

// A Conn is one end of a connection. It does what a *net.TCPConn does, as far as HTTP needs it.
type Conn struct {
	in, out           *stream
	readBy, writeBy   *deadline
	local, remote     net.Addr
	closeOnce         sync.Once
	closed            chan struct{}
	mu                sync.Mutex
	resetWhenItCloses bool
}

// Pipe returns the two ends of a new connection: the one at address a, and the one at address b.
func Pipe(a, b net.Addr) (*Conn, *Conn) {
	there, back := newStream(), newStream()
	return newConn(back, there, a, b), newConn(there, back, b, a)
}

func newConn(in, out *stream, local, remote net.Addr) *Conn {
	return &Conn{
		in: in, out: out, local: local, remote: remote,
		readBy: newDeadline(), writeBy: newDeadline(), closed: make(chan struct{}),
	}
}

// Read reads what the other end has written. It returns io.EOF once that end is closed and everything is read.
func (c *Conn) Read(p []byte) (int, error) {
	for {
		if err := c.usable(c.readBy); err != nil {
			return 0, c.opError("read", err)
		}
		n, changed, err := c.in.read(p)
		if err == io.EOF {
			return n, err
		}
		if err != nil {
			return n, c.opError("read", err)
		}
		if n > 0 || len(p) == 0 {
			return n, nil
		}
		c.wait(changed, c.readBy)
	}
}

// Write writes p, waiting for room where the other end does not read.
func (c *Conn) Write(p []byte) (int, error) {
	total := 0
	for {
		if err := c.usable(c.writeBy); err != nil {
			return total, c.opError("write", err)
		}
		n, changed, err := c.out.write(p[total:])
		total += n
		if err != nil {
			return total, c.opError("write", err)
		}
		if total == len(p) {
			return total, nil
		}
		c.wait(changed, c.writeBy)
	}
}

func (c *Conn) usable(d *deadline) error {
	switch {
	case done(c.closed):
		return net.ErrClosed
	case done(d.passed()):
		return os.ErrDeadlineExceeded
	default:
		return nil
	}
}

func (c *Conn) wait(changed <-chan struct{}, d *deadline) {
	select {
	case <-changed:
	case <-d.passed():
	case <-c.closed:
	}
}

func (c *Conn) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}

// Close closes this end. The other end can read what was written before; what it writes from now on is refused.
func (c *Conn) Close() error {
	err := net.ErrClosed
	c.closeOnce.Do(func() {
		err = nil
		close(c.closed)
		c.in.fail(syscall.ECONNRESET)
		if c.willReset() {
			c.out.fail(syscall.ECONNRESET)
			return
		}
		c.out.end()
	})
	return err
}

// CloseWrite ends this direction alone.
func (c *Conn) CloseWrite() error {
	c.out.end()
	return nil
}

// SetLinger makes a later Close reset the connection if seconds is 0: what was not read by then is lost.
func (c *Conn) SetLinger(seconds int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.resetWhenItCloses = seconds == 0
	return nil
}

func (c *Conn) willReset() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.resetWhenItCloses
}

// LocalAddr is this end's address.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is the other end's address.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline is SetReadDeadline and SetWriteDeadline.
func (c *Conn) SetDeadline(t time.Time) error {
	c.readBy.set(t)
	c.writeBy.set(t)
	return nil
}

// SetReadDeadline makes Read fail with a timeout from t on; the zero t means never.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.readBy.set(t)
	return nil
}

// SetWriteDeadline makes Write fail with a timeout from t on; the zero t means never.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.writeBy.set(t)
	return nil
}
