package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// An outage is what callers noticed of a refresh endpoint that was down.
type outage struct {
	calls     int           // at the refresh endpoint while it was down
	early     int           // requests that failed although the token was valid
	late      int           // requests that failed after the token had ended
	recovered time.Duration // from when the endpoint was back to the first success
	longest   time.Duration // the longest pause after a refresh while it was down
	requests  int           // in two minutes: a caller who waits makes fewer
}

// step is the longest backoff step while somebody waits: half of Config.MaxWait.
const step = 5 * time.Second

// The outage lasts from 15 s to 75 s, and begins and ends between two requests; a token that lasts 60 s is due for renewal after 20 s.
const (
	outageStart = 15*time.Second + 2*time.Millisecond
	outageEnd   = outageStart + time.Minute
	outageLife  = 60 * time.Second
	outageLead  = 40 * time.Second
)

// runDown takes the refresh endpoint away for a minute of virtual time. The endpoint returns 503 at once.
func runDown(b *bench) error {
	list := which(b.contenders(), func(c contender) bool { return c.renews })
	b.canary = nil
	got, err := alternate(b, b.rounds, list, func(c contender) (outage, error) {
		return inBubble(b.t, func() (outage, error) { return suffer(c) })
	})
	if err != nil {
		return err
	}
	rows := [][]string{{"", "refresh calls in 60 s", "longest pause, s", "failed while the token was valid",
		"failed after", "requests in all", "back after, s"}}
	for _, c := range list {
		row := []string{c.name}
		for _, f := range []func(outage) float64{
			func(o outage) float64 { return float64(o.calls) },
			func(o outage) float64 { return o.longest.Seconds() },
			func(o outage) float64 { return float64(o.early) },
			func(o outage) float64 { return float64(o.late) },
			func(o outage) float64 { return float64(o.requests) },
			func(o outage) float64 { return o.recovered.Seconds() },
		} {
			row = append(row, medianOf(got[c.name], f).String())
		}
		rows = append(rows, row)
	}
	b.table(rows)
	b.countEach(len(got[nameOurs]), func(i int) (bool, string) {
		o := got[nameOurs][i]
		return o.early == 0 && o.calls <= 60 && o.recovered <= step, fmt.Sprintf(
			"%d requests failed while the token was valid (0), %d refresh calls in 60 s (at most one a second), back after %.1f s (at most %.0f, the longest step while a caller waits)",
			o.early, o.calls, o.recovered.Seconds(), step.Seconds())
	})
	return nil
}

func suffer(c contender) (outage, error) {
	s := &server{life: outageLife}
	calls := &callTimes{handler: s}
	n := memory(calls)
	f, err := fitTo(c, s, n, outageLead)
	if err != nil {
		return outage{}, err
	}
	defer f.close()
	start := time.Now()
	time.AfterFunc(outageStart, func() { s.down.Store(true) })
	time.AfterFunc(outageEnd, func() { s.down.Store(false) })
	o := tenASecond(&http.Client{Transport: f}, n.url, start)
	o.calls, o.longest = calls.between(start.Add(outageStart), start.Add(outageEnd))
	return o, nil
}

// tenASecond has 20 callers make 10 requests a second each for two minutes.
func tenASecond(hc *http.Client, url string, start time.Time) outage {
	var mu sync.Mutex
	o := outage{recovered: time.Hour}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			time.Sleep(time.Duration(i) * 5 * time.Millisecond)
			for time.Since(start) < 2*time.Minute {
				sent := time.Since(start)
				err := get(context.Background(), hc, url)
				mu.Lock()
				o.note(sent, time.Since(start), err)
				mu.Unlock()
				time.Sleep(max(0, sent+100*time.Millisecond-time.Since(start)))
			}
		})
	}
	wg.Wait()
	return o
}

func (o *outage) note(sent, now time.Duration, err error) {
	o.requests++
	switch {
	case err != nil && sent < outageLife:
		o.early++
	case err != nil:
		o.late++
	case now > outageEnd:
		o.recovered = min(o.recovered, now-outageEnd)
	}
}

// callTimes notes when the refresh endpoint was called.
type callTimes struct {
	handler http.Handler
	mu      sync.Mutex
	at      []time.Time
}

func (c *callTimes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/auth/refresh" {
		c.mu.Lock()
		c.at = append(c.at, time.Now())
		c.mu.Unlock()
	}
	c.handler.ServeHTTP(w, r)
}

// between returns how many calls there were, and the longest pause between one of them and the next.
func (c *callTimes) between(from, to time.Time) (calls int, longest time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, at := range c.at {
		if at.Before(from) || at.After(to) {
			continue
		}
		calls++
		if i+1 < len(c.at) {
			longest = max(longest, c.at[i+1].Sub(at))
		}
	}
	return calls, longest
}
