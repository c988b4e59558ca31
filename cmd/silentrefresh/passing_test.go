package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
)

// TestF98_WhatPassesIsNotALogin: scripts that log in at status 3 do not because of an outage, and all is well after it.
func TestF98_WhatPassesIsNotALogin(t *testing.T) {
	for name, fault := range map[string]authtest.Fault{
		"500":         {Kind: authtest.Status, Status: 500, Body: "x"},
		"429":         {Kind: authtest.Status, Status: 429},
		"drops":       {Kind: authtest.Drop},
		"garbage":     {Kind: authtest.Garbage},
		"interrupted": {Kind: authtest.Drop, Commit: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := authtest.NewServer(t, authtest.Config{Grace: time.Hour})
			b := newBox(t)
			b.ok("login", "--config", b.config(s, map[string]any{"max_wait": "-1s"}), "-d", credentials)
			s.RevokeAccess()
			s.Fault(fault, fault, fault)
			b.fails(exitPasses, []string{"/me returned 401 Unauthorized, and the token could not be renewed\n", "do:  try again"}, "request", "/me")
			if r := b.run("status"); r.code == exitLogin {
				t.Errorf("status: %s%s", r.out, r.err)
			}
			for late := time.Now().Add(20 * time.Second); b.run("request", "/me").code != 0; time.Sleep(100 * time.Millisecond) {
				if time.Now().After(late) {
					t.Fatal("the session did not come back")
				}
			}
		})
	}
}

// TestF98_OnlyALoginHelps after a refusal, whatever was lost before.
func TestF98_OnlyALoginHelps(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	s.RevokeAccess()
	s.Fault(authtest.Fault{Kind: authtest.Drop, Commit: true}) // the second use of the token ends the session
	for late := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		r := b.run("request", "/me")
		if r.code == exitLogin {
			break
		}
		if r.code != exitPasses || time.Now().After(late) {
			t.Fatalf("%d: %s", r.code, r.err)
		}
	}
	b.fails(exitLogin, []string{"do:  silentrefresh login\n"}, "token")
}

// deafServer has the endpoints of an authtest server, and at /pay reads a request, tells of it and closes the connection
// or holds it.
func deafServer(t *testing.T, hold bool) (url string, paid chan struct{}) {
	s := authtest.NewServer(t, authtest.Config{})
	paid = make(chan struct{}, 10)
	mux := http.NewServeMux()
	mux.HandleFunc("/pay", func(w http.ResponseWriter, req *http.Request) {
		req.Body.Read(make([]byte, 100))
		paid <- struct{}{}
		if hold {
			<-req.Context().Done()
		}
		panic(http.ErrAbortHandler)
	})
	mux.Handle("/", forward(s.URL()))
	front := httptest.NewServer(mux)
	t.Cleanup(front.Close)
	return front.URL, paid
}

// TestF96_WhatWasSentIsNotSaidToBeUnsent: whoever reads "was not sent" pays twice.
func TestF96_WhatWasSentIsNotSaidToBeUnsent(t *testing.T) {
	url, paid := deafServer(t, false)
	b := newBox(t)
	b.ok("login", "--base", url, "-d", credentials)
	r := b.fails(exitFailed, []string{"/pay was sent, and no response came\n", "do:  see whether it has taken effect before you send it again\n"},
		"request", "-d", "{}", "/pay")
	if strings.Contains(r.err, "not sent") || len(paid) != 1 {
		t.Errorf("sent %d times, and said %s", len(paid), r.err)
	}
	if r := b.run("request", "/pay"); r.code != exitPasses || !strings.Contains(r.err, "/pay was sent") {
		t.Errorf("a GET may be sent again: %+v", r)
	}
	run := b.start("proxy", "--listen", "127.0.0.1:0")
	resp, err := http.Post(strings.Fields(run.line("http"))[0]+"/pay", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := resp.Header.Get(errorHeader); resp.StatusCode != http.StatusBadGateway || got != "response_lost" {
		t.Errorf("the proxy's response: %s, %s", resp.Status, got)
	}
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
	stage := func() int32 {
		ctx, j := traced(context.Background())
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := (tracing{&http.Transport{}}).RoundTrip(req); err == nil || !passes(err) {
			t.Errorf("the error is %v", err)
		}
		return j.at.Load()
	}
	if got := stage(); got != written {
		t.Errorf("a server that reads and closes: stage %d", got)
	}
	listener.Close()
	if got := stage(); got != unsent {
		t.Errorf("no server: stage %d", got)
	}
}

// TestF96_ADeadConnection that was kept, and a server that is gone since: net/http tries again by itself, and cannot.
func TestF96_ADeadConnection(t *testing.T) {
	for method, want := range map[string]int32{http.MethodPost: unsent, http.MethodGet: begun} {
		s := httptest.NewServer(http.NotFoundHandler())
		transport := tracing{&http.Transport{}}
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
		ctx, j := traced(t.Context())
		if err := send(ctx); err == nil || !isDial(err) && j.at.Load() == unsent {
			t.Errorf("%s: %v", method, err)
		} else if got := j.at.Load(); isDial(err) && got != want && got != unsent { // the end may have been noticed before
			t.Errorf("%s: stage %d, want %d; %v", method, got, want, err)
		}
	}
}
