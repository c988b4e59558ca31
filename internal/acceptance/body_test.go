package acceptance

import (
	"context"
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
)

func TestF12_BodiesAreReplayed(t *testing.T) {
	for _, test := range []struct {
		name   string
		body   func() (io.Reader, int64)
		buffer int64
		status int
		sent   int
	}{
		{"with GetBody", func() (io.Reader, int64) { return strings.NewReader("hello"), 5 }, 0, 200, 2},
		{"0 bytes", func() (io.Reader, int64) { return strings.NewReader(""), 0 }, 0, 200, 2},
		{"known length, no GetBody", func() (io.Reader, int64) { return onlyReader{strings.NewReader("hello")}, 5 }, 0, 200, 2},
		{"unknown length", func() (io.Reader, int64) { return onlyReader{strings.NewReader("hello")}, -1 }, 0, 401, 1},
		{"over the limit", func() (io.Reader, int64) { return onlyReader{strings.NewReader("hello")}, 5 }, 4, 401, 1},
		{"buffering off", func() (io.Reader, int64) { return onlyReader{strings.NewReader("hello")}, 5 }, -1, 401, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				as := &fakes.Server{}
				c := clientOf(t, as, func(cfg *silentrefresh.Config) { cfg.MaxReplayBody = test.buffer })
				as.Revoke()
				as.Set(func() {
					as.API = func(req *http.Request) (*http.Response, error) { return fakes.ResponseTo(req, 200), nil }
				})
				r, n := test.body()
				req, _ := http.NewRequest("POST", "https://api.example.com/items", r)
				if n != 0 {
					req.ContentLength = n
				}
				resp, err := c.Transport(nil).RoundTrip(req)
				if err != nil || resp.StatusCode != test.status || as.Count(&as.Sent) != test.sent {
					t.Errorf("status %v, error %v, sent %d; want %d, sent %d", resp.StatusCode, err, as.Count(&as.Sent), test.status, test.sent)
				}
				synctest.Wait()
				if _, refreshes, _ := as.Counts(); refreshes != 1 {
					t.Errorf("%d refreshes, want 1: a request that cannot be replayed starts it all the same", refreshes)
				}
			})
		})
	}
}

func TestF12_ABodyThatFailsIsAnError(t *testing.T) {
	as := &fakes.Server{}
	c := clientOf(t, as)
	body := &trackedBody{Reader: io.MultiReader(strings.NewReader("he"), errReader{errors.New("disk on fire")})}
	req, _ := http.NewRequest("POST", "https://api.example.com/items", body)
	req.ContentLength = 5
	if _, err := c.Transport(nil).RoundTrip(req); err == nil || !strings.Contains(err.Error(), "disk on fire") {
		t.Errorf("error %v", err)
	}
	if as.Count(&as.Sent) != 0 || body.closed.Load() != 1 {
		t.Errorf("sent %d times, body closed %d times", as.Count(&as.Sent), body.closed.Load())
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

type trackedBody struct {
	io.Reader
	closed atomic.Int64
}

func (b *trackedBody) Close() error { b.closed.Add(1); return nil }

func TestF12_ARequestThatCannotBeReplayedRefreshesFirstInsideTheMargin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("down")
		as := &fakes.Server{}
		var away atomic.Bool
		away.Store(true)
		as.Set(func() {
			as.Before = func(_ context.Context, g auth.Grant) error {
				if g.Kind == auth.KindRefresh && away.Load() {
					return broken
				}
				return nil
			}
		})
		c := clientOf(t, as)
		time.Sleep(14 * time.Minute) // inside the margin, the timer has failed so far
		send := func() int {
			resp, err := c.HTTPClient().Do(stream())
			if err != nil {
				t.Fatal(err)
			}
			return resp.StatusCode
		}
		if status := send(); status != 200 {
			t.Errorf("the token is still good, and the refresh fails: status %d", status)
		}
		away.Store(false)
		time.Sleep(31 * time.Second) // the backoff
		if status := send(); status != 200 {
			t.Errorf("status %d", status)
		}
		if _, refreshes, _ := as.Counts(); refreshes != 1 {
			t.Errorf("%d refreshes, want 1", refreshes)
		}
	})
}

