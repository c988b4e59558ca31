package main

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
)

// A network is how clients reach a server.
type network struct {
	url  string
	base http.RoundTripper
	// auth is for the peers' auth calls: connections of their own, lest refused requests hold all of them.
	// silentrefresh sees to that itself.
	auth http.RoundTripper
	// close ends it.
	close func()
}

// loopback serves s on a real connection, with as many connections as anybody asks for up to conns.
func loopback(s http.Handler, conns int) network {
	ts := unstarted(s)
	ts.Start()
	t := &http.Transport{MaxConnsPerHost: conns, MaxIdleConns: conns, MaxIdleConnsPerHost: conns}
	return serving(ts, t)
}

// loopbackTLS is loopback with HTTP/2 over TLS.
func loopbackTLS(s http.Handler) network {
	ts := unstarted(s)
	ts.EnableHTTP2 = true
	ts.StartTLS()
	trusted := ts.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	t := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: trusted}}
	return serving(ts, t)
}

func serving(ts *httptest.Server, t *http.Transport) network {
	auth := t.Clone()
	return network{ts.URL, t, auth, func() {
		t.CloseIdleConnections()
		auth.CloseIdleConnections()
		ts.Close()
	}}
}

// unstarted says nothing about connections that clients break.
func unstarted(s http.Handler) *httptest.Server {
	ts := httptest.NewUnstartedServer(s)
	ts.Config.ErrorLog = log.New(io.Discard, "", 0)
	return ts
}

// memory calls s without any network, for virtual time. Peers that hold a mutex during a refresh stop that time, so
// there a refresh must take none of it.
func memory(s http.Handler) network {
	return network{"https://api.example.com", direct{s}, direct{s}, nothing}
}

type direct struct{ handler http.Handler }

// RoundTrip lets the server finish what it has begun when the client goes away, as a real one would.
func (d direct) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	arrived := req.Clone(context.WithoutCancel(ctx))
	if arrived.Body == nil {
		arrived.Body = http.NoBody
	}
	response := make(chan *http.Response, 1)
	go func() {
		defer arrived.Body.Close()
		rec := httptest.NewRecorder()
		d.handler.ServeHTTP(rec, arrived)
		response <- rec.Result()
	}()
	select {
	case resp := <-response:
		resp.Request = req
		return resp, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
