// Package authtest is an auth server, and an API that it protects, for tests of clients that stay logged in: real
// HTTP, access tokens that expire, refresh tokens that can be used once and end the session when they are used
// twice.
//
//	client, server := authtest.NewClient(t, authtest.Config{}, silentrefresh.Config{}) // logged in; both are closed for you
//	server.RevokeAccess()
//	// send requests with client.HTTPClient(): they should succeed, and
//	if n := server.Counters(); n.Refreshes != 1 || n.Reuses != 0 { ... }
//
// NewServer starts a server alone, for a client of any make: log in at Server.URL as DefaultEmail with DefaultPassword.
//
// A Config says what kind of server to be: where tokens travel, how long they live, CSRF protection, rate limits, a
// wrong clock. Methods of Server are the buttons to press while it runs: ExpireAll, RevokeAccess, EndSessions,
// Down, Sleep. Server.Fault plays a script of faults at the auth endpoints, such as responses that are lost after the
// refresh token was spent. Counters and Sessions show what the server has seen.
//
// # A week in a second
//
// Inside a testing/synctest bubble, time passes as soon as everybody waits. A server that is started there notices, and is
// in memory: Server.Transport reaches it, and nothing else does. NewClient uses it by itself.
//
//	synctest.Test(t, func(t *testing.T) {
//		client, server := authtest.NewClient(t, authtest.Config{}, silentrefresh.Config{})
//		...
//		time.Sleep(7 * 24 * time.Hour)
//	})
//
// A bubble ends only when all of its goroutines have. What NewServer and NewClient start is closed by itself; who forgets to
// close a client or a response's body of their own finds it named in the test's log, above the runtime's "deadlock".
//
// # Other languages
//
// Run runs a server on its own, with the buttons served over HTTP (Config.Buttons), and for a browser as a page at
// /_test/; examples/authserver is nothing but a call of it.
//
// The server never logs, and its error texts, and those of its responses, hold no token and no password.
package authtest
