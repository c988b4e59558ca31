package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// tryRedirect has the API redirect to another host, and looks at what arrives there.
func tryRedirect(_ *bench, c contender) (finding, error) {
	var leaked atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		leaked.Store(r.Header.Get("Authorization") != "")
	}))
	defer other.Close()
	u, err := url.Parse(other.URL)
	if err != nil {
		return finding{}, err
	}
	s := &server{life: time.Hour, elsewhere: "http://localhost:" + u.Port()} // the API is 127.0.0.1
	n := loopback(s, 2)
	defer n.close()
	first, credential := s.login()
	f, err := c.fit(setup{network: n, source: newSource(n, first, credential), lead: time.Minute, redirects: true})
	if err != nil {
		return finding{}, err
	}
	defer f.close()
	resp, err := (&http.Client{Transport: f}).Get(n.url + "/away")
	if err != nil {
		return finding{}, err
	}
	resp.Body.Close()
	return kept(!leaked.Load(), "the other host received the token"), nil
}

// tryLate401 has a 401 arrive after the refresh that it would have asked for.
func tryLate401(b *bench, c contender) (finding, error) {
	if !c.sees401 {
		return doesNotApply, nil
	}
	return inBubble(b.t, func() (finding, error) {
		var calls atomic.Int64
		s := &server{life: time.Hour}
		s.apiDelay = func() time.Duration {
			if calls.Add(1) == 1 {
				return 300 * time.Millisecond
			}
			return 0
		}
		n := memory(s)
		f, err := fitTo(c, s, n, time.Minute)
		if err != nil {
			return finding{}, err
		}
		defer f.close()
		s.revoke()
		var wg sync.WaitGroup
		for _, at := range []time.Duration{0, 10, 50, 400} {
			wg.Go(func() {
				time.Sleep(at * time.Millisecond)
				get(context.Background(), &http.Client{Transport: f}, n.url)
			})
		}
		wg.Wait()
		return kept(s.refreshes == 1, "%d refreshes for one token that was revoked", s.refreshes), nil
	})
}

func tryCancelledLeader(_ *bench, c contender) (finding, error) {
	if !c.renews {
		return doesNotApply, nil
	}
	d, err := depart(c, 20)
	return kept(d.late <= 100*time.Millisecond && d.failedPatient == 0 && d.lostCredential == 0,
		"the latest came back %.0f ms after its deadline; %d of 12 patient callers failed; %d refreshes, %d with a spent credential",
		ms(d.late), d.failedPatient, d.refreshes, d.lostCredential), err
}

// tryFailingRefresh lets 20 callers try ten times a second for 10 s.
func tryFailingRefresh(b *bench, c contender) (finding, error) {
	if !c.renews {
		return doesNotApply, nil
	}
	return inBubble(b.t, func() (finding, error) {
		s := &server{life: time.Hour}
		n := memory(s)
		f, err := fitSpent(c, s, n)
		s.down.Store(true)
		if err != nil {
			return finding{}, err
		}
		defer f.close()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				for ctx.Err() == nil {
					get(ctx, &http.Client{Transport: f}, n.url)
					time.Sleep(100 * time.Millisecond)
				}
			})
		}
		wg.Wait()
		return kept(s.refreshes <= 20, "%d calls of the refresh endpoint in 10 s", s.refreshes), nil
	})
}

// trySecrets prints what the application holds, as a log line would.
func trySecrets(_ *bench, c contender) (finding, error) {
	s := &server{life: time.Hour}
	n := memory(s)
	first, credential := s.login()
	f, err := c.fit(setup{network: n, source: newSource(n, first, credential), lead: time.Minute})
	if err != nil {
		return finding{}, err
	}
	defer f.close()
	for _, v := range f.held {
		for _, verb := range []string{"%v", "%+v", "%#v"} {
			text := fmt.Sprintf(verb, v)
			if strings.Contains(text, first.token) || strings.Contains(text, credential) {
				return kept(false, "%s of a %T shows the token", verb, v), nil
			}
		}
	}
	return kept(true, ""), nil
}

func tryClock(b *bench, c contender) (finding, error)    { return tryBothClocks(b, c, false) }
func tryClockExp(b *bench, c contender) (finding, error) { return tryBothClocks(b, c, true) }

func tryBothClocks(b *bench, c contender, expOnly bool) (finding, error) {
	if !c.renews {
		return doesNotApply, nil
	}
	for _, skew := range []time.Duration{time.Hour, -time.Hour} {
		f, err := inBubble(b.t, func() (finding, error) { return trySkew(c, skew, expOnly) })
		if err != nil || f.word != "kept" {
			return f, err
		}
	}
	return kept(true, ""), nil
}

// trySkew makes a request a second for ten minutes of tokens that last one minute.
func trySkew(c contender, skew time.Duration, expOnly bool) (finding, error) {
	s := &server{life: time.Minute, skew: skew, expOnly: expOnly}
	n := memory(s)
	f, err := fitTo(c, s, n, 10*time.Second)
	if err != nil {
		return finding{}, err
	}
	defer f.close()
	failed := 0
	for range 600 {
		if get(context.Background(), &http.Client{Transport: f}, n.url) != nil {
			failed++
		}
		time.Sleep(time.Second)
	}
	return kept(failed == 0 && s.refreshes <= 15, "server %v ahead: %d of 600 requests failed, %d refreshes for ten tokens",
		skew, failed, s.refreshes), nil
}

// tryBody replays requests of which the second cannot be read again with GetBody.
func tryBody(_ *bench, c contender) (finding, error) {
	if !c.replays {
		return doesNotApply, nil
	}
	const size = 32 << 10
	for _, rewind := range []bool{true, false} {
		s := &server{life: time.Hour}
		n := loopback(s, 2)
		defer n.close()
		f, err := fitTo(c, s, n, time.Minute)
		if err != nil {
			return finding{}, err
		}
		defer f.close()
		s.revoke()
		req, err := http.NewRequest(http.MethodPost, n.url, bytes.NewReader(make([]byte, size)))
		if err != nil {
			return finding{}, err
		}
		if !rewind {
			req.GetBody, req.Body = nil, io.NopCloser(bytes.NewReader(make([]byte, size)))
		}
		resp, err := (&http.Client{Transport: f}).Do(req)
		if err != nil {
			return kept(false, "GetBody %v: %s", rewind, strings.ReplaceAll(err.Error(), n.url, "")), nil
		}
		resp.Body.Close()
		if _, whole := s.bodies.Load(int64(size)); !whole {
			return kept(false, "GetBody %v: the API returned %d and did not receive the whole body", rewind, resp.StatusCode), nil
		}
	}
	return kept(true, ""), nil
}
