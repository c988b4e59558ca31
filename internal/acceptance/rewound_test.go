package acceptance

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// rewound is a request whose GetBody gives out the same reader again, as clients do that reuse a buffer.
func rewound(ctx context.Context, again error) *http.Request {
	r := strings.NewReader("hello")
	body := struct { // in one, so that it is not a reader that http.NewRequest knows
		io.Reader
		io.Closer
	}{r, io.NopCloser(nil)}
	req, _ := http.NewRequestWithContext(ctx, "POST", "https://api.example.com/items", body)
	req.ContentLength = 5
	req.GetBody = func() (io.ReadCloser, error) {
		r.Seek(0, io.SeekStart)
		return body, again
	}
	return req
}

// early is a base that rejects a token after half a second, while read does with the body what it likes.
func early(as *fakes.Server, read func(body io.ReadCloser)) http.RoundTripper {
	return fakes.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		as.Mu.Lock()
		good := as.Access[strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")]
		as.Mu.Unlock()
		if !good {
			go read(req.Body)
			time.Sleep(500 * time.Millisecond)
			return fakes.ResponseTo(req, 401), nil
		}
		first := make([]byte, 2)
		if _, err := req.Body.Read(first); err != nil {
			return nil, errors.Join(err, req.Body.Close())
		}
		time.Sleep(250 * time.Millisecond) // whoever reads the body as well gets the next byte
		rest, err := io.ReadAll(req.Body)
		if err = errors.Join(err, req.Body.Close()); err != nil {
			return nil, err
		}
		resp := fakes.ResponseTo(req, 200)
		resp.Body = io.NopCloser(bytes.NewReader(append(first, rest...)))
		return resp, nil
	})
}

// A server may respond before it has read the body, which is then still on its way: a RoundTripper closes it when it likes.
func TestF12_ABodyThatIsRewoundIsNotSentWhileItIsRead(t *testing.T) {
	no := errors.New("it cannot be rewound")
	for name, test := range map[string]struct {
		read   func(body io.ReadCloser)
		again  error
		status int // 0: an error
		took   time.Duration
	}{
		"read and closed before the response": {func(b io.ReadCloser) { io.ReadAll(b); b.Close() }, nil, 200, 750 * time.Millisecond},
		"closed before the response":          {func(b io.ReadCloser) { b.Close() }, nil, 200, 750 * time.Millisecond},
		"read after it": {func(b io.ReadCloser) {
			for p := make([]byte, 1); ; time.Sleep(200 * time.Millisecond) {
				if _, err := b.Read(p); err != nil {
					b.Close()
					return
				}
			}
		}, nil, 200, 1250 * time.Millisecond},
		"never closed":             {func(b io.ReadCloser) {}, nil, 200, 1750 * time.Millisecond},
		"no more, and it is known": {func(b io.ReadCloser) { b.Close() }, no, 401, 500 * time.Millisecond},
		"no more, noticed late":    {func(b io.ReadCloser) { time.Sleep(700 * time.Millisecond); b.Close() }, no, 0, 700 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				as := &fakes.Server{}
				c := clientOf(t, as)
				as.Revoke()
				began := time.Now()
				resp, err := c.Transport(early(as, test.read)).RoundTrip(rewound(t.Context(), test.again))
				if took := time.Since(began); took != test.took {
					t.Errorf("it took %s, want %s", took, test.took)
				}
				switch {
				case test.status == 0:
					if !errors.Is(err, no) {
						t.Errorf("%v", err)
					}
					return
				case err != nil || resp.StatusCode != test.status:
					t.Fatalf("%v, %v", resp, err)
				}
				if b, err := io.ReadAll(resp.Body); test.status == 200 && string(b) != "hello" || err != nil {
					t.Errorf("the body arrived as %q, %v", b, err)
				}
			})
		})
	}
}

// Who waits for a body to be closed leaves with its context.
func TestF12_ABodyThatIsWaitedForIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as)
		as.Revoke()
		base := early(as, func(io.ReadCloser) {})
		closing := fakes.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			defer context.AfterFunc(req.Context(), func() { req.Body.Close() })() // as net/http does
			return base.RoundTrip(req)
		})
		ctx, cancel := context.WithTimeout(t.Context(), 800*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := c.Transport(closing).RoundTrip(rewound(ctx, nil))
		if took := time.Since(began); err == nil || took != 800*time.Millisecond {
			t.Errorf("%v after %s", err, took)
		}
	})
}
