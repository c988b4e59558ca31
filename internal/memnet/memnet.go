// Package memnet is a TCP network in memory: connections with buffers and deadlines, between goroutines of one
// process. Everything that waits in it waits on channels and timers made by the caller's side, so a whole HTTP
// server with its clients can run inside a testing/synctest bubble.
//
// An address belongs to one listener at a time. It looks like a loopback address, and has nothing to do with the
// machine's own ports.
package memnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
)

// The ports that are given out, in turn, as long as nobody listens there.
const firstPort, maxPort = 20000, 65535

var (
	mu        sync.Mutex
	listeners = map[string]*Listener{}
	lastPort  = firstPort
)

// A Listener is a net.Listener of this network.
type Listener struct {
	addr    *net.TCPAddr
	backlog chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

// Listen takes addr. Port 0 stands for one of its own choice, and "" for one of IPv4's loopback address.
func Listen(addr string) (*Listener, error) {
	mu.Lock()
	defer mu.Unlock()
	tcp, err := resolve(addr)
	if err != nil {
		return nil, err
	}
	if listeners[tcp.String()] != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: tcp, Err: syscall.EADDRINUSE}
	}
	l := &Listener{addr: tcp, backlog: make(chan net.Conn), closed: make(chan struct{})}
	listeners[tcp.String()] = l
	return l, nil
}

func resolve(addr string) (*net.TCPAddr, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	tcp, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("memnet: listen on %q: %w", addr, err)
	}
	if tcp.Port == 0 {
		tcp.Port = nextPort(tcp.IP)
	}
	return tcp, nil
}

// nextPort is a port of ip at which nobody listens. The caller holds the lock.
func nextPort(ip net.IP) int {
	for {
		if lastPort++; lastPort > maxPort {
			lastPort = firstPort
		}
		if listeners[(&net.TCPAddr{IP: ip, Port: lastPort}).String()] == nil {
			return lastPort
		}
	}
}

// Accept waits for the next connection. After Close it returns net.ErrClosed.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.backlog:
		return c, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.addr, Err: net.ErrClosed}
	}
}

// Close gives the address up: whoever dials it is refused. Connections live on.
func (l *Listener) Close() error {
	err := net.ErrClosed
	l.once.Do(func() {
		mu.Lock()
		defer mu.Unlock()
		delete(listeners, l.addr.String())
		close(l.closed)
		err = nil
	})
	return err
}

// Addr is the address.
func (l *Listener) Addr() net.Addr { return l.addr }

// Dial connects to the listener at addr. Where nobody listens, and where the listener is closed before it accepts,
// the connection is refused. Its signature is the one of http.Transport.DialContext.
func Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	l, from := find(addr)
	if l == nil {
		return nil, dialError(network, nil, syscall.ECONNREFUSED)
	}
	client, server := Pipe(from, l.addr)
	select {
	case l.backlog <- server:
		return client, nil
	case <-l.closed:
		return nil, dialError(network, l.addr, syscall.ECONNREFUSED)
	case <-ctx.Done():
		return nil, dialError(network, l.addr, contextError(ctx))
	}
}

func find(addr string) (*Listener, *net.TCPAddr) {
	mu.Lock()
	defer mu.Unlock()
	l := listeners[addr]
	if l == nil {
		return nil, nil
	}
	return l, &net.TCPAddr{IP: l.addr.IP, Port: nextPort(l.addr.IP)}
}

func dialError(network string, to net.Addr, err error) error {
	return &net.OpError{Op: "dial", Net: network, Addr: to, Err: err}
}

// contextError is what package net makes of a context that ended while dialing.
func contextError(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("i/o timeout: %w", context.DeadlineExceeded)
	}
	return ctx.Err()
}
