package acceptance

import (
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/authtest"
	"github.com/silentrefresh/silentrefresh/endpoint"
)

// counting is a wrapper such as people use for logs and traces.
type counting struct {
	base http.RoundTripper
	n    atomic.Int64
	idle atomic.Int64
}

func (c *counting) RoundTrip(req *http.Request) (*http.Response, error) {
	c.n.Add(1)
	return c.base.RoundTrip(req)
}

func (c *counting) CloseIdleConnections() { c.idle.Add(1) }

// loggedIn returns a logged-in Client of a new server.
func loggedIn(t *testing.T, server *authtest.Server, settings func(*silentrefresh.Config, *endpoint.Settings)) *silentrefresh.Client {
	t.Helper()
	client := newClient(t, server, settings)
	if err := client.Login(t.Context(), credentials); err != nil {
		t.Fatal(err)
	}
	return client
}

func TestWrappersAboveAndBelow(t *testing.T) {
	server := authtest.NewServer(t, authtest.Config{})
	below := &counting{base: server.Transport()}
	client := loggedIn(t, server, func(cfg *silentrefresh.Config, _ *endpoint.Settings) { cfg.Base = below })
	authCalls := below.n.Load()
	above := &counting{base: client.Transport(nil)}
	server.RevokeAccess()
	resp, err := (&http.Client{Transport: above}).Get(server.URL() + "/me")
	if err != nil || resp.StatusCode != 200 {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	if above.n.Load() != 1 || below.n.Load()-authCalls != 3 {
		t.Errorf("%d requests above, %d below; want 1, and 3: sent, refreshed, replayed", above.n.Load(), below.n.Load()-authCalls)
	}
	client.HTTPClient().CloseIdleConnections()
	if below.idle.Load() != 1 {
		t.Error("CloseIdleConnections did not reach the base")
	}
	own := &counting{base: server.Transport()}
	resp, err = (&http.Client{Transport: client.Transport(own)}).Get(server.URL() + "/me")
	if err != nil || resp.StatusCode != 200 || own.n.Load() != 1 {
		t.Errorf("with a base of its own: %v, %v", resp, err)
	}
	resp.Body.Close()
}

func TestUnderRetryableHTTP(t *testing.T) {
	server := authtest.NewServer(t, authtest.Config{})
	client := loggedIn(t, server, plain)
	rc := retryablehttp.NewClient()
	rc.Logger = nil
	rc.HTTPClient = client.HTTPClient()
	server.RevokeAccess()
	resp, err := rc.Post(server.URL()+"/echo", "text/plain", strings.NewReader("hello"))
	if err != nil || resp.StatusCode != 200 {
		t.Fatal(resp, err)
	}
	defer resp.Body.Close()
	if b, _ := io.ReadAll(resp.Body); !strings.Contains(string(b), "hello") {
		t.Errorf("echo %s", b)
	}
	if n := server.Counters(); n.Refreshes != 1 {
		t.Errorf("%+v", n)
	}
}

func TestUnixSocket(t *testing.T) {
	backend := authtest.NewServer(t, authtest.Config{})
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Skip("no Unix sockets here:", err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			up, err := net.Dial("tcp", strings.TrimPrefix(backend.URL(), "http://"))
			if err != nil {
				conn.Close()
				return
			}
			go func() { io.Copy(up, conn); up.Close() }()
			go func() { io.Copy(conn, up); conn.Close() }()
		}
	}()
	base := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}
	defer base.CloseIdleConnections()
	client, err := silentrefresh.New(silentrefresh.Config{BaseURL: "http://daemon", Origins: []string{"http://daemon"}, Base: base})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Login(t.Context(), credentials); err != nil {
		t.Fatal(err)
	}
	backend.RevokeAccess()
	if status := send(t, client, "GET", "http://daemon/me"); status != 200 {
		t.Errorf("status %d", status)
	}
}

func TestStreamingBodiesOverHTTP2(t *testing.T) {
	server := authtest.NewServer(t, authtest.Config{TLS: true, HTTP2: true})
	client := loggedIn(t, server, plain)
	pr, pw := io.Pipe()
	go func() { io.WriteString(pw, "streamed"); pw.Close() }()
	resp, err := client.HTTPClient().Post(server.URL()+"/echo", "text/plain", pr)
	if err != nil || resp.StatusCode != 200 || resp.ProtoMajor != 2 {
		t.Fatal(resp, err)
	}
	defer resp.Body.Close()
	if b, _ := io.ReadAll(resp.Body); !strings.Contains(string(b), "streamed") {
		t.Errorf("echo %s", b)
	}
}

