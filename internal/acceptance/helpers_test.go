package acceptance

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
	"github.com/silentrefresh/silentrefresh/internal/record"
)

// client returns a logged-in Client of f's.
func clientOf(tb testing.TB, f *fakes.Server, change ...func(*silentrefresh.Config)) *silentrefresh.Client {
	tb.Helper()
	c := strangerOf(tb, f, change...)
	if err := c.Login(context.Background(), nil); err != nil {
		tb.Fatal(err)
	}
	return c
}

// stranger returns a Client of f's that is not logged in.
func strangerOf(tb testing.TB, f *fakes.Server, change ...func(*silentrefresh.Config)) *silentrefresh.Client {
	tb.Helper()
	cfg := silentrefresh.Config{BaseURL: "https://api.example.com", Exchanger: f, Base: f, AuthBase: f}
	for _, ch := range change {
		ch(&cfg)
	}
	c, err := silentrefresh.New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	return c
}

// get sends one request and returns the status, 0 with an error.
func get(c *silentrefresh.Client) (int, error) { return getCtx(context.Background(), c) }

func getCtx(ctx context.Context, c *silentrefresh.Client) (int, error) {
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
func mustGet(tb testing.TB, c *silentrefresh.Client) {
	tb.Helper()
	if status, err := get(c); status != 200 {
		tb.Fatalf("GET /me: status %d, error %v", status, err)
	}
}

// atOnce makes a request that finds no token fail instead of waiting.
func atOnce(cfg *silentrefresh.Config) { cfg.MaxWait = -1 }

// stream is a request whose body can be sent only once.
func stream() *http.Request {
	req, _ := http.NewRequest("POST", "https://api.example.com/items", onlyReader{strings.NewReader("x")})
	return req
}

// Without a Logger, warnings go to slog.Default: these tests provoke them by the hundred.
func init() { slog.SetDefault(slog.New(slog.DiscardHandler)) }

// in makes a Config keep its session in store.
func in(store silentrefresh.Store) func(*silentrefresh.Config) {
	return func(cfg *silentrefresh.Config) { cfg.Store = store }
}

// stored is the record that s has of c's session.
func stored(t *testing.T, s silentrefresh.Store, c *silentrefresh.Client) *record.Record {
	t.Helper()
	b, err := s.Load(context.Background(), c.StoreKey())
	if err != nil {
		t.Fatal(err)
	}
	r, err := record.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// onlyReader hides that a body could be read again.
type onlyReader struct{ io.Reader }
