package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	rate      = 2000 // requests a second
	tokenTTL  = 2 * time.Second
	longLead  = 500 * time.Millisecond // a refresh is done before the token ends
	shortLead = 100 * time.Millisecond // and here it is not
	stall     = 50 * time.Millisecond  // a request that takes longer was held up
)

// A moment is one request of a paced load.
type moment struct {
	due  time.Duration // since the start
	took time.Duration // since it was due
	err  error
}

// A watch is what happened while tokens ended and were renewed.
type watch struct {
	moments []moment
	tally   tally
}

func (w watch) quantile(q float64) float64 {
	v := each(w.moments, func(m moment) float64 { return ms(m.took) })
	slices.Sort(v)
	return quantile(v, q)
}

func (w watch) p50() float64  { return w.quantile(0.5) }
func (w watch) p99() float64  { return w.quantile(0.99) }
func (w watch) p999() float64 { return w.quantile(0.999) }

func (w watch) stalled() float64 {
	return 100 * w.share(func(m moment) bool { return m.took > stall })
}

func (w watch) refused() float64 {
	return w.share(func(m moment) bool { return errors.Is(m.err, errRefused) }) * float64(len(w.moments))
}

func (w watch) failed() float64 {
	return w.share(func(m moment) bool { return m.err != nil }) * float64(len(w.moments))
}

func (w watch) share(is func(moment) bool) float64 {
	n := 0
	for _, m := range w.moments {
		if is(m) {
			n++
		}
	}
	return float64(n) / float64(len(w.moments))
}

// runRollover renews tokens of two seconds under a steady load.
func runRollover(b *bench) error {
	list := which(b.contenders(), func(c contender) bool { return c.renews || c.name == nameLimit })
	if b.quick {
		list = which(list, b.quickly)
	}
	for _, lead := range []time.Duration{longLead, shortLead} {
		got, err := alternate(b, b.rounds, list, func(c contender) (watch, error) {
			return watchOver(c, lead, or(b, 12*time.Second, 3*time.Second))
		})
		if err != nil {
			return err
		}
		b.rolloverTable(list, got, lead)
		b.rolloverGoals(got, lead)
		if lead == longLead && !b.quick {
			b.plots["rollover.svg"] = plotRollover(got)
		}
	}
	return nil
}

// watchOver runs one contender for d. Credentials that are used twice are counted but forgiven, so that the
// figures of those who do that can be compared.
func watchOver(c contender, lead, d time.Duration) (watch, error) {
	s := &server{life: tokenTTL, delay: 200 * time.Millisecond}
	n := loopback(s, workers)
	defer n.close()
	if err := warmUp(n, s); err != nil {
		return watch{}, err
	}
	f, err := fitTo(c, s, n, lead)
	if err != nil {
		return watch{}, err
	}
	defer f.close()
	moments := pace(&http.Client{Transport: f}, n.url, d)
	return watch{moments, s.tally()}, nil
}

// warmUp opens the connections before anybody logs in.
func warmUp(n network, s *server) error {
	s.open = true
	_, err := pull(&http.Client{Transport: n.base}, n.url, 200*time.Millisecond)
	s.open = false
	s.requests.Store(0)
	return err
}

// pace has the workers take turns, each request at its time. A request that is late because the one before was held
// up counts from when it was due; one whose timer was late counts from when the timer fired.
func pace(hc *http.Client, url string, d time.Duration) []moment {
	each := make([][]moment, workers)
	start := time.Now()
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for due := time.Duration(w) * time.Second / rate; due < d; due += workers * time.Second / rate {
				from := start.Add(due)
				if time.Until(from) > 0 {
					time.Sleep(time.Until(from))
					from = time.Now()
				}
				err := get(context.Background(), hc, url)
				each[w] = append(each[w], moment{due, time.Since(from), err})
			}
		})
	}
	wg.Wait()
	return slices.Concat(each...)
}

func (b *bench) rolloverTable(list []contender, got map[string][]watch, lead time.Duration) {
	rows := [][]string{{"lead " + lead.String(), "401s seen", "other failures", "refreshes", "crowded", "overlap", "spent credentials used",
		"p50 ms", "p99 ms", "p99.9 ms", "above 50 ms, %"}}
	for _, c := range list {
		r := got[c.name]
		t := func(f func(tally) int) string {
			return medianOf(r, func(w watch) float64 { return float64(f(w.tally)) }).String()
		}
		rows = append(rows, []string{c.name, medianOf(r, watch.refused).String(),
			medianOf(r, func(w watch) float64 { return w.failed() - w.refused() }).String(),
			t(func(t tally) int { return t.refreshes }), t(func(t tally) int { return t.crowded }),
			t(func(t tally) int { return t.overlap }), t(func(t tally) int { return t.reuses }),
			medianOf(r, watch.p50).String(), medianOf(r, watch.p99).String(), medianOf(r, watch.p999).String(),
			medianOf(r, watch.stalled).String()})
	}
	b.table(rows)
}

func (b *bench) rolloverGoals(got map[string][]watch, lead time.Duration) {
	b.countEach(len(got[nameOurs]), func(i int) (bool, string) {
		w := got[nameOurs][i]
		return w.failed() == 0 && w.tally.overlap <= 1 && w.tally.crowded == 0 && w.tally.reuses == 0, fmt.Sprintf(
			"lead %v: %.0f failures seen by the application (0), %d refreshes, %d of them more than one a generation (0), %d at a time (1)",
			lead, w.failed(), w.tally.refreshes, w.tally.crowded, w.tally.overlap)
	})
	if lead == longLead && !b.quick {
		r := ratio(got[nameOurs], got[nameLimit], watch.p999)
		b.goal(r.median <= 1.5, "lead %v: p99.9 is %s of the limit, at most 1.5", lead, r)
		share := medianOf(got[nameOurs], watch.stalled)
		b.goal(share.median < 0.005, "lead %v: %s %% above %v, 0.00", lead, share, stall)
	}
}
