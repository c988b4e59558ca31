package oauth

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
)

// browser logs in through the system's browser (RFC 8252): the response comes to a port of this machine that is
// open only meanwhile.
func (x *exchange) browser(ctx context.Context) (auth.Session, error) {
	listener, redirectURI, err := listen(ctx, x.c.RedirectURI)
	if err != nil {
		return auth.Session{}, x.mistake("listening for the browser's response: %w", err)
	}
	a := x.authorization(redirectURI, x.consent(), "")
	responses := make(chan url.Values, 1)
	server := &http.Server{Handler: callback(a, responses), ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(listener) // ends with close below
	response, err := x.await(ctx, a.url, responses)
	closeServer(server)
	if err != nil {
		return auth.Session{}, err
	}
	code, err := x.code(a, response)
	if err != nil {
		return auth.Session{}, err
	}
	return x.redeem(ctx, a, code, auth.Session{})
}

// consent is the prompt that a refresh token has to be asked for with (OpenID Connect Core section 11).
func (x *exchange) consent() string {
	for _, scope := range x.c.Scopes {
		if scope == "offline_access" && x.c.Params["prompt"] == "" {
			return "consent"
		}
	}
	return ""
}

// await opens the page and waits for its response.
func (x *exchange) await(ctx context.Context, page string, responses <-chan url.Values) (url.Values, error) {
	opened := make(chan error, 1)
	go func() { opened <- x.c.OpenBrowser(page) }()
	for {
		select {
		case response := <-responses:
			return response, nil
		case err := <-opened:
			if err != nil {
				x.c.Prompt(Prompt{URL: page})
			}
			opened = nil
		case <-ctx.Done():
			return nil, x.mistake("waiting for a login in the browser: %w", context.Cause(ctx))
		}
	}
}

// listen opens the port that redirectURI names, a free one if it names none, and returns the URI with the port.
func listen(ctx context.Context, redirectURI string) (net.Listener, string, error) {
	u, err := url.Parse(redirectURI)
	if err != nil {
		return nil, "", err
	}
	host := u.Hostname()
	if strings.EqualFold(host, "localhost") {
		host = "127.0.0.1"
	}
	port := u.Port()
	if port == "" {
		port = "0"
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, "", err
	}
	u.Host = net.JoinHostPort(u.Hostname(), fmt.Sprint(l.Addr().(*net.TCPAddr).Port))
	return l, u.String(), nil
}

// callback takes the first response that carries a's state. Others are turned away, or any page on the machine
// could end the login.
func callback(a authorization, responses chan<- url.Values) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u := *r.URL
		u.Scheme, u.Host = "http", r.Host
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Referrer-Policy", "no-referrer")
		q := r.URL.Query()
		switch {
		case r.Method != http.MethodGet || !isResponse(&u, a.redirectURI):
			http.NotFound(w, r)
			return
		case q.Get("state") != a.state:
			http.Error(w, "This response belongs to another login. Nothing has happened.", http.StatusBadRequest)
			return
		case q.Has("error"):
			fmt.Fprintln(w, "The login did not succeed. You can close this window; the program says why.")
		default:
			fmt.Fprintln(w, "You can close this window and go back to the program.")
		}
		select {
		case responses <- q:
		default: // responded already
		}
	})
}

// closeServer lets the page reach the browser before it closes the port.
func closeServer(s *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if s.Shutdown(ctx) != nil {
		s.Close()
	}
}
