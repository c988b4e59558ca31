package silentrefresh

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// client returns a logged-in Client of f's.
func clientOf(tb testing.TB, f *fakes.Server, change ...func(*Config)) *Client {
	tb.Helper()
	c := strangerOf(tb, f, change...)
	if err := c.Login(context.Background(), nil); err != nil {
		tb.Fatal(err)
	}
	return c
}

// stranger returns a Client of f's that is not logged in.
func strangerOf(tb testing.TB, f *fakes.Server, change ...func(*Config)) *Client {
	tb.Helper()
	cfg := Config{BaseURL: "https://api.example.com", Exchanger: f, Base: f}
	for _, ch := range change {
		ch(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	return c
}

// get sends one request and returns the status, 0 with an error.
func get(c *Client) (int, error) { return getCtx(context.Background(), c) }

func getCtx(ctx context.Context, c *Client) (int, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", "https://api.example.com/me", nil)
	if err != nil {
		return 0, err
	}
	resp, err := c.HTTPClient().Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, nil
}

// mustGet fails unless one request succeeds with 200.
func mustGet(tb testing.TB, c *Client) {
	tb.Helper()
	if status, err := get(c); status != 200 {
		tb.Fatalf("GET /me: status %d, error %v", status, err)
	}
}

// atOnce makes a request that finds no token fail instead of waiting.
func atOnce(cfg *Config) { cfg.MaxWait = -1 }

// stream is a request whose body can be sent only once.
func stream() *http.Request {
	req, _ := http.NewRequest("POST", "https://api.example.com/items", onlyReader{strings.NewReader("x")})
	return req
}

// Without a Logger, warnings go to slog.Default: these tests provoke them by the hundred.
func init() { slog.SetDefault(slog.New(slog.DiscardHandler)) }