func TestF12_ExpectContinueIsReplayable(t *testing.T) {
	as := &fakes.Server{}
	var bodies atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		as.Mu.Lock()
		ok := as.Access[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
		as.Mu.Unlock()
		if !ok {
			w.Header().Set("Connection", "close")
			w.WriteHeader(401) // before it has read anything
			return
		}
		b, _ := io.ReadAll(r.Body)
		bodies.Add(int64(len(b)))
	}))
	defer srv.Close()
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.ExpectContinueTimeout = time.Minute
	defer base.CloseIdleConnections()
	c := clientOf(t, as, func(cfg *silentrefresh.Config) { cfg.BaseURL, cfg.Base = srv.URL, base })
	as.Revoke()
	body := &trackedBody{Reader: strings.NewReader(strings.Repeat("x", 100_000))}
	req, _ := http.NewRequest("POST", srv.URL+"/upload", body)
	req.ContentLength = -1
	req.Header.Set("Expect", "100-continue")
	resp, err := c.HTTPClient().Do(req)
	if err != nil || resp.StatusCode != 200 || bodies.Load() != 100_000 {
		t.Fatalf("%v, %v, %d bytes arrived", resp, err, bodies.Load())
	}
	resp.Body.Close()
	if n := body.closed.Load(); n == 0 {
		t.Error("the body was not closed")
	}
}

func TestF12_BidirectionalStreamIsNotReadAhead(t *testing.T) {
	as := &fakes.Server{}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		w.(http.Flusher).Flush()
		io.Copy(flushed{w}, r.Body)
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	c := clientOf(t, as, func(cfg *silentrefresh.Config) { cfg.BaseURL, cfg.Base = srv.URL, srv.Client().Transport })
	pr, pw := io.Pipe()
	req, _ := http.NewRequest("POST", srv.URL+"/chat", pr)
	resp, err := c.HTTPClient().Do(req) // the response comes before any of the body is written
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for _, word := range []string{"one", "two"} {
		io.WriteString(pw, word)
		b := make([]byte, 3)
		if _, err := io.ReadFull(resp.Body, b); err != nil || string(b) != word {
			t.Fatalf("echo %q, %v", b, err)
		}
	}
	pw.Close()
}

type flushed struct{ http.ResponseWriter }

func (f flushed) Write(p []byte) (int, error) {
	n, err := f.ResponseWriter.Write(p)
	f.ResponseWriter.(http.Flusher).Flush()
	return n, err
}

// net/http refuses to send what is longer than it says, and a copy is not to make that shorter.
func TestF12_ABodyLongerThanItSaysIsAnError(t *testing.T) {
	as := &fakes.Server{}
	c := clientOf(t, as)
	req, _ := http.NewRequest("POST", "https://api.example.com/items", onlyReader{strings.NewReader("hello, world")})
	req.ContentLength = 5
	if _, err := c.Transport(nil).RoundTrip(req); err == nil || as.Count(&as.Sent) != 0 {
		t.Errorf("%v, sent %d times", err, as.Count(&as.Sent))
	}
}

func TestF12_ABodyThatHangsEndsWithTheCallersContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as)
		pr, pw := io.Pipe()
		defer pw.Close()
		time.AfterFunc(time.Hour, func() { pw.Close() }) // so that the test ends in any case
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		req, _ := http.NewRequestWithContext(ctx, "POST", "https://api.example.com/items", pr)
		req.ContentLength = 5
		began := time.Now()
		if _, err := c.Transport(nil).RoundTrip(req); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > time.Second {
			t.Errorf("%v, after %v", err, time.Since(began))
		}
	})
}
