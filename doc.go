// Package silentrefresh keeps an HTTP client logged in.
//
//	client, err := silentrefresh.New(silentrefresh.Config{BaseURL: "https://api.example.com"})
//	...
//	defer client.Close()
//	err = client.Login(ctx, map[string]string{"email": email, "password": password})
//	...
//	resp, err := client.HTTPClient().Get("https://api.example.com/me")
//	if errors.Is(err, silentrefresh.ErrSessionOver) {
//		// only a login helps
//	}
//
// The access token lives in memory and is attached to requests for the server's origin. The refresh token lives in a
// cookie that only the auth endpoints ever see, or where the server wants it. The token is renewed before it
// expires; when the API rejects it early, one refresh serves all requests that were rejected, and each of them is
// replayed once. No caller notices.
//
// # Beyond one process
//
// With a Store, a session survives restarts, and processes that share one act as one: what one renews, the others
// adopt without the network. Package filestore keeps sessions in encrypted files:
//
//	store, err := filestore.Default("myapp")
//	...
//	client, err := silentrefresh.New(silentrefresh.Config{BaseURL: base, Store: store})
//	_, err = client.Token(ctx) // waits for the refresh at the start, if one is needed
//	if errors.Is(err, silentrefresh.ErrNoSession) || errors.Is(err, silentrefresh.ErrSessionOver) ||
//		filestore.Unreadable(err) {
//		err = client.Login(ctx, credentials)
//	}
//
// The modules redisstore and sqlstore do the same for replicas on many machines, oauth for logins that live at an identity
// provider, keyringstore keeps filestore's key in the keychain of the operating system. Store is a small interface,
// and package storetest tells whether one keeps its promises.
//
// Of processes that start together without a session, each logs in as above. Config.Credentials does so once for all.
//
// # Other servers
//
// Where a server differs from the usual, Config.Endpoint says how, by the fields of endpoint.Settings: where the token
// appears in responses, how a refresh is asked for, what protects it against forgery. They are independent choices.
// What no setting can say, an auth.Exchanger of your own can: it exchanges one session for the next, and the Client
// does the rest.
//
// # Beyond HTTP
//
// Client.Call does for any other call what Transport does for a request: it is made with a token, and once more with a newer
// one where the API rejects that. The modules grpcrefresh and connectrefresh do so for gRPC and Connect. Config.Observe and
// Config.ObserveWait tell what happens and who waits for it; the module otelrefresh passes that on to OpenTelemetry.
//
// # What an error means
//
// A request that was sent returns the server's response; one that was not sent returns an error. ErrNoSession says
// that nobody has logged in, ErrSessionOver that only a login helps, ErrClosed that the Client was closed. Any other
// *auth.Error of a request (errors.As finds it) will pass: its Until says until when the next attempt is postponed.
// Login returns one for wrong credentials too, with Refused set.
//
// So the request that finds out that the session is over returns the server's 401, and those after it ErrSessionOver.
// Client.Status tells such a 401 from any other: its State is StateOver.
//
// # Testing
//
// Package authtest is an auth server for your own tests, with tokens that expire on demand and faults at the press
// of a button; its NewClient gives a Client that is logged in. Inside a testing/synctest bubble a week of a session takes
// a second. Package oauthtest, in the module oauth, is the same for logins at an identity provider.
//
// # How it is built
//
// Three floors: package auth is the vocabulary, package endpoint and the module oauth are the exchangers, which know how
// one kind of server is talked to, and this package is the engine, which knows when. In the order in which a request
// passes through it:
//
//	config.go     what there is to set, and every mistake in it at once
//	client.go     New, Fork, Login, Resume, Renew, Logout, Close
//	transport.go  one request: attach the token, and replay once; it waits in renew.go, and does no I/O of its own
//	state.go      what a request sees of the session: an immutable snapshot
//	jar.go        which of the session's cookies go to the API; which are taken at all, and which URL gets them, is decided in
//	              auth: jar.go, cookie.go and cookieurl.go
//	handout.go    what API responses bring along: a newer token, cookies
//	rejection.go  whether a 401 means the token, or is an endpoint's own peculiarity
//
// and then, where a token has to be renewed:
//
//	renew.go      asking for a refresh: wait, join the one that is under way, or begin one, of which there is one at a time
//	refresh.go    one refresh: adopt what another process saved, or spend a credential under the record's lock
//	lock.go       the record's lock, which is the Store's, and watching it while one waits
//	exchange.go   one call of the Exchanger, and whether its failure is definite
//	guard.go      how code that is not ours is called
//	refusal.go    what a refresh does where it was not given the next session, and what ends one; what a response means, a
//	              403 say, is read in endpoint/refusal.go and internal/refusal
//	persist.go    saving, and saving again
//	session.go    what is known of the session, behind a mutex that calls nobody
//	budget.go     the governor: how many exchanges a session may have
//	backoff.go    when to try again
//	scheduler.go  what is due when, derived from all that
//	event.go      what happened, and observer.go, which tells it outside every lock
//	status.go     how the session stands, and errors.go, what callers decide on
//	token.go      the token itself, for what is not plain HTTP, and call.go, one such call: repeated once
//	store.go      what a Store must promise
//
// Two kinds of lock are kept apart. A mutex is held for a few assignments, and never while code runs that was given to
// the Client. The record's lock is held through a refresh: under it, and under no mutex, the Exchanger and Credentials
// run.
//
// The promises are listed in docs/PROMISES.md; each has a test that carries its number.
package silentrefresh
