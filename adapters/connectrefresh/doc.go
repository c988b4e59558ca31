// Package connectrefresh keeps Connect clients logged in, whichever of the three protocols they speak: an interceptor that
// repeats a call once, with a newer token, where the server rejects it as unauthenticated.
//
//	client, err := silentrefresh.New(silentrefresh.Config{BaseURL: "https://api.example.com"})
//	...
//	service := greetv1connect.NewGreetServiceClient(client.HTTPClient(), "https://api.example.com",
//		connect.WithInterceptors(connectrefresh.NewInterceptor(client)))
//
// The HTTP client, which has to be client.HTTPClient or one with client.Transport, attaches the token to requests for
// the listed origins. It repeats what is rejected with the HTTP status 401, as unary calls of the Connect protocol are.
// gRPC, gRPC-Web and streams are rejected in trailers, or at the end of a stream, where HTTP says 200; those are the
// interceptor's.
//
// Calls that are rejected at the same time share one refresh, and a procedure that rejects every token, for reasons of
// its own, is recognised, and costs the others nothing.
//
// # Streams
//
// A stream is opened again, and everything is sent again, if it is rejected before the first message was received and
// while what was sent is still at hand: the first message, and up to 63 more of 64 KiB in all. They are copied, and only
// Protocol Buffers are. Until then Send returns nil where the stream has ended; Receive says what became of it.
//
// A stream that is rejected later than that returns the server's error. Its token is rejected all the same, so the next
// call, and the same stream opened again, get a new one.
//
// A call whose header brings a credential of its own, and one for an origin that is not listed, passes through untouched.
//
// # Errors
//
// A call that was sent returns the server's error. One that was not sent returns a *connect.Error that wraps the reason, for
// errors.Is and errors.As: silentrefresh.ErrNoSession and ErrSessionOver with CodeUnauthenticated, an *auth.Error, which
// passes, with CodeUnavailable, ErrClosed with CodeCanceled, and the context's with CodeCanceled or CodeDeadlineExceeded.
package connectrefresh
