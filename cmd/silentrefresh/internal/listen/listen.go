// Package listen listens on all addresses of a name.
package listen

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
)

// OnAll listens on every address that the host of address has on this machine, at one port. The listener's Addr is one
// beyond loopback if there is any.
func OnAll(ctx context.Context, address string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	ips, err := addresses(ctx, host)
	if err != nil {
		return nil, err
	}
	if len(ips) == 0 {
		return net.Listen("tcp", address)
	}
	const tries = 10 // for a port of the system's choice that is free at one address and taken at another
	for try := 1; ; try++ {
		l, err := listenAt(ips, port)
		if err == nil || port != "0" || try == tries {
			return l, err
		}
	}
}

// addresses are those of a name; none for an address, and for an empty host, which is all of them.
func addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	switch _, err := netip.ParseAddr(host); {
	case host == "" || err == nil:
		return nil, nil
	case strings.EqualFold(strings.TrimSuffix(host, "."), "localhost"):
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}, nil // RFC 6761 section 6.3
	}
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

// listenAt listens at all of ips that this machine has. One that it does not have nobody else can take either.
func listenAt(ips []netip.Addr, port string) (net.Listener, error) {
	all := &listeners{accepted: make(chan accepted), done: make(chan struct{})}
	var absent error
	for _, ip := range ips {
		l, err := net.Listen("tcp", net.JoinHostPort(ip.Unmap().String(), port))
		if err != nil && !has(ip) {
			absent = err
			continue
		}
		if err != nil {
			all.Close()
			return nil, err
		}
		all.listeners = append(all.listeners, l)
		port = strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	}
	if len(all.listeners) == 0 {
		return nil, absent
	}
	for _, l := range all.listeners {
		go all.acceptFrom(l)
	}
	return all, nil
}

// has reports whether this machine has the address.
func has(ip netip.Addr) bool {
	l, err := net.Listen("tcp", net.JoinHostPort(ip.Unmap().String(), "0"))
	if err == nil {
		l.Close()
	}
	return err == nil
}

// Loopback reports whether only this machine reaches addr.
func Loopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// listeners are several listeners as one.
type listeners struct {
	listeners []net.Listener
	accepted  chan accepted
	done      chan struct{}
	once      sync.Once
}

type accepted struct {
	conn net.Conn
	err  error
}

func (l *listeners) acceptFrom(one net.Listener) {
	for {
		conn, err := one.Accept()
		select {
		case l.accepted <- accepted{conn, err}:
		case <-l.done:
			if conn != nil {
				conn.Close()
			}
			return
		}
	}
}

// Accept implements net.Listener.
func (l *listeners) Accept() (net.Conn, error) {
	select {
	case a := <-l.accepted:
		return a.conn, a.err
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *listeners) Close() error {
	var errs []error
	l.once.Do(func() {
		close(l.done)
		for _, one := range l.listeners {
			errs = append(errs, one.Close())
		}
	})
	return errors.Join(errs...)
}

// Addr implements net.Listener: the first address, or one beyond loopback if there is any.
func (l *listeners) Addr() net.Addr {
	for _, one := range l.listeners {
		if !Loopback(one.Addr()) {
			return one.Addr()
		}
	}
	return l.listeners[0].Addr()
}
