package silentrefresh

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// bareTransport is the least that a correct RoundTripper does: it sends a copy of the request with a header map of
// its own. It is what a Transport is measured against.
type bareTransport struct {
	base  http.RoundTripper
	value []string
}

func (t *bareTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	clone := *req
	clone.Header = make(http.Header, len(req.Header)+1)
	for name, values := range req.Header {
		clone.Header[name] = values
	}
	clone.Header["Authorization"] = t.value
	return t.base.RoundTrip(&clone)
}

// still responds with the response that comes in the request's context: it allocates nothing, and callers share
// nothing. A request without one is a login.
type still struct{}

type responseKey struct{}

func (still) RoundTrip(req *http.Request) (*http.Response, error) {
	if resp, ok := req.Context().Value(responseKey{}).(*http.Response); ok {
		return resp, nil
	}
	return &http.Response{
		StatusCode: http.StatusOK,
		Header:     http.Header{"Content-Type": {"application/json"}, "Set-Cookie": {"refresh_token=r1; Path=/auth; Secure"}},
		Body:       io.NopCloser(strings.NewReader(`{"access_token":"a1","expires_in":86400}`)),
		Request:    req,
	}, nil
}

// hotRequest is a request with six header fields, and with the response that still will give.
func hotRequest() *http.Request {
	ctx := context.WithValue(context.Background(), responseKey{}, &http.Response{StatusCode: http.StatusOK, Body: http.NoBody})
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.example.com/v1/things", nil)
	for _, name := range []string{"Accept", "Accept-Language", "User-Agent", "X-Request-Id", "Traceparent", "If-None-Match"} {
		req.Header.Set(name, "the value of one header field")
	}
	return req
}

func hotTransports(tb testing.TB) map[string]http.RoundTripper {
	c, err := New(Config{BaseURL: "https://api.example.com", Base: still{}})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	if err := c.Login(tb.Context(), map[string]string{"user": "u1"}); err != nil {
		tb.Fatal(err)
	}
	return map[string]http.RoundTripper{
		"bare":          &bareTransport{still{}, []string{"Bearer a1"}},
		"silentrefresh": c.Transport(still{}),
	}
}

// TestHotPathAllocatesNoMoreThanBare: what a request costs beyond its base is the copy that the contract of
// http.RoundTripper asks for, and nothing else.
func TestHotPathAllocatesNoMoreThanBare(t *testing.T) {
	allocs := map[string]float64{}
	for name, rt := range hotTransports(t) {
		req := hotRequest()
		allocs[name] = testing.AllocsPerRun(1000, func() {
			if _, err := rt.RoundTrip(req); err != nil {
				t.Error(err)
			}
		})
	}
	if allocs["silentrefresh"] > allocs["bare"] {
		t.Errorf("%.0f allocations a request, %.0f without silentrefresh", allocs["silentrefresh"], allocs["bare"])
	}
}

// BenchmarkHotPath: to compare the two, run it with -count 10 and benchstat -col /rt.
func BenchmarkHotPath(b *testing.B) {
	transports := hotTransports(b)
	for _, name := range []string{"bare", "silentrefresh"} {
		rt := transports[name]
		b.Run("rt="+name, func(b *testing.B) {
			b.ReportAllocs()
			req := hotRequest()
			for b.Loop() {
				rt.RoundTrip(req)
			}
		})
		b.Run("rt="+name+"/parallel", func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				req := hotRequest()
				for pb.Next() {
					rt.RoundTrip(req)
				}
			})
		})
	}
}

// BenchmarkUsable is the part of the request path that reads the clock.
func BenchmarkUsable(b *testing.B) {
	st := &state{header: []string{"Bearer a1"}, wall: time.Now().Add(time.Hour).UnixNano(), mono: time.Now().Add(time.Hour)}
	for b.Loop() {
		if !st.usable(time.Now()) {
			b.Fatal("not usable")
		}
	}
}
