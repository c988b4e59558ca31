// Package authtest is an auth server, and an API that it protects, for tests of clients that stay logged in: real
// HTTP, access tokens that expire, refresh tokens that can be used once and end the session when they are used
// twice.
//
//	server := authtest.NewServer(t, authtest.Config{})
//	// log in at server.URL() as authtest.DefaultEmail, send requests, then:
//	server.RevokeAccess()
//	// send more: they should succeed, and
//	if n := server.Counters(); n.Refreshes != 1 || n.Reuses != 0 { ... }
//
// A Config says what kind of server to be: where tokens travel, how long they live, CSRF protection, rate limits, a
// wrong clock. Methods of Server are the buttons to press while it runs: ExpireAll, RevokeAccess, EndSessions,
// Down, Sleep. Server.Fault plays a script of faults at the auth endpoints, such as responses that are lost after the
// refresh token was spent. Counters and Sessions show what the server has seen.
//
// # A week in a second
//
// With Config.InMemory the server can run inside a testing/synctest bubble, where time passes as soon as everybody
// waits. Start the server and the client within the bubble:
//
//	synctest.Test(t, func(t *testing.T) {
//		server := authtest.NewServer(t, authtest.Config{InMemory: true})
//		transport := server.Transport() // what reaches it
//		...
//		time.Sleep(7 * 24 * time.Hour)
//	})
//
// # Other languages
//
// Run runs a server on its own, with the buttons served over HTTP (Config.Buttons); examples/authserver is nothing
// but a call of it.
//
// The server never logs, and its error texts, and those of its responses, hold no token and no password.
package authtest
