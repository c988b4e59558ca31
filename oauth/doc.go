// Package oidc keeps an HTTP client logged in through an identity provider: OpenID Connect Core 1.0 over OAuth 2.0,
// as an Exchanger for silentrefresh.Config.
//
//	idp, err := oauth.New(oauth.Config{
//		Issuer:   "https://login.example.com",
//		ClientID: "my-app",
//	})
//	store, err := filestore.Default("my-app")
//	client, err := silentrefresh.New(silentrefresh.Config{
//		BaseURL:   "https://api.example.com",
//		Exchanger: idp,
//		Store:     store,
//	})
//	err = client.Login(ctx, nil) // opens the browser
//
// # The first session
//
// Config.Flow says how a person logs in: Browser opens the system's browser and waits on a loopback port
// (RFC 8252), Device shows a code to be entered on another device (RFC 8628), and Silent needs no person, but a
// session that the provider already knows: Cookies brought to Client.Login, or a Session with cookies brought to
// Client.Resume. Browser and Device run only while somebody waits for Client.Login, never from a timer.
//
// # Renewing
//
// A refresh token comes first (RFC 6749 section 6). Where there is none, or the provider refuses it, silent
// authentication is the second way: the authorization request of a browser, with prompt=none (OpenID Connect Core
// section 3.1.2.1), through the jar that holds the provider's cookies. Redirects are followed within the provider's
// origins only, and the redirect URI itself is never fetched: its query is the response. Every request carries PKCE
// with S256 (RFC 7636), a state and a nonce; every ID token is verified (section 3.1.3.7), and it must name the
// same subject as the one before. What ends the session: invalid_grant where no silent authentication is possible,
// and login_required, interaction_required, consent_required or account_selection_required, which mean that a
// person is needed. Everything else is tried again later.
//
// A client secret travels as Config.ClientAuth says, else as the discovery document says; the two ways are never
// tried in turn, because a refresh token may be good for one request only.
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
// straight from the provider, and a machine whose clock is wrong can still log in.
//
// # Sender-constrained tokens
//
// DPoP (RFC 9449) is not here yet, and nothing is in its way: its proof is a header of each request, so it
// belongs in a RoundTripper below ours (silentrefresh.Config.Base), which also sees the requests of this
// package; and its key can travel in Session.Extra, a JSON document to which fields can be added.
package oauth
