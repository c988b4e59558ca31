//lint:file-ignore SA1019 HTTP/2 that was configured by hand is what is tested here.

package acceptance

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
	"golang.org/x/net/http2"
)

// wrapped hides what a RoundTripper is, as tracing does.
type wrapped struct{ http.RoundTripper }

// heldServer gives tokens, and sends a download without end until the test is over.
func heldServer(t *testing.T, configure func(*httptest.Server)) *httptest.Server {
	over := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/download", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "x")
		http.NewResponseController(w).Flush()
		<-over
	})
	mux.HandleFunc("/auth/", fakes.RespondJSON(200, `{"token":"t","expires_in":900}`, "Set-Cookie", "refresh=r; Path=/auth"))
	server := httptest.NewUnstartedServer(mux)
	configure(server)
	t.Cleanup(func() { close(over); server.Close() })
	return server
}

// held is a client of server's with a download under way, over the one connection, or stream, that there may be.
func held(t *testing.T, server *httptest.Server, change func(*silentrefresh.Config)) *silentrefresh.Client {
	t.Helper()
	cfg := silentrefresh.Config{BaseURL: server.URL, Timeout: 10 * time.Second}
	change(&cfg)
	c, err := silentrefresh.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Login(t.Context(), map[string]string{"email": "ada"}); err != nil {
		t.Fatal(err)
	}
	resp, err := c.HTTPClient().Get(server.URL + "/download")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return c
}

// However Base is made, a refresh does not wait for the connections of API requests.
func TestF72_AuthCallsHaveTheirOwnPool(t *testing.T) {
	tlsOf := func(server *httptest.Server) *tls.Config {
		return server.Client().Transport.(*http.Transport).TLSClientConfig
	}
	for name, test := range map[string]struct {
		start func(*httptest.Server)
		base  func(*testing.T, *httptest.Server, *silentrefresh.Config)
	}{
		"a Transport with one connection": {(*httptest.Server).Start, func(_ *testing.T, _ *httptest.Server, cfg *silentrefresh.Config) {
			cfg.Base = &http.Transport{MaxConnsPerHost: 1}
		}},
		"a wrapped one, with AuthBase": {(*httptest.Server).Start, func(_ *testing.T, _ *httptest.Server, cfg *silentrefresh.Config) {
			cfg.Base, cfg.AuthBase = wrapped{&http.Transport{MaxConnsPerHost: 1}}, wrapped{&http.Transport{MaxConnsPerHost: 1}}
		}},
		"HTTP/2 configured by hand, one stream": {
			func(server *httptest.Server) {
				server.EnableHTTP2 = true
				http2.ConfigureServer(server.Config, &http2.Server{MaxConcurrentStreams: 1})
				server.TLS = server.Config.TLSConfig
				server.StartTLS()
			},
			func(t *testing.T, server *httptest.Server, cfg *silentrefresh.Config) {
				base := &http.Transport{TLSClientConfig: tlsOf(server).Clone(), MaxConnsPerHost: 1}
				t2, err := http2.ConfigureTransports(base)
				if err != nil {
					t.Fatal(err)
				}
				t2.StrictMaxConcurrentStreams = true
				cfg.Base = base
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := heldServer(t, test.start)
			c := held(t, server, func(cfg *silentrefresh.Config) { test.base(t, server, cfg) })
			began := time.Now()
			if err := c.Renew(t.Context()); err != nil || time.Since(began) > 5*time.Second {
				t.Errorf("the refresh ended after %v: %v", time.Since(began), err)
			}
		})
	}
}

// Where the auth calls cannot have a pool of their own, New says so, once, and what to do.
func TestF72_NewSaysWhatSharesItsConnections(t *testing.T) {
	for name, test := range map[string]struct {
		base, authBase http.RoundTripper
		warns          bool
	}{
		"nothing":                     {nil, nil, false},
		"a Transport":                 {&http.Transport{}, nil, false},
		"a wrapped one":               {wrapped{http.DefaultTransport}, nil, true},
		"a wrapped one with AuthBase": {wrapped{http.DefaultTransport}, http.DefaultTransport, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &history{}
				c := clientOf(t, &fakes.Server{}, h.observe, func(cfg *silentrefresh.Config) { cfg.Base, cfg.AuthBase = test.base, test.authBase })
				if _, err := c.Fork("other"); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				warnings := 0
				for _, ev := range h.evs {
					if ev.Kind == silentrefresh.EventWarning && strings.Contains(ev.Err.Error(), "give AuthBase") {
						warnings++
					}
				}
				if warnings != 0 != test.warns || warnings > 1 {
					t.Errorf("%d warnings", warnings)
				}
			})
		})
	}
}

// calling is an Exchanger whose refresh is one call without a body.
type calling struct {
	url, method string
	header      http.Header
}

func (x calling) Exchange(ctx context.Context, hc *http.Client, g auth.Grant) (auth.Session, error) {
	if g.Kind == auth.KindRefresh {
		req, err := http.NewRequestWithContext(ctx, x.method, x.url, nil)
		if err != nil {
			return auth.Session{}, err
		}
		req.Method, req.Header = x.method, x.header.Clone()
		resp, err := hc.Do(req)
		if err != nil {
			return auth.Session{}, err
		}
		resp.Body.Close()
	}
	return auth.Session{AccessToken: auth.NewSecret("t"), RefreshToken: auth.NewSecret("r")}, nil
}

// A connection that API requests have used breaks when a refresh uses it: net/http does not send that once more.
func TestF72_ABrokenConnectionDoesNotResend(t *testing.T) {
	key := http.Header{"Idempotency-Key": {"1"}}
	for name, call := range map[string]calling{
		"GET":                         {method: "GET", header: http.Header{}},
		"no method":                   {method: "", header: http.Header{}},
		"HEAD":                        {method: "HEAD", header: http.Header{}},
		"POST with Idempotency-Key":   {method: "POST", header: key},
		"POST with X-Idempotency-Key": {method: "POST", header: http.Header{"X-Idempotency-Key": {"1"}}},
		"POST":                        {method: "POST", header: http.Header{}},
		"DELETE with a key":           {method: "DELETE", header: key},
	} {
		t.Run(name, func(t *testing.T) {
			var presented atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/refresh" {
					presented.Add(1)
					panic(http.ErrAbortHandler)
				}
			}))
			defer server.Close()
			base := &http.Transport{}
			call.url = server.URL + "/refresh"
			c, err := silentrefresh.New(silentrefresh.Config{BaseURL: server.URL, Exchanger: call, Base: wrapped{base}, MaxWait: -1})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := c.Login(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			resp, err := c.HTTPClient().Get(server.URL + "/me")
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			err = c.Renew(t.Context())
			if _, ok := errors.AsType[*auth.Error](err); !ok || presented.Load() != 1 {
				t.Errorf("presented %d times, %v", presented.Load(), err)
			}
		})
	}
}
