package connectrefresh

import (
	"context"
	"maps"
	"net/http"
	"sync"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/internal/resend"
)

// A stream is a connect.StreamingClientConn that is opened again where its token is rejected before anything was
// received.
type stream struct {
	ctx  context.Context
	with *interceptor
	call *silentrefresh.Call
	open func() connect.StreamingClientConn
	sent *resend.Stream[conn]

	begin sync.Once
	begun chan struct{} // closed when there is a token to begin with, or none can be had

	served bool // the reader's: a message was received
}

// conn is one stream as it was opened.
type conn struct{ connect.StreamingClientConn }

func (c conn) CloseSend() error { return c.CloseRequest() }

func newStream(ctx context.Context, with *interceptor, spec connect.Spec, next connect.StreamingClientFunc) *stream {
	s := &stream{ctx: ctx, with: with, call: with.client.Call(spec.Procedure), begun: make(chan struct{})}
	s.open = func() connect.StreamingClientConn { return next(ctx, spec) }
	s.sent = resend.New(conn{s.open()})
	return s
}

// Spec implements connect.StreamingClientConn.
func (s *stream) Spec() connect.Spec { return s.sent.Conn().Spec() }

// Peer implements connect.StreamingClientConn.
func (s *stream) Peer() connect.Peer { return s.sent.Conn().Peer() }

// RequestHeader implements connect.StreamingClientConn.
func (s *stream) RequestHeader() http.Header { return s.sent.Conn().RequestHeader() }

// Send implements connect.StreamingClientConn.
func (s *stream) Send(m any) error {
	s.begin.Do(s.prepare)
	if s.sent.Settled() {
		return s.sent.Send(m, 0) // its size is of no interest any more
	}
	size := 0
	if message, ok := m.(proto.Message); ok {
		size, m = proto.Size(message), proto.Clone(message) // it is the caller's again when Send returns
	} else if m != nil { // which sends the header alone
		s.sent.Settle()
	}
	return s.sent.Send(m, size)
}

// CloseRequest implements connect.StreamingClientConn.
func (s *stream) CloseRequest() error {
	s.begin.Do(s.prepare)
	return s.sent.CloseSend()
}

// prepare waits for a token before the request is sent, with which the transport attaches that one or a newer one.
func (s *stream) prepare() {
	defer close(s.begun)
	first := s.sent.Conn()
	if !s.with.concerns(first.Peer(), first.RequestHeader()) {
		s.sent.Settle()
		return
	}
	if _, err := s.call.Token(s.ctx); err != nil {
		s.sent.Reopen(func() (conn, error) { return conn{failed{first, unsent(err)}}, nil })
	}
}

// reading is the present stream for who receives, once there is one.
func (s *stream) reading() conn {
	select {
	case <-s.begun:
	case <-s.ctx.Done():
	}
	return s.sent.Conn()
}

// Receive implements connect.StreamingClientConn.
func (s *stream) Receive(m any) error {
	for {
		present := s.reading()
		err := present.Receive(m)
		if !rejects(err) {
			s.received()
			return err
		}
		if again, failed := s.again(present); failed != nil {
			return failed
		} else if !again {
			return err
		}
	}
}

// received notes the first message, or an end that is no rejection.
func (s *stream) received() {
	if s.served {
		return
	}
	s.served = true
	s.sent.Settle()
	s.call.Served()
}

// again opens the stream again after old was rejected, if that is possible.
func (s *stream) again(old conn) (bool, error) {
	if s.sent.Settled() {
		s.call.Reject()
		return false, nil
	}
	if !s.call.Retry(s.ctx) {
		s.sent.Settle()
		return false, nil
	}
	_ = old.CloseResponse() // who still sends there learns that it has ended
	again, err := s.sent.Reopen(func() (conn, error) {
		next := conn{s.open()}
		maps.Copy(next.RequestHeader(), old.RequestHeader())
		return next, nil
	})
	if !again {
		s.sent.Settle()
	}
	return again, err
}

// ResponseHeader implements connect.StreamingClientConn.
func (s *stream) ResponseHeader() http.Header { return s.reading().ResponseHeader() }

// ResponseTrailer implements connect.StreamingClientConn.
func (s *stream) ResponseTrailer() http.Header { return s.reading().ResponseTrailer() }

// CloseResponse implements connect.StreamingClientConn.
func (s *stream) CloseResponse() error { return s.reading().CloseResponse() }

// failed is a stream that is never sent, since there is no token for it.
type failed struct {
	connect.StreamingClientConn
	err error
}

func (f failed) Send(any) error               { return f.err }
func (f failed) CloseRequest() error          { return nil }
func (f failed) Receive(any) error            { return f.err }
func (f failed) ResponseHeader() http.Header  { return http.Header{} }
func (f failed) ResponseTrailer() http.Header { return http.Header{} }
func (f failed) CloseResponse() error         { return nil }
