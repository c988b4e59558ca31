// Package grpcrefresh keeps gRPC calls logged in: interceptors of a client that attach the token of a
// silentrefresh.Client, and repeat a call once, with a newer token, where the server rejects it as Unauthenticated.
//
//	conn, err := grpc.NewClient("api.example.com:443",
//		grpc.WithTransportCredentials(credentials.NewTLS(nil)),
//		grpc.WithChainUnaryInterceptor(grpcrefresh.UnaryClientInterceptor(client)),
//		grpc.WithChainStreamInterceptor(grpcrefresh.StreamClientInterceptor(client)))
//
// Calls that are rejected at the same time share one refresh. They go by the generation of the token that they were
// sent with, so a rejection that comes late, of a token that has been renewed meanwhile, renews nothing. A method that
// rejects every token, for reasons of its own, is recognised, and costs the others nothing.
//
// # Streams
//
// A stream is opened again, and everything is sent again, if it is rejected before the first message was received and
// while what was sent is still at hand: the first message, and up to 63 more of 64 KiB in all. Messages must not be
// changed after SendMsg, as gRPC says anyway. Until then SendMsg returns nil where the stream has ended; RecvMsg says
// what became of it. Header and Trailer are those of the stream that is open: before the first message, that may be the one
// that was rejected.
//
// A stream that is rejected later than that returns the server's error. Its token is rejected all the same, so the next
// call, and the same stream opened again, get a new one.
//
// # Where the token goes
//
// To the listed origins only (silentrefresh.Config, BaseURL and Origins): https://host:port for a connection that is
// encrypted, http://host:port for one that is not, where host:port is the authority of the connection, and port 443 is left
// out. So a plain connection, to loopback too, has to be listed in Origins: "http://127.0.0.1:50051".
//
// A call that brings its own credential, in grpc.PerRPCCredentials or in the metadata that would carry the token, passes
// through untouched. Do not dial with the credentials of Client.PerRPC as well: the token would be sent twice.
//
// # Errors
//
// A call that was sent returns the server's status. One that was not sent returns a status that wraps the reason, for
// errors.Is and errors.As: silentrefresh.ErrNoSession and ErrSessionOver as Unauthenticated, an *auth.Error, which
// passes, as Unavailable, ErrClosed as Canceled, the context's as Canceled or DeadlineExceeded, and an origin that is not
// listed as Internal.
package grpcrefresh
