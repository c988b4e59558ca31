package connectrefresh

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"connectrpc.com/connect"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
)

// NewInterceptor returns an interceptor for the clients of client.HTTPClient. Of several it is best the last one: those
// before it see one call, those after it each attempt. Handlers pass through it untouched.
func NewInterceptor(client *silentrefresh.Client) connect.Interceptor { return &interceptor{client} }

type interceptor struct{ client *silentrefresh.Client }

// WrapUnary implements connect.Interceptor.
func (i *interceptor) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		if !req.Spec().IsClient || !i.concerns(req.Peer(), req.Header()) {
			return next(ctx, req)
		}
		call := i.client.Call(req.Spec().Procedure)
		for {
			// The transport attaches this token, or a newer one.
			if _, err := call.Token(ctx); err != nil {
				return nil, unsent(err)
			}
			resp, err := next(ctx, req)
			if !rejects(err) {
				call.Served()
				return resp, err
			}
			repeated := req.Peer().Protocol == connect.ProtocolConnect // by the transport, for its status 401
			if repeated || !call.Retry(ctx) {
				return resp, err
			}
		}
	}
}

// WrapStreamingClient implements connect.Interceptor.
func (i *interceptor) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return func(ctx context.Context, spec connect.Spec) connect.StreamingClientConn {
		return newStream(ctx, i, spec, next)
	}
}

// WrapStreamingHandler implements connect.Interceptor.
func (i *interceptor) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return next
}

// concerns reports whether the transport attaches the token to a call of peer with header h.
func (i *interceptor) concerns(peer connect.Peer, h http.Header) bool {
	if name, _ := i.client.Attach().Value(""); len(h.Values(name)) > 0 {
		return false // it brings its own credential
	}
	return i.client.GetsToken(&url.URL{Scheme: "https", Host: peer.Addr}) || i.client.GetsToken(&url.URL{Scheme: "http", Host: peer.Addr})
}

// rejects reports whether err says that the token is not valid (any more). Whether there was one, the Call knows.
func rejects(err error) bool { return connect.CodeOf(err) == connect.CodeUnauthenticated }

// unsent is the error of a call that got no token.
func unsent(err error) error {
	code := connect.CodeInternal
	var failed *auth.Error
	switch {
	case errors.Is(err, silentrefresh.ErrNoSession), errors.Is(err, silentrefresh.ErrSessionOver):
		code = connect.CodeUnauthenticated
	case errors.Is(err, silentrefresh.ErrClosed), errors.Is(err, context.Canceled):
		code = connect.CodeCanceled
	case errors.Is(err, context.DeadlineExceeded):
		code = connect.CodeDeadlineExceeded
	case errors.As(err, &failed):
		code = connect.CodeUnavailable
	}
	return connect.NewError(code, err)
}
