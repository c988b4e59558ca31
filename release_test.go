package silentrefresh

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestF53_RefusedAnswersDoNotHoldTheirConnections(t *testing.T) {
	for _, conns := range []int{1, 2} {
		for _, size := range []int{10, heldBody, heldBody + 1, 1 << 20} {
			t.Run(fmt.Sprintf("%d connections, %d bytes", conns, size), func(t *testing.T) {
				as := &fakeAS{}
				srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					as.mu.Lock()
					ok := as.access[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
					as.mu.Unlock()
					if !ok {
						w.WriteHeader(401)
						io.WriteString(w, strings.Repeat("x", size))
					}
				}))
				defer srv.Close()
				base := http.DefaultTransport.(*http.Transport).Clone()
				base.MaxConnsPerHost = conns
				defer base.CloseIdleConnections()
				c := as.client(t, func(cfg *Config) { cfg.BaseURL, cfg.Base = srv.URL, base })
				as.revoke()
				times(8, func(int) {
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

func TestF53_WhatWasReadOfARefusedAnswerIsStillThere(t *testing.T) {
	for _, size := range []int{0, 10, heldBody, heldBody + 1, 1 << 20} {
		resp := answerTo(nil, 401)
		resp.Body = io.NopCloser(strings.NewReader(strings.Repeat("x", size)))
		release(resp)
		b, err := io.ReadAll(resp.Body)
		if len(b) != min(size, heldBody) || (size > heldBody) != errors.Is(err, errCut) {
			t.Errorf("of %d bytes there are %d, error %v", size, len(b), err)
		}
	}
}
