// Package resend keeps what was sent on a stream of messages until the first one comes back, so that a stream whose token
// was rejected can be opened again.
package resend

import (
	"errors"
	"io"
	"slices"
	"sync"
)

// How much is kept. The first message, which may be all that is ever sent, is kept whatever its size.
const (
	MaxMessages = 64
	MaxBytes    = 64 << 10
)

// A Conn is the sending side of one stream, as gRPC and Connect have it.
type Conn interface {
	// Send returns io.EOF when the stream has ended; whoever receives learns why.
	Send(m any) error
	CloseSend() error
}

// A Stream sends on a Conn, and on the next one when that was rejected. Send and CloseSend are for one goroutine, the
// other methods for another one, which receives.
type Stream[C Conn] struct {
	sending sync.Mutex // held while something is sent, so that messages stay in order

	mu      sync.Mutex // guards what follows
	conn    C
	kept    []any
	bytes   int
	closed  bool // nothing more will be sent
	settled bool // the stream will not be opened again
}

// New returns a Stream that sends on conn.
func New[C Conn](conn C) *Stream[C] { return &Stream[C]{conn: conn} }

// Conn is the present one.
func (s *Stream[C]) Conn() C {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn
}

// Send sends m, which must not change any more and has size bytes; a negative size is unknown. While the stream may be
// opened again, its end is no failure: then m is sent, or whoever receives learns why not.
func (s *Stream[C]) Send(m any, size int) error {
	s.sending.Lock()
	defer s.sending.Unlock()
	err := s.keep(m, size).Send(m)
	if errors.Is(err, io.EOF) && !s.Settled() {
		return nil
	}
	return err
}

// keep keeps m, or gives up keeping anything, and returns the present Conn.
func (s *Stream[C]) keep(m any, size int) C {
	s.mu.Lock()
	defer s.mu.Unlock()
	fits := len(s.kept) == 0 || size >= 0 && s.bytes+size <= MaxBytes && len(s.kept) < MaxMessages
	switch {
	case s.settled:
	case !fits:
		s.settleLocked()
	default:
		if len(s.kept) > 0 {
			s.bytes += max(size, 0)
		}
		s.kept = append(s.kept, m)
	}
	return s.conn
}

// CloseSend says that nothing more will be sent.
func (s *Stream[C]) CloseSend() error {
	s.sending.Lock()
	defer s.sending.Unlock()
	s.mu.Lock()
	s.closed = true
	conn := s.conn
	s.mu.Unlock()
	return conn.CloseSend()
}

// Settle says that the stream will not be opened again. It waits for nobody.
func (s *Stream[C]) Settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settleLocked()
}

func (s *Stream[C]) settleLocked() { s.settled, s.kept = true, nil }

// Settled reports whether the stream cannot be opened again.
func (s *Stream[C]) Settled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settled
}

// Reopen goes on with the Conn that open returns, on which everything is sent again. The present one has ended, so that
// nothing can be waiting there to be sent. Reopen reports false where too much was sent.
func (s *Stream[C]) Reopen(open func() (C, error)) (bool, error) {
	s.sending.Lock()
	defer s.sending.Unlock()
	if s.Settled() {
		return false, nil
	}
	conn, err := open()
	if err != nil {
		return false, err
	}
	s.mu.Lock()
	s.conn = conn
	kept, closed := slices.Clone(s.kept), s.closed
	s.mu.Unlock()
	for _, m := range kept {
		if err := conn.Send(m); errors.Is(err, io.EOF) {
			return true, nil // whoever receives learns why
		} else if err != nil {
			return false, err
		}
	}
	if closed {
		return true, conn.CloseSend()
	}
	return true, nil
}
