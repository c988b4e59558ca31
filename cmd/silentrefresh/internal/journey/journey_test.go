package journey

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// isDial reports whether err says that there was no connection.
func isDial(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// TestF96_TheJourney of requests in all its stages, at servers that close at each of them.
func TestF96_TheJourney(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + listener.Addr().String()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			http.ReadRequest(bufio.NewReader(conn))
			conn.Close()
		}
	}()
	stage := func() Stage {
		ctx, j := Begin(context.Background())
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := (Transport{&http.Transport{}}).RoundTrip(req); err == nil {
			t.Errorf("the error is %v", err)
		}
		return j.Stage()
	}
	if got := stage(); got != Written {
		t.Errorf("a server that reads and closes: stage %d", got)
	}
	listener.Close()
	if got := stage(); got != Unsent {
		t.Errorf("no server: stage %d", got)
	}
}

// TestF96_ADeadConnection that was kept, and a server that is gone since: net/http tries again by itself, and cannot.
func TestF96_ADeadConnection(t *testing.T) {
	for method, want := range map[string]Stage{http.MethodPost: Unsent, http.MethodGet: Begun} {
		s := httptest.NewServer(http.NotFoundHandler())
		transport := Transport{&http.Transport{}}
		send := func(ctx context.Context) error {
			req, err := http.NewRequestWithContext(ctx, method, s.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := transport.RoundTrip(req)
			if err == nil {
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
			return err
		}
		if err := send(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.Listener.Close()
		s.CloseClientConnections()
		ctx, j := Begin(t.Context())
		if err := send(ctx); err == nil || !isDial(err) && j.Stage() == Unsent {
			t.Errorf("%s: %v", method, err)
		} else if got := j.Stage(); isDial(err) && got != want && got != Unsent { // the end may have been noticed before
			t.Errorf("%s: stage %d, want %d; %v", method, got, want, err)
		}
	}
}
