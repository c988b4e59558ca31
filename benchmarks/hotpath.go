package main

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"time"
)

// A cost is what one request takes.
type cost struct{ ns, bytes, allocs float64 }

// runHotPath calls RoundTrip over a base that does nothing.
func runHotPath(b *bench) error {
	list := append(b.contenders(), cloning) // the minimal one in a faster version
	ready, closeAll, err := fitHot(list)
	if err != nil {
		return err
	}
	defer closeAll()
	// A program of some size collects garbage every so many megabytes. In one as small as this, the collector's
	// walks over the global variables of the peers' packages would be most of every figure.
	ballast := make([]byte, 64<<20)
	defer runtime.KeepAlive(ballast)
	results := map[int]map[string][]cost{}
	for _, goroutines := range []int{1, 2, 8} {
		results[goroutines], err = alternate(b, or(b, b.rounds+2, 1), list, func(c contender) (cost, error) {
			return costOf(ready[c.name], goroutines, or(b, 80*time.Millisecond, 5*time.Millisecond))
		})
		if err != nil {
			return err
		}
	}
	b.table(hotRows(list, results))
	ours, least := results[1][nameOurs], results[1][nameMinimal]
	for _, goroutines := range []int{1, 2, 8} {
		r := ratio(results[goroutines][nameOurs], results[goroutines][nameMinimal], cost.time)
		b.goal(r.median <= 1.2, "%d goroutines: %s of the minimal one, at most 1.2", goroutines, r)
	}
	b.say("on 1 goroutine %s of the minimal one with maps.Clone; no aim", ratio(ours, results[1][cloning.name], cost.time))
	allocs := medianOf(ours, cost.count).median - medianOf(least, cost.count).median
	size := medianOf(ours, cost.size).median - medianOf(least, cost.size).median
	b.count(allocs < 0.01 && size < 1, "%.2f allocations (0) and %.0f B (0) beyond the minimal one", max(0, allocs), max(0, size))
	return nil
}

func (c cost) time() float64  { return c.ns }
func (c cost) size() float64  { return c.bytes }
func (c cost) count() float64 { return c.allocs }

func hotRows(list []contender, results map[int]map[string][]cost) [][]string {
	rows := [][]string{{"", "ns, 1 goroutine", "ratio", "to maps.Clone", "ns, 2", "ratio", "ns, 8", "ratio", "B", "allocations"}}
	for _, c := range list {
		row := []string{c.name}
		for _, goroutines := range []int{1, 2, 8} {
			of, to := results[goroutines][c.name], results[goroutines][nameMinimal]
			row = append(row, medianOf(of, cost.time).String(), ratio(of, to, cost.time).String())
			if goroutines == 1 {
				row = append(row, ratio(of, results[1][cloning.name], cost.time).String())
			}
		}
		one := results[1][c.name]
		rows = append(rows, append(row, figure(medianOf(one, cost.size).median), figure(medianOf(one, cost.count).median)))
	}
	return rows
}

// fitHot fits each contender to a base that does nothing, with a token that lasts.
func fitHot(list []contender) (map[string]fitted, func(), error) {
	ready := map[string]fitted{}
	closeAll := func() {
		for _, f := range ready {
			f.close()
		}
	}
	for _, c := range list {
		s := &server{life: 10 * time.Hour}
		n := memory(s)
		n.base = noop{auth: n.auth}
		f, err := fitTo(c, s, n, time.Minute)
		if err != nil {
			closeAll()
			return nil, nil, fmt.Errorf("%s: %w", c.name, err)
		}
		ready[c.name] = f
	}
	return ready, closeAll, nil
}

type responseKey struct{}

// noop responds with the response that the worker keeps in its context: the base allocates nothing, and workers
// share nothing. What comes without one is a login.
type noop struct{ auth http.RoundTripper }

func (n noop) RoundTrip(req *http.Request) (*http.Response, error) {
	if response, ok := req.Context().Value(responseKey{}).(*http.Response); ok {
		return response, nil
	}
	return n.auth.RoundTrip(req)
}

// newHotRequest makes a request with six header fields.
func newHotRequest() *http.Request {
	response := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody}
	ctx := context.WithValue(context.Background(), responseKey{}, response)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.example.com/v1/things?page=2", nil)
	if err != nil {
		panic(err) // the URL is a constant
	}
	for _, name := range []string{"Accept", "Accept-Language", "User-Agent", "X-Request-Id", "Traceparent", "If-None-Match"} {
		req.Header.Set(name, "the value of one header field")
	}
	return req
}

// costOf measures for about d, after a warm-up of the same kind that also finds out how many requests that are.
func costOf(rt http.RoundTripper, goroutines int, d time.Duration) (cost, error) {
	const some = 2000
	took, err := send(rt, goroutines, some)
	if err != nil {
		return cost{}, err
	}
	n := max(some, int(float64(some)*float64(d)/float64(took)))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	took, err = send(rt, goroutines, n)
	runtime.ReadMemStats(&after)
	requests := float64(n * goroutines)
	return cost{
		ns:     float64(took.Nanoseconds()) / requests,
		bytes:  float64(after.TotalAlloc-before.TotalAlloc) / requests,
		allocs: float64(after.Mallocs-before.Mallocs) / requests,
	}, err
}

// send makes n requests in each goroutine, one after another.
func send(rt http.RoundTripper, goroutines, n int) (time.Duration, error) {
	errs := make(chan error, goroutines)
	start := time.Now()
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			req := newHotRequest()
			for range n {
				if _, err := rt.RoundTrip(req); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(start)
	close(errs)
	return took, <-errs
}
