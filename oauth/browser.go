package oauth

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
)

// browser logs in through the system's browser (RFC 8252): the response comes to a port of this machine that is
// open only meanwhile, or is pasted where the browser is on another machine.
func (x *exchange) browser(ctx context.Context) (auth.Session, error) {
	listeners, redirectURI, err := listen(ctx, x.c.RedirectURI, x.earlierPort())
	if err != nil {
		return auth.Session{}, x.mistake("listening for the browser's response: %w", err)
	}
	responses := make(chan url.Values, 1)
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second}
	defer closeServer(server, listeners)
	if err := x.introduce(ctx, redirectURI); err != nil {
		return auth.Session{}, err
	}
	a, err := x.authorization(ctx, redirectURI, x.consent(), "")
	if err != nil {
		return auth.Session{}, err
	}
	server.Handler = x.callback(a, responses)
	for _, l := range listeners {
		go server.Serve(l) // ends with closeServer
	}
	response, err := x.await(ctx, a, responses)
	if err != nil {
		return auth.Session{}, err
	}
	code, err := x.code(a, response)
	if err != nil {
		return auth.Session{}, err
	}
	return x.redeem(ctx, a, code, auth.Session{})
}

// await shows the page, opens it, and waits for its response.
func (x *exchange) await(ctx context.Context, a authorization, responses chan url.Values) (url.Values, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	x.c.Prompt(Prompt{URL: a.url})
	go func() {
		if x.c.OpenBrowser(a.url) != nil {
			x.paste(ctx, a, responses)
		}
	}()
	select {
	case response := <-responses:
		return response, nil
	case <-ctx.Done():
		return nil, x.mistake("waiting for a login in the browser: %w", context.Cause(ctx))
	}
}

// maxPastes is how often a person may paste something else.
const maxPastes = 5

// paste takes the address that a browser elsewhere ended at. It is as good as what the browser brings itself: state,
// issuer and code are checked in the same way.
func (x *exchange) paste(ctx context.Context, a authorization, responses chan<- url.Values) {
	for range maxPastes {
		address, err := x.c.Paste(ctx)
		if err != nil {
			return // there is nobody to ask
		}
		if q := pasted(address); q.Get("state") == a.state {
			deliver(responses, q)
			return
		}
	}
}

// pasted is the query of an address, or of what a person has copied of it.
func pasted(address string) url.Values {
	address = strings.TrimSpace(address)
	if _, query, found := strings.Cut(address, "?"); found {
		address = query
	}
	address, _, _ = strings.Cut(address, "#")
	q, err := url.ParseQuery(address)
	if err != nil {
		return nil
	}
	return q
}

// deliver hands the first response on; there is room for one.
func deliver(responses chan<- url.Values, q url.Values) {
	select {
	case responses <- q:
	default:
	}
}
