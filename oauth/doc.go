// Package oauth keeps an HTTP client logged in at any OAuth 2.0 authorization server, as an Exchanger for
// silentrefresh.Config. OpenID Connect is what it adds where openid is asked for.
//
//	server, err := oauth.New(oauth.Config{
//		Issuer:   "https://login.example.com",
//		ClientID: "my-app",
//	})
//	store, err := filestore.Default("my-app")
//	client, err := silentrefresh.New(silentrefresh.Config{
//		BaseURL:   "https://api.example.com",
//		Exchanger: server,
//		Store:     store,
//	})
//	err = client.Login(ctx, nil) // opens the browser
//
// # Which server
//
// Config.Issuer names the authorization server; its metadata is found by RFC 8414 and OpenID Connect Discovery.
// Config.Resource names an API, whose metadata (RFC 9728) names the server; a challenge of the API may say where that
// is. APIs without metadata, as MCP had them before, are asked at the places of that time, but only when they say
// that they have none. Config.Endpoints are for servers without metadata. What calls itself something else than it was
// asked for by is an error.
//
// # The first session
//
// Config.Flow says how to get in. Browser opens the system's browser and waits on a loopback port (RFC 8252); where
// none opens, the address that a browser elsewhere ends at is pasted into the terminal. Device shows a code to be
// entered on another device (RFC 8628). Silent needs no person, but a session that the server already knows: Cookies
// brought to Client.Login, or a Session with cookies brought to Client.Resume. ClientCredentials, JWTBearer and
// TokenExchange need neither. Browser and Device run only while somebody waits for Client.Login, never from a timer.
//
// A program without a ClientID is registered (RFC 7591); the registration is kept in the session.
//
// # Renewing
//
// A refresh token comes first (RFC 6749 section 6), with the resource that it was asked for with (RFC 8707). Where there
// is none, or the server refuses it, a flow without a person runs again, and silent authentication is the second way of
// the others: the authorization request of a browser, with prompt=none (OpenID Connect Core section 3.1.2.1), through the
// jar that holds the server's cookies. Redirects are followed within the server's origins only, and the redirect URI
// itself is never fetched: its query is the response. Every authorization request carries PKCE with S256 (RFC 7636) and a
// state; every ID token is verified (section 3.1.3.7), and it must name the same subject as the one before.
//
// What ends the session: invalid_grant, and other refusals that name the refresh token and say that it is dead, where no
// second way is possible; login_required, interaction_required, consent_required or account_selection_required, which
// mean that a person is needed; and invalid_client for a client that the server had registered and has forgotten.
// Everything else is tried again later.
//
// How a client authenticates is settled by Config.ClientAuth, else by what is set and the metadata; two ways are never
// tried in turn, because a refresh token may be good for one request only.
//
// # More scopes
//
// Exchanger.StepUp is for programs with a person before them: a request that an API denies for want of a scope logs in
// again, for the union of scopes, and is sent again. Client.Login takes a Challenge, too.
//
// # Ending it
//
// Logout revokes the refresh token and the access token (RFC 7009) and ends the provider's own session at its
// end_session_endpoint (OpenID Connect RP-Initiated Logout 1.0), as far as it has these. A provider may insist on
// asking a person there; Logout then says so. A session that lives in the system's browser is not in our jar: it
// ends only if the provider goes by the ID token that Logout shows.
//
// # Clocks
//
// ID tokens are checked against the Date of the response that brought them, with two minutes of leeway: they come
// straight from the server, and a machine whose clock is wrong can still log in. Proofs and assertions are dated by the
// clock of the server that they are for.
//
// # Sender-constrained tokens
//
// Where an API takes bound tokens only, or Config.DPoP says so, a session has a key (RFC 9449), which is kept in
// Session.Extra and so in the Store, sealed as the tokens are. Proofs go to the token endpoint, and with each API request:
// Exchanger is an auth.RequestSigner. Nonces of both servers are followed without a refresh.
package oauth