func TestPerRPC(t *testing.T) {
	server := authtest.NewServer(t, authtest.Config{})
	client := loggedIn(t, server, plain)
	rpc := client.PerRPC()
	md, err := rpc.GetRequestMetadata(t.Context(), server.URL()+"/pkg.Service")
	if err != nil || !strings.HasPrefix(md["authorization"], "Bearer ") || rpc.RequireTransportSecurity() {
		t.Errorf("%d entries, %v", len(md), err)
	}
	tls := loggedIn(t, authtest.NewServer(t, authtest.Config{TLS: true}), plain)
	if !tls.PerRPC().RequireTransportSecurity() {
		t.Error("https without transport security")
	}
}

func TestResumeRefreshesFirst(t *testing.T) {
	server := authtest.NewServer(t, authtest.Config{RefreshIn: authtest.InJSON})
	responses := make(chan auth.Response, 10)
	first := loggedIn(t, server, func(cfg *silentrefresh.Config, ep *endpoint.Settings) {
		inBody(cfg, ep)
		cfg.Observe = func(ev silentrefresh.Event) { responses <- ev.Response }
	})
	var response struct{ RefreshToken string }
	if err := (<-responses).Decode(&response); err != nil || response.RefreshToken == "" {
		t.Fatal(err)
	}
	first.Close()
	client := newClient(t, server, inBody)
	if err := client.Resume(t.Context(), auth.Session{RefreshToken: auth.NewSecret(response.RefreshToken)}); err != nil {
		t.Fatal(err)
	}
	if n := server.Counters(); n.Refreshes != 1 || n.APIUnauthorized != 0 {
		t.Errorf("%+v", n)
	}
	if status := send(t, client, "GET", server.URL()+"/me"); status != 200 {
		t.Errorf("status %d", status)
	}
	if err := client.Resume(t.Context(), auth.Session{}); err == nil || !strings.Contains(err.Error(), "empty") {
		t.Errorf("an empty session: %v", err)
	}
}

func TestForksAreSessionsOfTheirOwn(t *testing.T) {
	server := authtest.NewServer(t, authtest.Config{Users: map[string]string{"ada": "a", "bob": "b"}})
	ada := newClient(t, server, plain)
	bob, err := ada.Fork("bob")
	if err != nil {
		t.Fatal(err)
	}
	defer bob.Close()
	for client, user := range map[*silentrefresh.Client]string{ada: "ada", bob: "bob"} {
		if err := client.Login(t.Context(), map[string]string{"email": user, "password": user[:1]}); err != nil {
			t.Fatal(err)
		}
	}
	for client, user := range map[*silentrefresh.Client]string{ada: "ada", bob: "bob"} {
		resp, err := client.HTTPClient().Get(server.URL() + "/me")
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if !strings.Contains(string(b), user) {
			t.Errorf("%s is told %s", user, b)
		}
	}
	if err := ada.Logout(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status := send(t, bob, "GET", server.URL()+"/me"); status != 200 {
		t.Errorf("bob after ada's logout: %d", status)
	}
	for _, name := range []string{"", "default"} {
		if _, err := ada.Fork(name); err == nil {
			t.Errorf("Fork(%q) gave a session that is shared by accident", name)
		}
	}
}

// A caller's deadline ends the caller's wait and nothing else.
func TestADeadlineEndsTheWait(t *testing.T) {
	server := authtest.NewServer(t, authtest.Config{RefreshDelay: 300 * time.Millisecond})
	client := loggedIn(t, server, plain)
	server.ExpireAll()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	began := time.Now()
	req, _ := http.NewRequestWithContext(ctx, "GET", server.URL()+"/me", nil)
	resp, err := client.HTTPClient().Do(req)
	if err == nil {
		resp.Body.Close()
	}
	if d := time.Since(began); d > 250*time.Millisecond {
		t.Errorf("held for %v", d)
	}
	if status := send(t, client, "GET", server.URL()+"/me"); status != 200 {
		t.Errorf("status %d", status)
	}
	if n := server.Counters(); n.Refreshes != 1 {
		t.Errorf("%d refreshes, want 1", n.Refreshes)
	}
}
