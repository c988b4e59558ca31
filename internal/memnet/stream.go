package memnet

import (
	"io"
	"sync"
	"syscall"
)

// A stream is one direction of a connection: a buffer, and a channel that is closed at its next change.
type stream struct {
	mu      sync.Mutex
	data    []byte
	ended   bool  // the writer is done: after data comes io.EOF
	err     error // the connection is broken: whatever data holds is lost
	changed chan struct{}
}

func newStream() *stream { return &stream{changed: make(chan struct{})} }

// wake ends everybody's waiting. The caller holds the lock.
func (s *stream) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// read takes what is there. Where nothing is, it returns 0 and the channel to wait on.
func (s *stream) read(p []byte) (n int, changed <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.err != nil:
		return 0, nil, s.err
	case len(s.data) == 0 && s.ended:
		return 0, nil, io.EOF
	case len(s.data) == 0 || len(p) == 0:
		return 0, s.changed, nil
	}
	n = copy(p, s.data)
	s.data = s.data[n:]
	if len(s.data) == 0 {
		s.data = nil
	}
	s.wake()
	return n, s.changed, nil
}

// write takes as much of p as there is room for, and returns the channel to wait on before writing the rest.
func (s *stream) write(p []byte) (n int, changed <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.err != nil:
		return 0, nil, s.err
	case s.ended:
		return 0, nil, syscall.EPIPE
	}
	n = min(len(p), bufferSize-len(s.data))
	if n > 0 {
		s.data = append(s.data, p[:n]...)
		s.wake()
	}
	return n, s.changed, nil
}

// end says that nothing more will be written.
func (s *stream) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.wake()
}

// fail breaks the direction for both its ends. The first reason stays.
func (s *stream) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err, s.data = err, nil
	}
	s.wake()
}
