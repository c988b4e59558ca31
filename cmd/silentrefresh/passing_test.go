package main

import (
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
