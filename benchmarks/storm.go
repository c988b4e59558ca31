package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const refreshTakes = 100 * time.Millisecond

// A weather is one way for 401s to come.
type weather struct {
	name   string
	spread time.Duration // the requests start within that
	think  time.Duration // the API takes up to that long
}

var weathers = []weather{
	{name: "all at once"},
	{name: "spread over 200 ms", spread: 200 * time.Millisecond},
	{name: "late 401s", think: 150 * time.Millisecond},
}

// An outcome is what a storm left behind.
type outcome struct {
	wall   time.Duration
	failed int
	done   []time.Duration // when each successful request got its response
	tally  tally
}

// runStorm makes the API refuse the token that 2,000 requests carry.
func runStorm(b *bench) error {
	list := which(b.contenders(), func(c contender) bool { return c.renews || c.name == nameLimit })
	if b.quick {
		list = which(list, func(c contender) bool { return b.quickly(c) || c.name == mutexRecheck.name })
	}
	for _, w := range weathers {
		got, err := alternate(b, b.rounds, list, func(c contender) (outcome, error) { return brave(c, w) })
		if err != nil {
			return err
		}
		b.stormTable(list, got, w)
		b.stormGoals(got[nameOurs], w)
		if w == weathers[0] && !b.quick {
			b.plots["storm.svg"] = plotStorm(got)
		}
	}
	return nil
}

const (
	stormSize     = 2000
	stormPatience = 4 * time.Second // what is not done by then has failed
)

// brave sends one contender through a storm.
func brave(c contender, w weather) (outcome, error) {
	s := &server{life: time.Hour, delay: refreshTakes}
	n := loopback(s, 256)
	defer n.close()
	if err := warmUpStorm(n, s); err != nil {
		return outcome{}, err
	}
	if w.think > 0 {
		s.apiDelay = thinking(w.think)
	}
	f, err := fitTo(c, s, n, time.Minute)
	if err != nil {
		return outcome{}, err
	}
	defer f.close()
	hc := &http.Client{Transport: f}
	if err := get(context.Background(), hc, n.url); err != nil {
		return outcome{}, fmt.Errorf("before the storm: %w", err)
	}
	s.requests.Store(0)
	s.revoke()
	o := launch(hc, n.url, w.spread)
	o.tally = s.tally()
	return o, nil
}

// warmUpStorm opens all 256 connections, each of which needs a request of its own at the same time.
func warmUpStorm(n network, s *server) error {
	s.open, s.apiDelay = true, func() time.Duration { return 50 * time.Millisecond }
	defer func() { s.open, s.apiDelay = false, nil }()
	hc := &http.Client{Transport: n.base}
	var wg sync.WaitGroup
	var failed atomic.Pointer[error]
	for range 256 {
		wg.Go(func() {
			if err := get(context.Background(), hc, n.url); err != nil {
				failed.Store(&err)
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// thinking returns delays that are spread evenly over 0 to most, the same in every run.
func thinking(most time.Duration) func() time.Duration {
	var n atomic.Uint64
	return func() time.Duration { return time.Duration(n.Add(1)*7919%1000) * most / 1000 }
}

// launch starts all requests behind one barrier.
func launch(hc *http.Client, url string, spread time.Duration) outcome {
	ctx, cancel := context.WithTimeout(context.Background(), stormPatience)
	defer cancel()
	barrier := make(chan struct{})
	done := make([]time.Duration, stormSize)
	var start time.Time
	var ready, wg sync.WaitGroup
	for i := range stormSize {
		ready.Add(1)
		wg.Go(func() {
			ready.Done()
			<-barrier
			time.Sleep(spread * time.Duration(i) / stormSize)
			if get(ctx, hc, url) == nil {
				done[i] = time.Since(start)
			}
		})
	}
	ready.Wait()
	start = time.Now()
	close(barrier)
	wg.Wait()
	o := outcome{wall: time.Since(start)}
	for _, d := range done {
		if d == 0 {
			o.failed++
		} else {
			o.done = append(o.done, d)
		}
	}
	return o
}

func (b *bench) stormTable(list []contender, got map[string][]outcome, w weather) {
	rows := [][]string{{w.name, "refreshes", "failures seen", "requests at the API for each of the application", "wall, ms"}}
	for _, c := range list {
		r := got[c.name]
		rows = append(rows, []string{c.name,
			medianOf(r, func(o outcome) float64 { return float64(o.tally.refreshes) }).String(),
			medianOf(r, func(o outcome) float64 { return float64(o.failed) }).String(),
			medianOf(r, outcome.perRequest).String(),
			medianOf(r, outcome.wallMS).String()})
	}
	b.table(rows)
}

func (o outcome) perRequest() float64 { return float64(o.tally.requests) / stormSize }
func (o outcome) wallMS() float64     { return ms(o.wall) }

func (b *bench) stormGoals(ours []outcome, w weather) {
	b.countEach(len(ours), func(i int) (bool, string) {
		o := ours[i]
		return o.tally.refreshes == 1 && o.failed == 0 && o.perRequest() <= 2, fmt.Sprintf(
			"%s: %d refresh (1), %d failures (0), %.2f requests at the API for each of the application (at most 2)",
			w.name, o.tally.refreshes, o.failed, o.perRequest())
	})
	if w == weathers[0] {
		wall := medianOf(ours, func(o outcome) float64 { return float64(o.wall) / float64(refreshTakes) })
		b.goal(wall.median <= 2.5, "%s: wall is %s refresh times, at most 2.5", w.name, wall)
	}
}
