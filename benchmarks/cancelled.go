package main

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// A departure is what happened when some callers gave up during a refresh.
type departure struct {
	late           time.Duration // the latest return after its own deadline
	failedPatient  int
	refreshes      int
	lostCredential int // refreshes with a credential that was spent
}

const patient = 4 * time.Second

// runCancelled has callers with deadlines of 50 and 100 ms start a refresh of 500 ms that others wait for.
func runCancelled(b *bench) error {
	list := which(b.contenders(), func(c contender) bool { return c.renews })
	if b.quick {
		list = which(list, func(c contender) bool { return c.name == nameOurs })
	}
	got, err := alternate(b, b.rounds, list, func(c contender) (departure, error) { return depart(c, 100) })
	if err != nil {
		return err
	}
	rows := [][]string{{"", "latest return after a deadline, ms", "patient callers failed, of 60", "refreshes", "with a spent credential"}}
	for _, c := range list {
		r := got[c.name]
		rows = append(rows, []string{c.name,
			medianOf(r, func(d departure) float64 { return ms(d.late) }).String(),
			medianOf(r, func(d departure) float64 { return float64(d.failedPatient) }).String(),
			medianOf(r, func(d departure) float64 { return float64(d.refreshes) }).String(),
			medianOf(r, func(d departure) float64 { return float64(d.lostCredential) }).String()})
	}
	b.table(rows)
	late := medianOf(got[nameOurs], func(d departure) float64 { return ms(d.late) })
	b.goal(late.median <= 5, "the latest return is %s ms after its deadline, at most 5", late)
	for _, d := range got[nameOurs] {
		b.count(d.failedPatient == 0 && d.refreshes == 1, "%d patient callers failed, %d refreshes; 0 and 1", d.failedPatient, d.refreshes)
	}
	return nil
}

func depart(c contender, callers int) (departure, error) {
	s := &server{life: time.Hour, delay: 500 * time.Millisecond, strict: true}
	n := loopback(s, 100)
	defer n.close()
	f, err := fitSpent(c, s, n)
	if err != nil {
		return departure{}, err
	}
	defer f.close()
	d := leave(&http.Client{Transport: f}, n.url, callers)
	t := s.tally()
	d.refreshes, d.lostCredential = t.refreshes, t.reuses
	return d, nil
}

// fitSpent fits c with a token that needs a refresh at once: it was revoked, or, for those who do not replay, it
// has ended.
func fitSpent(c contender, s *server, n network) (fitted, error) {
	first, credential := s.login()
	if !c.replays {
		first.expires = time.Now().Add(100 * time.Millisecond)
	}
	f, err := c.fit(setup{network: n, source: newSource(n, first, credential), lead: time.Millisecond})
	s.revoke()
	if !c.replays {
		time.Sleep(110 * time.Millisecond)
	}
	return f, err
}

// leave starts callers of whom a fifth has each deadline and the others are patient; one with a deadline leads.
func leave(hc *http.Client, url string, callers int) departure {
	var mu sync.Mutex
	var d departure
	var wg sync.WaitGroup
	for i := range callers {
		patience := []time.Duration{50 * time.Millisecond, 100 * time.Millisecond, patient, patient, patient}[i%5]
		wg.Go(func() {
			late, err := callWithin(hc, url, patience)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case patience < patient:
				d.late = max(d.late, late)
			case err != nil:
				d.failedPatient++
			}
		})
		if i == 0 {
			time.Sleep(10 * time.Millisecond)
		}
	}
	wg.Wait()
	return d
}

// callWithin returns how long after its deadline the call came back.
func callWithin(hc *http.Client, url string, patience time.Duration) (late time.Duration, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	deadline, _ := ctx.Deadline()
	err = get(ctx, hc, url)
	return time.Since(deadline), err
}
