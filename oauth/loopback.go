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
		return listenOn(ctx, host, port)
	}
	for range 4 {
		if both, err := listenOnBoth(ctx, port); err == nil || port != "0" {
			return both, err
		}
	}
	return listenOnBoth(ctx, port)
}

// listenOnBoth listens at both families' loopback addresses, or at one where the machine has no other. A port that
// somebody has in the other family will not do: the browser might bring the code there.
func listenOnBoth(ctx context.Context, port string) ([]net.Listener, error) {
	const ipv4, ipv6 = "127.0.0.1", "::1"
	first, err := listenOn(ctx, ipv4, port)
	if err != nil {
		if has(ctx, ipv4) {
			return nil, err
		}
		return listenOn(ctx, ipv6, port)
	}
	second, err := listenOn(ctx, ipv6, portOf(first[0]))
	if err == nil || !has(ctx, ipv6) {
		return append(first, second...), nil
	}
	first[0].Close()
	return nil, err
}

// has reports whether this machine has the loopback address.
func has(ctx context.Context, address string) bool {
	l, err := listenOn(ctx, address, "0")
	if err == nil {
		l[0].Close()
	}
	return err == nil
}

func listenOn(ctx context.Context, address, port string) ([]net.Listener, error) {
	l, err := socket.Listen(ctx, "tcp", net.JoinHostPort(address, port))
	if err != nil {
		return nil, err
	}
	return []net.Listener{l}, nil
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
