package acceptance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
	"github.com/silentrefresh/silentrefresh/internal/replay"
)

func TestF53_RefusedResponsesDoNotHoldTheirConnections(t *testing.T) {
	for _, conns := range []int{1, 2} {
		for _, size := range []int{10, replay.HeldBody, replay.HeldBody + 1, 1 << 20} {
			t.Run(fmt.Sprintf("%d connections, %d bytes", conns, size), func(t *testing.T) {
				as := &fakes.Server{}
				srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					as.Mu.Lock()
					ok := as.Access[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
					as.Mu.Unlock()
					if !ok {
						w.WriteHeader(401)
						io.WriteString(w, strings.Repeat("x", size))
					}
				}))
				defer srv.Close()
				base := http.DefaultTransport.(*http.Transport).Clone()
				base.MaxConnsPerHost = conns
				defer base.CloseIdleConnections()
				c := clientOf(t, as, func(cfg *silentrefresh.Config) { cfg.BaseURL, cfg.Base = srv.URL, base })
				as.Revoke()
				fakes.Times(8, func(int) {
					resp, err := c.HTTPClient().Get(srv.URL)
					if err != nil || resp.StatusCode != 200 {
						t.Errorf("%v, %v", resp, err)
						return
					}
					resp.Body.Close()
				})
			})
		}
	}
}

func TestF53_WhatWasReadOfARefusedResponseIsStillThere(t *testing.T) {
	for _, size := range []int{0, 10, replay.HeldBody, replay.HeldBody + 1, 1 << 20} {
		resp := fakes.ResponseTo(nil, 401)
		resp.Body = io.NopCloser(strings.NewReader(strings.Repeat("x", size)))
		replay.Free(resp)
		b, err := io.ReadAll(resp.Body)
		if len(b) != min(size, replay.HeldBody) || (size > replay.HeldBody) != errors.Is(err, replay.ErrCut) {
			t.Errorf("of %d bytes there are %d, error %v", size, len(b), err)
		}
	}
}

func TestF53_ABodyThatStallsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		pr, pw := io.Pipe()
		base := fakes.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			resp, err := as.RoundTrip(req)
			if resp.StatusCode == 401 {
				resp.Body = pr
				go io.WriteString(pw, "no more of this")
			}
			return resp, err
		})
		c := clientOf(t, as, atOnce, func(cfg *silentrefresh.Config) { cfg.Base = base })
		as.Revoke()
		began := time.Now()
		as.Set(func() { as.Before = func(context.Context, auth.Grant) error { return fakes.Down() } })
		resp, err := c.HTTPClient().Get("https://api.example.com/me")
		if d := time.Since(began); err != nil || resp.StatusCode != 401 || d > 2*time.Second {
			t.Fatalf("%v, %v, after %v", resp, err, d)
		}
		if b, err := io.ReadAll(resp.Body); string(b) != "no more of this" || !errors.Is(err, replay.ErrCut) {
			t.Errorf("of the body there is %q, error %v", b, err)
		}
	})
}

func TestF15_F53_AResponseWithoutABodyIsNoPanic(t *testing.T) {
	c := clientOf(t, &fakes.Server{})
	base := fakes.RoundTripFunc(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 401, Header: http.Header{}}, nil
	})
	req, _ := http.NewRequest("GET", "https://api.example.com/me", nil)
	if resp, err := c.Transport(base).RoundTrip(req); err != nil || resp.StatusCode != 401 {
		t.Errorf("%v, %v", resp, err)
	}
}

// openBody counts the responses that nobody has closed.
type openBody struct {
	io.ReadCloser
	once *sync.Once
	open *atomic.Int64
}

func (b openBody) Close() error {
	b.once.Do(func() { b.open.Add(-1) })
	return b.ReadCloser.Close()
}

func TestF15_EveryResponseThatIsReplacedIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		var open atomic.Int64
		base := fakes.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			resp, err := as.RoundTrip(req)
			open.Add(1)
			resp.Body = openBody{resp.Body, new(sync.Once), &open}
			return resp, err
		})
		c := clientOf(t, as, func(cfg *silentrefresh.Config) { cfg.Base = base })
		for range 3 { // refused, renewed, replayed
			as.Revoke()
			mustGet(t, c)
		}
		as.Set(func() {
			as.API = func(req *http.Request) (*http.Response, error) { return fakes.ResponseTo(req, 401), nil }
		})
		for range 5 { // refused for reasons of its own
			get(c)
			time.Sleep(time.Second)
		}
		if n := open.Load(); n != 0 {
			t.Errorf("%d responses are open", n)
		}
	})
}
