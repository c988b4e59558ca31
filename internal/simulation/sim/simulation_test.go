package sim

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What a worker may be told to be instead.
const (
	asDying   = "dying"
	asStalled = "stalled"
)

func TestMain(m *testing.M) {
	switch Worker() {
	case "":
		os.Exit(m.Run())
	case asDying:
		panic("the process ends")
	case asStalled:
		os.Exit(exitStalled)
	}
	Work(Memory)
}

// A few seeds, as the program runs them.
func TestSeeds(t *testing.T) {
	c := &Campaign{Store: "mixed", Out: t.Output()}
	c.Seeds = 80 / slowness
	if failed, err := c.Run(); err != nil || failed {
		t.Errorf("failed: %t, error: %v", failed, err)
	}
}

// A seed is replayed exactly, the same facts at the same instants, but for a few: where one event wakes many goroutines,
// it is the runtime's to choose which goes first.
func TestReplay(t *testing.T) {
	c := &Campaign{Store: "mixed", Out: t.Output()}
	var w worker
	defer w.close()
	differ := 0
	for seed := range uint64(60 / slowness) {
		first, err := w.do(c.job(seed))
		if err != nil {
			t.Fatal(err)
		}
		again, err := w.do(c.job(seed))
		if err != nil {
			t.Fatal(err)
		}
		if first.Digest != again.Digest {
			t.Logf("seed %d: %d facts with digest %x, then %d with %x", seed, first.Facts, first.Digest, again.Facts, again.Digest)
			differ++
		}
	}
	if differ > 6/slowness+1 {
		t.Errorf("%d of %d seeds are not replayed exactly", differ, 60/slowness)
	}
}

// A worker that ends, or stands still, has found a violation, and the next job gets a new one.
func TestWorkersEnd(t *testing.T) {
	for as, want := range map[string]string{asDying: dies, asStalled: stalls} {
		w := &worker{as: as}
		v, err := w.do(job{Store: "mixed"})
		if err != nil || len(v.Violations) != 1 || v.Violations[0].Invariant != want {
			t.Errorf("a worker that is %s: %+v, %v", as, v.Violations, err)
		}
		w.as = ""
		if v, err = w.do(job{Seed: 3, Store: "mixed"}); err != nil || v.Facts == 0 {
			t.Errorf("the worker after it: %+v, %v", v, err)
		}
		w.close()
	}
}

// A run in which nothing is noted for long does not stand still.
func TestVirtualTimeMoves(t *testing.T) {
	before := moves.Load()
	synctest.Test(t, func(t *testing.T) {
		p := plan{steps: []step{{at: 26 * time.Hour, do: doOutage, what: "503", dur: time.Minute}}}
		newWorld(p, Memory).live()
	})
	if n := moves.Load() - before; n < 26*60 {
		t.Errorf("%d moves in 26 hours", n)
	}
}

func TestShrink(t *testing.T) {
	needed := []int{3, 17, 40}
	runs := 0
	kept := shrink(64, 1000, func(keep []int) bool {
		runs++
		for _, i := range needed {
			if !slices.Contains(keep, i) {
				return false
			}
		}
		return true
	})
	if !slices.Equal(kept, needed) {
		t.Errorf("shrink keeps %v, and %v is what matters", kept, needed)
	}
	if runs > 120 {
		t.Errorf("%d runs", runs)
	}
}

// A broken plan is told with its steps, its history, and how to run it again.
func TestTell(t *testing.T) {
	var out bytes.Buffer
	c := &Campaign{Store: "mixed", Out: &out}
	p := plan{seed: 7, steps: []step{{at: time.Second, do: doStart}, {at: 26 * time.Hour, do: doOutage, what: "503", dur: time.Minute}}}
	c.print(job{Seed: 7, Keep: []int{0, 2}, Store: "mixed"}, verdict{Seed: 7, Violations: []violation{{"budget", 3, "two in 5 ms"}}, Tail: []string{"a fact"}})
	for _, want := range []string{"seed 7 violates budget: two in 5 ms", "a fact", "-seed 7 -keep 0,2"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in %s", want, out.String())
		}
	}
	if got := p.steps[1].String(); got != "1d 02:00:00.000  outage 503 1m0s" {
		t.Errorf("a step reads %q", got)
	}
}
