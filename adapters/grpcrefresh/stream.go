package grpcrefresh

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/internal/resend"
)

// StreamClientInterceptor returns an interceptor that attaches client's token to streams, and opens a stream once more
// where its token is rejected as Unauthenticated before anything was received; see the package comment for what is
// possible. Of several interceptors it is best the last one.
func StreamClientInterceptor(client *silentrefresh.Client) grpc.StreamClientInterceptor {
	return func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
		if bringsCredential(ctx, client, opts) {
			return open(ctx, desc, cc, method, opts...)
		}
		call := client.Call(method)
		opts = withCredentials(client, call, opts)
		s := &stream{ctx: ctx, call: call, open: func() (conn, error) {
			opened, err := open(ctx, desc, cc, method, opts...)
			return conn{opened}, err
		}}
		first, err := s.open()
		if err != nil {
			return nil, err
		}
		s.sent = resend.New(first)
		return s, nil
	}
}

// A stream is a grpc.ClientStream that is opened again where its token is rejected before anything was received.
type stream struct {
	ctx    context.Context
	call   *silentrefresh.Call
	open   func() (conn, error)
	sent   *resend.Stream[conn]
	served bool // a message was received
}

// conn is one stream as it was opened.
type conn struct{ grpc.ClientStream }

func (c conn) Send(m any) error { return c.SendMsg(m) }

// SendMsg implements grpc.ClientStream.
func (s *stream) SendMsg(m any) error {
	if s.sent.Settled() {
		return s.sent.Send(m, 0) // its size is of no interest any more
	}
	size := -1
	if message, ok := m.(proto.Message); ok {
		size = proto.Size(message)
	}
	return s.sent.Send(m, size)
}

// CloseSend implements grpc.ClientStream.
func (s *stream) CloseSend() error { return s.sent.CloseSend() }

// RecvMsg implements grpc.ClientStream.
func (s *stream) RecvMsg(m any) error {
	for {
		err := s.sent.Conn().RecvMsg(m)
		if !rejects(err) {
			s.received(err)
			return err
		}
		if again, failed := s.again(); failed != nil {
			return failed
		} else if !again {
			return err
		}
	}
}

// received notes the first message, or an end that is no rejection.
func (s *stream) received(err error) {
	if s.served {
		return
	}
	s.served = true
	s.sent.Settle()
	s.call.Served()
}

// again opens the stream again after a rejection, if that is possible.
func (s *stream) again() (bool, error) {
	if s.sent.Settled() {
		s.call.Reject()
		return false, nil
	}
	if !s.call.Retry(s.ctx) {
		s.sent.Settle()
		return false, nil
	}
	again, err := s.sent.Reopen(s.open)
	if !again {
		s.sent.Settle()
	}
	return again, err
}

// Header implements grpc.ClientStream.
func (s *stream) Header() (metadata.MD, error) { return s.sent.Conn().Header() }

// Trailer implements grpc.ClientStream.
func (s *stream) Trailer() metadata.MD { return s.sent.Conn().Trailer() }

// Context implements grpc.ClientStream.
func (s *stream) Context() context.Context { return s.sent.Conn().Context() }
