package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/silentrefresh/silentrefresh/authtest"
)

// noted lets nothing but GET pass without noticing it.
func noted(t *testing.T, h http.Handler) (*httptest.Server, *atomic.Int32) {
	t.Helper()
	var others atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			others.Add(1)
		}
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s, &others
}

// TestLoginURLSendsNothingUnasked: without somebody who agrees, settings are printed, and they are good.
func TestLoginURLSendsNothingUnasked(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{})
	b := newBox(t)
	r := b.fails(exitUsage, []string{"nothing was sent", "wants a POST"}, "login", s.URL())
	if n := s.Counters(); n.LoginCalls != 0 || n.RefreshCalls != 0 {
		t.Errorf("sent %+v", n)
	}
	b.ok("login", "--config", b.file("config.json", r.out), "-d", credentials)
	b.ok("request", "/me")
	b.fails(exitUsage, []string{"leave one of the two out"}, "login", s.URL(), "--base", s.URL())
	if r := b.runWith(credentials, "login", s.URL(), "-d", "-"); r.code != 0 { // its settings are known now
		t.Errorf("%+v", r)
	}
}

// TestLoginURLFindsNothing: it says how to go on.
func TestLoginURLFindsNothing(t *testing.T) {
	s, others := noted(t, http.NotFoundHandler())
	b := newBox(t)
	b.fails(exitFailed, []string{"no login was found", "learn --help", "docs/SERVERS.md"}, "login", s.URL+"/?token=s3cret")
	if others.Load() > 0 {
		t.Error("something else than GET was sent")
	}
	s.Close()
	r := b.fails(exitPasses, []string{"was not looked at"}, "login", s.URL+"/?token=s3cret")
	if strings.Contains(r.err, "s3cret") {
		t.Errorf("shows the query: %s", r.err)
	}
}

// TestLoginURLProvider: an authorization server is named, and what is missing to log in there.
func TestLoginURLProvider(t *testing.T) {
	p := provider(t)
	mux := http.NewServeMux()
	api, others := noted(t, mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer resource_metadata="%s/meta"`, "http://"+r.Host))
		w.WriteHeader(http.StatusUnauthorized)
	})
	mux.HandleFunc("/meta", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"resource": "http://%s", "authorization_servers": [%q]}`, r.Host, p.URL)
	})
	b := newBox(t)
	r := b.fails(exitUsage, []string{"the login is at " + p.URL}, "login", api.URL)
	if !strings.Contains(r.out, `"issuer": "`+p.URL) || others.Load() > 0 {
		t.Errorf("%+v", r)
	}
}
