package main

import (
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"
)

const (
	slower    = 1.3 // a canary that takes that much longer than its best was disturbed
	foreign   = 0.1 // others may use that much of the machine during a turn
	repeats   = 2   // a disturbed turn is repeated that often
	judgeable = 500 * time.Millisecond
)

// A canary tells when somebody else used the machine during a turn. It does a fixed piece of work on all cores
// before and after, and it asks the kernel what other processes used meanwhile. A nil canary sees nothing.
type canary struct {
	best                    time.Duration
	turns, again, disturbed int
}

func newCanary() *canary {
	c := &canary{best: time.Hour}
	for range 20 {
		c.best = min(c.best, sing())
	}
	return c
}

// undisturbed returns the result of a turn during which the machine was ours, or else of its last repetition.
func undisturbed[R any](c *canary, turn func() (R, error)) (R, error) {
	if c == nil {
		return turn()
	}
	c.turns++
	for try := 0; ; try++ {
		quiet := c.quiet()
		before, start := usage(), time.Now()
		r, err := turn()
		share := usage().sharedWith(before, time.Since(start))
		if quiet = c.quiet() && quiet && share <= foreign; quiet || err != nil {
			return r, err
		}
		if try == repeats {
			c.disturbed++
			return r, nil
		}
		c.again++
		time.Sleep(100 * time.Millisecond) // the other one may be done soon
	}
}

// quiet sings a few times, because the first time it wakes the cores up.
func (c *canary) quiet() bool {
	took := sing()
	for range 2 {
		took = min(took, sing())
	}
	c.best = min(c.best, took)
	return float64(took) < slower*float64(c.best)
}

func (c *canary) report(w io.Writer) {
	if c == nil || c.turns == 0 {
		return
	}
	fmt.Fprintf(w, "\nThe machine was disturbed in %d of %d turns and they were repeated; %d stayed disturbed.\n",
		c.again, c.turns+c.again, c.disturbed)
}

// sing does the same work on every core and returns how long the slowest took.
func sing() time.Duration {
	start := time.Now()
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() { runtime.KeepAlive(spin(10_000_000)) })
	}
	wg.Wait()
	return time.Since(start)
}

//go:noinline
func spin(n uint64) (x uint64) {
	for i := range n {
		x = x*6364136223846793005 + i
	}
	return x
}

// cpu is the processor time that was used so far, by this process and by the whole machine.
type cpu struct{ own, all time.Duration }

// sharedWith returns which share of the machine others used since before. It is 0 where the kernel does not tell,
// and for times so short that its clock is too coarse.
func (now cpu) sharedWith(before cpu, took time.Duration) float64 {
	if now.all == 0 || took < judgeable {
		return 0
	}
	others := (now.all - before.all) - (now.own - before.own)
	return float64(others) / float64(took) / float64(runtime.NumCPU())
}
