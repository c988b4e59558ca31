// Package oauthtest is an OAuth 2.0 and OpenID provider, and an API that it protects, for tests of clients that log in at
// one: real HTTP, strict where it matters (PKCE, codes of one use, refresh tokens that rotate, and whose reuse ends all that
// the login gave), with people who are scripted. It needs no network and no browser.
//
//	client, provider := oauthtest.NewClient(t, oauthtest.Config{}, silentrefresh.Config{}) // logged in by browser; both are closed for you
//	provider.RevokeAccess()
//	// send requests with client.HTTPClient(): they should succeed, and
//	if n := provider.Counters(); n.Refreshes != 1 || n.Reuses != 0 { ... }
//
// # Logins
//
// NewProvider starts a provider alone. A program under test is led to it by Provider.URL as its issuer and ClientID, and
// reaches it through Provider.Transport. Provider.Browse is a person's browser, for oauth.Config.OpenBrowser: it follows the
// authorization request to where it leads, the program's own port on loopback. Provider.Decide enters the code that a device
// shows, or declines. Provider.Session begins a session as a browser elsewhere would, for prompt=none.
// Provider.ClientConfig has it all, for each oauth.Flow.
//
// A Config says what kind of server to be: lifetimes, rotation, grace, a client with a secret, registration, pushed requests,
// DPoP, resource indicators, and which lies to tell. Methods of Provider are the buttons to press while it runs: ExpireAll,
// RevokeAccess, RevokeGrants, EndSessions, Forget, Down. Provider.Fault plays a script of faults, such as responses that are
// lost after the refresh token was spent. Counters and Calls show what the provider has seen.
//
// # A week in a second
//
// Inside a testing/synctest bubble the provider is in memory by itself, and so is the port on which a client of package oauth
// waits for the browser.
//
//	synctest.Test(t, func(t *testing.T) {
//		client, provider := oauthtest.NewClient(t, oauthtest.Config{}, silentrefresh.Config{})
//		...
//		time.Sleep(7 * 24 * time.Hour)
//	})
//
// Servers without OAuth, whose login is a password and whose session is a cookie or a token in JSON, are those of package
// authtest in silentrefresh itself.
package oauthtest
