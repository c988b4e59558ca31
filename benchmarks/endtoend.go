package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const workers = 64

// A load is what one second of requests took.
type load struct{ rate, cpu float64 } // requests a second; microseconds of processor time a request

func (l load) speed() float64 { return l.rate }
func (l load) time() float64  { return l.cpu }

// runEndToEnd puts 64 workers on a real connection. The server is part of the process and of its processor time.
func runEndToEnd(b *bench) error {
	plain := func(s *server) network { return loopback(s, workers) }
	tls := func(s *server) network { return loopbackTLS(s) }
	http1, err := loads(b, "HTTP/1.1", plain)
	if err != nil {
		return err
	}
	http2, err := loads(b, "HTTP/2", tls)
	if err != nil {
		return err
	}
	rows := [][]string{{"", "HTTP/1.1: CPU a request, us", "ratio to minimal", "req/s to no auth",
		"HTTP/2 over TLS: CPU, us", "ratio to minimal", "req/s to no auth"}}
	for _, c := range b.contenders() {
		row := []string{c.name}
		for _, got := range []map[string][]load{http1, http2} {
			row = append(row, medianOf(got[c.name], load.time).String(),
				ratio(got[c.name], got[nameMinimal], load.time).String(), ratio(got[c.name], got[nameLimit], load.speed).String())
		}
		rows = append(rows, row)
	}
	b.table(rows)
	for i, got := range []map[string][]load{http1, http2} {
		r := ratio(got[nameOurs], got[nameMinimal], load.time)
		b.goal(r.median <= 1.05, "HTTP/%d: CPU is %s of the minimal one, at most 1.05", i+1, r)
	}
	return nil
}

func loads(b *bench, proto string, listen func(*server) network) (map[string][]load, error) {
	ready := map[string]fitted{}
	urls := map[string]string{}
	for _, c := range b.contenders() {
		s := &server{life: 10 * time.Hour}
		n := listen(s)
		defer n.close()
		f, err := fitTo(c, s, n, time.Minute)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		defer f.close()
		ready[c.name], urls[c.name] = f, n.url
	}
	return alternate(b, b.rounds+or(b, 2, 0), b.contenders(), func(c contender) (load, error) {
		hc := &http.Client{Transport: ready[c.name]}
		if err := get(context.Background(), hc, urls[c.name]); err != nil { // one connection for all of HTTP/2
			return load{}, err
		}
		if _, err := pull(hc, urls[c.name], or(b, 150*time.Millisecond, 20*time.Millisecond)); err != nil {
			return load{}, err
		}
		l, err := pull(hc, urls[c.name], or(b, 500*time.Millisecond, 50*time.Millisecond))
		if err != nil {
			return load{}, fmt.Errorf("%s: %w", proto, err)
		}
		return l, nil
	})
}

// pull has all workers request as fast as they can for d.
func pull(hc *http.Client, url string, d time.Duration) (load, error) {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	var done atomic.Int64
	before, start := usage(), time.Now()
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for time.Since(start) < d && ctx.Err() == nil {
				if err := get(ctx, hc, url); err != nil {
					cancel(err)
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	took, used := time.Since(start), usage().own-before.own
	n := float64(done.Load())
	return load{rate: n / took.Seconds(), cpu: float64(used.Microseconds()) / n}, failure(ctx)
}

var errRefused = fmt.Errorf("the API returned %d", http.StatusUnauthorized)

// failure returns what somebody cancelled ctx for, nil if nobody did.
func failure(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return context.Cause(ctx)
}

// get makes one request and reads the response; a 401 that the application would see is errRefused.
func get(ctx context.Context, hc *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/things", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := hc.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusUnauthorized:
		return errRefused
	}
	return fmt.Errorf("the API returned %d", resp.StatusCode)
}
