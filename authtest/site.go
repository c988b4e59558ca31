package authtest

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/memnet"
)

// A site is one address and the HTTP server behind it.
type site struct {
	url    string
	addr   string
	listen func(addr string) (net.Listener, error)
	server *http.Server

	mu       sync.Mutex
	listener net.Listener // nil while connections are refused
	closed   bool
	serving  sync.WaitGroup // goroutines that accept
	conns    sync.WaitGroup
}

// newSite takes the address; start begins to serve there.
func newSite(c *Config, addr string, h http.Handler) (*site, error) {
	s := &site{addr: addr, listen: listenTCP, server: &http.Server{
		Handler: h, Protocols: new(http.Protocols),
		ErrorLog: log.New(io.Discard, "", 0), // it would speak of aborted handlers and broken handshakes: our faults
	}}
	s.server.ConnState = s.connState
	s.server.Protocols.SetHTTP1(true)
	s.server.Protocols.SetHTTP2(c.HTTP2 && c.TLS)
	s.server.Protocols.SetUnencryptedHTTP2(c.HTTP2 && !c.TLS)
	if c.InMemory {
		s.listen = listenInMemory
	}
	scheme := "http://"
	if c.TLS {
		scheme = "https://"
		s.server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{identity().certificate}}
	}
	l, err := s.listen(addr)
	if err != nil {
		return nil, err
	}
	s.addr = l.Addr().String()
	s.url = scheme + s.addr
	s.listener = l
	return s, nil
}

// start serves: not before whatever the handler uses is in its place.
func (s *site) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serve(s.listener)
}

func listenTCP(addr string) (net.Listener, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	return net.Listen("tcp", addr)
}

func listenInMemory(addr string) (net.Listener, error) { return memnet.Listen(addr) }

// serve needs s.mu, or that nobody else knows s.
func (s *site) serve(l net.Listener) {
	s.listener = l
	s.serving.Go(func() { s.serveUntilClosed(l) })
}

// serveUntilClosed is what a stack shows of a server that nobody closes.
func (s *site) serveUntilClosed(l net.Listener) {
	if s.server.TLSConfig != nil {
		s.server.ServeTLS(l, "", "")
	} else {
		s.server.Serve(l)
	}
}

// refuse gives the address up. Connections that are open stay.
func (s *site) refuse() {
	s.mu.Lock()
	if s.listener != nil {
		s.listener.Close()
		s.listener = nil
	}
	s.mu.Unlock()
	s.serving.Wait()
}

// accept takes the address back. While somebody else has it, accept waits.
func (s *site) accept() {
	for !s.tryAccept() {
		time.Sleep(10 * time.Millisecond)
	}
}

func (s *site) tryAccept() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.listener != nil {
		return true
	}
	l, err := s.listen(s.addr)
	if err != nil {
		return false
	}
	s.serve(l)
	return true
}

// close ends all connections and waits until they are gone; a hijacked one is its handler's.
func (s *site) close() {
	s.mu.Lock()
	s.closed = true
	if s.listener != nil {
		s.listener.Close() // the server knows it only once it serves
	}
	s.mu.Unlock()
	s.server.Close()
	s.serving.Wait()
	s.conns.Wait()
}

// connState counts connections. One that is accepted while the server is being closed is nobody else's to close.
func (s *site) connState(c net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.conns.Add(1)
		s.mu.Lock()
		closed := s.closed
		s.mu.Unlock()
		if closed {
			c.Close()
		}
	case http.StateClosed, http.StateHijacked:
		s.conns.Done()
	}
}

func newTransport(c *Config) *http.Transport {
	t := &http.Transport{
		DialContext:     (&net.Dialer{}).DialContext,
		Protocols:       new(http.Protocols),
		IdleConnTimeout: 90 * time.Second,
	}
	t.Protocols.SetHTTP1(!c.HTTP2 || c.TLS) // without TLS nothing negotiates the version
	t.Protocols.SetHTTP2(c.HTTP2 && c.TLS)
	t.Protocols.SetUnencryptedHTTP2(c.HTTP2 && !c.TLS)
	if c.InMemory {
		t.DialContext = memnet.Dial
	}
	if c.TLS {
		t.TLSClientConfig = &tls.Config{RootCAs: identity().roots}
	}
	return t
}
