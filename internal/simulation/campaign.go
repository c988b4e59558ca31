package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// A campaign runs many seeds.
type campaign struct {
	first   uint64
	seeds   int
	until   time.Time // zero: there is no limit
	store   string
	keep    []int
	gap     time.Duration
	json    bool
	verbose bool
	out     io.Writer

	worker worker
	report report
	said   time.Time // when progress was printed last
}

// A report is what came of a campaign.
type report struct {
	Start      uint64              `json:"start"`
	Seeds      int                 `json:"seeds"`
	Seconds    float64             `json:"seconds"`
	PerSecond  float64             `json:"seeds_per_second"`
	VirtualDay float64             `json:"virtual_days"`
	Facts      int                 `json:"facts"`
	Failed     int                 `json:"failed_seeds"`
	Violated   map[string][]uint64 `json:"violated,omitempty"` // the first seeds of each invariant
}

// seedsKept is how many seeds of each invariant a report names.
const seedsKept = 20

// run runs the seeds. It reports whether any has failed.
func (c *campaign) run() (failed bool, err error) {
	defer c.worker.close()
	c.report = report{Start: c.first, Violated: map[string][]uint64{}}
	began := time.Now()
	fmt.Fprintf(c.out, "from seed %d\n", c.first)
	for i := range c.seeds {
		if !c.until.IsZero() && time.Now().After(c.until) {
			break
		}
		v, err := c.worker.do(c.job(c.first + uint64(i)))
		if err != nil {
			return false, err
		}
		c.note(v)
		if err := c.tell(v); err != nil {
			return false, err
		}
		c.progress(began)
	}
	c.report.Seconds = time.Since(began).Seconds()
	c.report.PerSecond = float64(c.report.Seeds) / c.report.Seconds
	c.conclude()
	return c.report.Failed > 0, nil
}

func (c *campaign) job(seed uint64) job {
	return job{Seed: seed, Keep: c.keep, Gap: c.gap, Store: c.store, Whole: c.verbose && c.seeds == 1}
}

func (c *campaign) note(v verdict) {
	c.report.Seeds++
	c.report.Facts += v.Facts
	c.report.VirtualDay += v.Virtual.Hours() / 24
	if len(v.Violations) > 0 {
		c.report.Failed++
	}
}

// tell prints a seed that fails by an invariant that none before has failed by, shrunk.
func (c *campaign) tell(v verdict) error {
	var fresh []violation
	seen := map[string]bool{}
	for _, found := range v.Violations {
		if seen[found.Invariant] {
			continue
		}
		seen[found.Invariant] = true
		seeds := c.report.Violated[found.Invariant]
		if len(seeds) == 0 {
			fresh = append(fresh, found)
		}
		if len(seeds) < seedsKept {
			c.report.Violated[found.Invariant] = append(seeds, v.Seed)
		}
	}
	if c.seeds == 1 && len(fresh) == 0 && c.verbose {
		c.print(c.job(v.Seed), v)
	}
	for _, found := range fresh {
		if err := c.explain(v.Seed, found.Invariant); err != nil {
			return err
		}
	}
	return nil
}

// explain shrinks the plan of a seed that fails, and prints what is left.
func (c *campaign) explain(seed uint64, invariant string) error {
	j := c.job(seed)
	for _, inv := range invariants { // nothing else counts
		if inv.name != invariant {
			j.Pass = append(slices.Clone(j.Pass), inv.name)
		}
	}
	if c.keep == nil {
		if err := c.shrink(&j, invariant); err != nil {
			return err
		}
	}
	j.Trace = invariant == stalls || invariant == dies
	v, err := c.worker.do(j)
	if err == nil {
		c.print(j, v)
	}
	return err
}

// shrink makes a job smaller that violates an invariant: fewer steps, and less time between them.
func (c *campaign) shrink(j *job, invariant string) (failure error) {
	fails := func(smaller job) bool {
		v, err := c.worker.do(smaller)
		failure = cmp.Or(failure, err)
		return err == nil && slices.ContainsFunc(v.Violations, func(f violation) bool { return f.Invariant == invariant })
	}
	runs := 300
	if invariant == stalls {
		runs = 40 // each takes long
	}
	j.Keep = shrink(len(j.plan().steps), runs, func(keep []int) bool {
		smaller := *j
		smaller.Keep = keep
		return fails(smaller)
	})
	for _, gap := range []time.Duration{time.Second, 10 * time.Second, time.Minute, 10 * time.Minute} {
		smaller := *j
		if smaller.Gap = gap; fails(smaller) {
			*j = smaller
			break
		}
	}
	return failure
}

// print prints a run: what is wrong, its plan, and its history up to there.
func (c *campaign) print(j job, v verdict) {
	fmt.Fprintln(c.out)
	for _, found := range v.Violations[:min(len(v.Violations), 3)] {
		fmt.Fprintf(c.out, "seed %d violates %s: %s\n", j.Seed, found.Invariant, found.Text)
	}
	p := j.plan()
	fmt.Fprintf(c.out, "  plan, %d steps:\n", len(p.steps))
	for _, s := range p.steps {
		fmt.Fprintf(c.out, "    %s\n", s)
	}
	fmt.Fprintln(c.out, "  history:")
	for _, line := range v.Tail {
		fmt.Fprintf(c.out, "    %s\n", line)
	}
	fmt.Fprintf(c.out, "  replay: go run ./internal/simulation -store %s -seed %d", c.store, j.Seed)
	if j.Keep != nil {
		fmt.Fprintf(c.out, " -keep %s", strings.Trim(strings.ReplaceAll(fmt.Sprint(j.Keep), " ", ","), "[]"))
	}
	if j.Gap > 0 {
		fmt.Fprintf(c.out, " -gap %s", j.Gap)
	}
	fmt.Fprintln(c.out)
}

// progress prints a line now and then, where somebody is looking.
func (c *campaign) progress(began time.Time) {
	if time.Since(c.said) < time.Second || !isTerminal(c.out) {
		return
	}
	c.said = time.Now()
	fmt.Fprintf(c.out, "\r%d seeds, %.0f a second, %d failed ", c.report.Seeds, float64(c.report.Seeds)/time.Since(began).Seconds(), c.report.Failed)
}

func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// conclude prints the summary.
func (c *campaign) conclude() {
	r := c.report
	if c.json {
		json.NewEncoder(c.out).Encode(r)
		return
	}
	fmt.Fprintf(c.out, "\n%d seeds from %d in %.1f s (%.0f a second, %.0f virtual days), %d failed\n", r.Seeds, r.Start, r.Seconds, r.PerSecond, r.VirtualDay, r.Failed)
	for _, name := range slices.Sorted(maps.Keys(r.Violated)) {
		fmt.Fprintf(c.out, "  %-15s %v\n", name, r.Violated[name])
	}
}
