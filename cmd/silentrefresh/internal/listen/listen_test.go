package listen

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
)

// TestListeners: connections to each address are accepted, and Close ends all.
func TestListeners(t *testing.T) {
	ips, err := addresses(t.Context(), "localhost")
	if err != nil {
		t.Fatal(err)
	}
	l, err := listenAt(ips, "0")
	if err != nil {
		t.Fatal(err)
	}
	all := l.(*listeners)
	for _, one := range all.listeners {
		conn, err := net.Dial("tcp", one.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		accepted, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		accepted.Close()
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("the connection to %s: %v", one.Addr(), err)
		}
		conn.Close()
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	for _, one := range all.listeners {
		if conn, err := net.Dial("tcp", one.Addr().String()); err == nil {
			conn.Close()
			t.Errorf("%s accepts still", one.Addr())
		}
	}
}

// TestAnAddressThatIsNotHere is no obstacle to the others, unless there is none.
func TestAnAddressThatIsNotHere(t *testing.T) {
	elsewhere, here := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("127.0.0.1")
	l, err := listenAt([]netip.Addr{elsewhere, here}, "0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if !Loopback(l.Addr()) {
		t.Errorf("listens on %s", l.Addr())
	}
	if _, err := listenAt([]netip.Addr{elsewhere}, "0"); err == nil {
		t.Error("listens nowhere")
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	if _, err := OnAll(t.Context(), "localhost:"+port); err == nil {
		t.Error("a port that is taken in one family was taken in the other")
	}
	for _, bad := range []string{"", "localhost", "localhost:99999", "[::1"} {
		if _, err := OnAll(t.Context(), bad); err == nil {
			t.Errorf("listens on %q", bad)
		}
	}
}
