package memnet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/nettest"

	"github.com/silentrefresh/silentrefresh/internal/memnet"
)

// connect returns the two ends of a connection through a listener.
func connect(t *testing.T) (client, server net.Conn) {
	t.Helper()
	l, err := memnet.Listen("")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		c, _ := l.Accept()
		accepted <- c
	}()
	client, err = memnet.Dial(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server = <-accepted
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

func TestConnDoesWhatConnectionsDo(t *testing.T) {
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		a, b := memnet.Pipe(&net.TCPAddr{Port: 1}, &net.TCPAddr{Port: 2})
		return a, b, func() { a.Close(); b.Close() }, nil
	})
}

func TestWritesAreBuffered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := connect(t)
		sent := bytes.Repeat([]byte("x"), 200<<10)
		var wrote error
		go func() {
			_, wrote = client.Write(sent)
			client.(interface{ CloseWrite() error }).CloseWrite()
		}()
		synctest.Wait() // the buffer is full
		got, err := io.ReadAll(server)
		if wrote != nil || err != nil || !bytes.Equal(got, sent) {
			t.Errorf("wrote with %v, read %d bytes with %v", wrote, len(got), err)
		}
		if _, err := server.Write([]byte("still open")); err != nil {
			t.Errorf("writing back after CloseWrite of the other end: %v", err)
		}
		if _, err := client.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("writing after CloseWrite: %v", err)
		}
	})
}

func TestCloseLeavesWhatWasWritten(t *testing.T) {
	client, server := connect(t)
	io.WriteString(server, "goodbye")
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	if got, err := io.ReadAll(client); string(got) != "goodbye" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
	if _, err := client.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("writing to a closed end: %v", err)
	}
	if err := server.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closing twice: %v", err)
	}
}

func TestResetLosesWhatWasWritten(t *testing.T) {
	client, server := connect(t)
	io.WriteString(server, "never read")
	server.(interface{ SetLinger(int) error }).SetLinger(0)
	server.Close()
	if got, err := io.ReadAll(client); len(got) != 0 || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read %q, %v", got, err)
	}
}

func TestDeadlineCanBeMovedWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := connect(t)
		start := time.Now()
		client.SetReadDeadline(start.Add(time.Hour))
		go func() {
			time.Sleep(time.Minute)
			client.SetReadDeadline(start.Add(2 * time.Minute))
		}()
		_, err := client.Read(make([]byte, 1))
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 2*time.Minute {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("%v does not say that it is a timeout", err)
		}
		client.SetReadDeadline(time.Time{})
		go func() {
			time.Sleep(time.Minute)
			client.Close()
		}()
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("after the deadline was taken back: %v", err)
		}
	})
}

func TestDialWhereNobodyListens(t *testing.T) {
	l, err := memnet.Listen("")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	_, err = memnet.Dial(t.Context(), "tcp", l.Addr().String())
	var dial *net.OpError
	if !errors.As(err, &dial) || dial.Op != "dial" || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial: %v", err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept: %v", err)
	}
}

func TestCloseRefusesWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, err := memnet.Listen("")
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if _, err := memnet.Dial(t.Context(), "tcp", l.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
					t.Errorf("dial: %v", err)
				}
			})
		}
		synctest.Wait()
		l.Close()
		wg.Wait()
	})
}

func TestDialEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, err := memnet.Listen("")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := memnet.Dial(ctx, "tcp", l.Addr().String()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("dial: %v", err)
		}
	})
}

func TestAddressBelongsToOneListener(t *testing.T) {
	l, err := memnet.Listen("127.0.0.1:7")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := memnet.Listen("127.0.0.1:7"); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("second listener: %v", err)
	}
	l.Close()
	again, err := memnet.Listen("127.0.0.1:7")
	if err != nil {
		t.Fatalf("after Close: %v", err)
	}
	again.Close()
	if _, err := memnet.Listen("no address"); err == nil {
		t.Error("a bad address was taken")
	}
}

// Ports are given out in turn and begin anew at the end, past those that somebody has.
func TestPortsDoNotRunOut(t *testing.T) {
	stays, err := memnet.Listen("")
	if err != nil {
		t.Fatal(err)
	}
	defer stays.Close()
	for range 50_000 {
		l, err := memnet.Listen("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if l.Addr().String() == stays.Addr().String() || l.Addr().(*net.TCPAddr).Port > 65535 {
			t.Fatalf("given %v", l.Addr())
		}
		l.Close()
	}
	if both, err := memnet.Listen(fmt.Sprintf("[::1]:%d", stays.Addr().(*net.TCPAddr).Port)); err != nil {
		t.Errorf("the same port of the other family: %v", err)
	} else {
		both.Close()
	}
}

func TestThousandsOfConnectionsCarryHTTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, err := memnet.Listen("")
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second) // so that all are there at one time
			io.Copy(w, r.Body)
		})}
		go server.Serve(l)
		defer server.Close()
		transport := &http.Transport{DialContext: memnet.Dial}
		defer transport.CloseIdleConnections()
		var wg sync.WaitGroup
		for i := range 1000 {
			wg.Go(func() {
				want := fmt.Sprint("request ", i)
				if got, err := post(transport, "http://"+l.Addr().String(), want); got != want || err != nil {
					t.Errorf("%q: %q %v", want, got, err)
				}
			})
		}
		start := time.Now()
		wg.Wait()
		if took := time.Since(start); took != time.Second {
			t.Errorf("took %v of the bubble's time: they waited for each other", took)
		}
	})
}

func post(transport http.RoundTripper, url, body string) (string, error) {
	resp, err := (&http.Client{Transport: transport}).Post(url, "text/plain", bytes.NewReader([]byte(body)))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return string(got), err
}
