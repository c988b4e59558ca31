package main

import (
	"fmt"
	"runtime"
	"strings"
	"time"
)

// A weight is what an idle session takes.
type weight struct{ heap, goroutines float64 }

// runIdle keeps many sessions that do nothing. Memory does not depend on who else uses the machine: there is one
// round, and no canary.
func runIdle(b *bench) error {
	n := or(b, 100_000, 2_000)
	list := which(b.contenders(), func(c contender) bool { return c.renews })
	b.canary = nil
	got, err := alternate(b, 1, list, func(c contender) (weight, error) { return weigh(c, n) })
	if err != nil {
		return err
	}
	rows := [][]string{{fmt.Sprintf("%d sessions", n), "heap a session beyond token and cookies, B", "goroutines"}}
	for _, c := range list {
		rows = append(rows, []string{c.name, figure(got[c.name][0].heap), figure(got[c.name][0].goroutines)})
	}
	b.table(rows)
	ours := got[nameOurs][0]
	b.count(ours.heap <= 1.5*1024, "%.0f B a session beyond token and cookies, at most 1,536 (1.5 KB)", ours.heap)
	b.count(ours.goroutines < 1, "%.0f goroutines, 0", ours.goroutines)
	return nil
}

// weigh makes n sessions and compares the heap with and without them. Each has strings of its own.
func weigh(c contender, n int) (weight, error) {
	s := &server{life: 10 * time.Hour}
	network := memory(s)
	sessions := make([]fitted, 0, n)
	before, goroutines, secrets := heap(), runtime.NumGoroutine(), 0
	for i := range n {
		first, credential := s.login()
		first.token, credential = strings.Clone(first.token), strings.Clone(credential)
		secrets += len(first.token) + len(credential)
		setup := setup{network: network, source: newSource(network, first, credential), lead: time.Hour, number: i}
		if i > 0 {
			setup.beside = &sessions[0]
		}
		f, err := c.fit(setup)
		if err != nil {
			return weight{}, err
		}
		f.held = nil
		s.revoke() // the server does not weigh
		sessions = append(sessions, f)
	}
	runtime.Gosched()
	w := weight{
		heap:       float64(heap()-before-secrets) / float64(n),
		goroutines: float64(runtime.NumGoroutine() - goroutines),
	}
	for _, f := range sessions {
		f.close()
	}
	return w, nil
}

func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
