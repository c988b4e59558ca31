package grpcrefresh

import (
	"context"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/silentrefresh/silentrefresh"
)

// UnaryClientInterceptor returns an interceptor that attaches client's token to unary calls, and repeats a call once where
// its token is rejected as Unauthenticated. Of several interceptors it is best the last one: those before it see one
// call, those after it each attempt.
func UnaryClientInterceptor(client *silentrefresh.Client) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		if bringsCredential(ctx, client, opts) {
			return invoke(ctx, method, req, reply, cc, opts...)
		}
		call := client.Call(method)
		opts = withCredentials(client, call, opts)
		for {
			err := invoke(ctx, method, req, reply, cc, opts...)
			if !rejects(err) {
				call.Served()
				return err
			}
			if !call.Retry(ctx) {
				return err
			}
		}
	}
}

// withCredentials adds the token of call to a copy of opts.
func withCredentials(client *silentrefresh.Client, call *silentrefresh.Call, opts []grpc.CallOption) []grpc.CallOption {
	return append(slices.Clip(opts), grpc.PerRPCCredentials(&perRPC{client, call}))
}

// rejects reports whether err says that the token is not valid (any more). Whether there was one, the Call knows.
func rejects(err error) bool { return status.Code(err) == codes.Unauthenticated }
