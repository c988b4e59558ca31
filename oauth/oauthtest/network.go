package oauthtest

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/bubble"
	"github.com/silentrefresh/silentrefresh/internal/memnet"
	"github.com/silentrefresh/silentrefresh/oauth/internal/socket"
)

// In a bubble, a client's own port, to which the browser comes back, is in memory too.
func init() {
	onTheNetwork := socket.Listen
	socket.Listen = func(ctx context.Context, network, address string) (net.Listener, error) {
		if bubble.Inside() {
			return memnet.Listen(address)
		}
		return onTheNetwork(ctx, network, address)
	}
}

// A site is the provider's address and its HTTP server.
type site struct {
	listener net.Listener
	inMemory bool
	server   *http.Server
	closing  chan struct{}
	once     sync.Once
	handlers sync.WaitGroup
	serving  sync.WaitGroup

	mu         sync.Mutex
	closed     bool
	transports []*http.Transport
}

func open(inMemory bool) (*site, error) {
	s := &site{inMemory: inMemory, closing: make(chan struct{})}
	var err error
	if inMemory {
		s.listener, err = memnet.Listen("")
	} else {
		s.listener, err = net.Listen("tcp", "127.0.0.1:0")
	}
	return s, err
}

func (s *site) serve(h http.Handler) {
	s.server = &http.Server{
		ErrorLog: log.New(io.Discard, "", 0), // it would speak of aborted handlers: our faults
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !s.arrive() {
				panic(http.ErrAbortHandler)
			}
			defer s.handlers.Done()
			h.ServeHTTP(w, r)
		}),
	}
	s.serving.Go(func() { s.server.Serve(s.listener) })
}

func (s *site) arrive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.handlers.Add(1)
	return true
}

func (s *site) close() {
	s.once.Do(func() {
		s.mu.Lock()
		s.closed = true
		close(s.closing)
		s.mu.Unlock()
		s.listener.Close() // the server knows it only once it serves
		s.server.Close()
		s.serving.Wait()
		s.handlers.Wait()
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.transports {
		t.CloseIdleConnections()
	}
}

func (s *site) transport() *http.Transport {
	t := &http.Transport{DialContext: dial, IdleConnTimeout: 90 * time.Second}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.transports = append(s.transports, t)
	return t
}

// dial reaches what is in memory, and else the network: a program's API may be a server of httptest's.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	if host, port, err := net.SplitHostPort(address); err == nil && host == "localhost" {
		if conn, err := dial(ctx, network, net.JoinHostPort("127.0.0.1", port)); err == nil {
			return conn, nil
		}
		address = net.JoinHostPort("::1", port)
	}
	conn, err := memnet.Dial(ctx, network, address)
	if !errors.Is(err, syscall.ECONNREFUSED) || bubble.Inside() {
		return conn, err
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}
