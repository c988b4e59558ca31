package oauth

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/oauth/internal/socket"
)

// listen opens the port that redirectURI names, and returns the URI with it. Where it names none, that is the port
// earlier, if it is free, or any. The name localhost is both IPv4's and IPv6's: a browser may try either.
func listen(ctx context.Context, redirectURI, earlier string) ([]net.Listener, string, error) {
	u, err := url.Parse(redirectURI)
	if err != nil {
		return nil, "", err
	}
	ports := []string{u.Port()}
	if u.Port() == "" || u.Port() == "0" {
		ports = []string{earlier, "0"}
	}
	err = errors.New("no port")
	for _, port := range ports {
		if port == "" {
			continue
		}
		var listeners []net.Listener
		if listeners, err = listenAt(ctx, u.Hostname(), port); err == nil {
			u.Host = net.JoinHostPort(u.Hostname(), portOf(listeners[0]))
			return listeners, u.String(), nil
		}
	}
	return nil, "", err
}

// listenAt listens at host's loopback addresses.
func listenAt(ctx context.Context, host, port string) ([]net.Listener, error) {
	if !strings.EqualFold(host, "localhost") {
		l, err := socket.Listen(ctx, "tcp", net.JoinHostPort(host, port))
		return []net.Listener{l}, err
	}
	first, err := listenAt(ctx, "127.0.0.1", port)
	if err != nil {
		return listenAt(ctx, "::1", port) // a machine with IPv6 only
	}
	if second, err := listenAt(ctx, "::1", portOf(first[0])); err == nil {
		return append(first, second...), nil
	}
	return first, nil // one with IPv4 only
}

func portOf(l net.Listener) string { return strconv.Itoa(l.Addr().(*net.TCPAddr).Port) }

// closeServer lets the page reach the browser before it closes the port.
func closeServer(s *http.Server, listeners []net.Listener) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if s.Shutdown(ctx) != nil {
		s.Close()
	}
	for _, l := range listeners {
		l.Close() // again, or for the first time where nothing was served
	}
}

// callback takes the first response that carries a's state. Others are turned away, or any page on the machine
// could end the login.
func (x *exchange) callback(a authorization, responses chan<- url.Values) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u := *r.URL
		u.Scheme, u.Host = "http", r.Host
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
		q := r.URL.Query()
		if r.Method != http.MethodGet || !isResponse(&u, a.redirectURI) {
			http.NotFound(w, r)
			return
		}
		if q.Get("state") != a.state {
			http.Error(w, "This response belongs to another login. Nothing has happened.", http.StatusBadRequest)
			return
		}
		_, err := x.code(a, q)
		x.c.Page(w, r, err)
		deliver(responses, q)
	})
}
