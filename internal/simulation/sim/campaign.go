package sim

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

// A Campaign runs many seeds.
type Campaign struct {
	First   uint64
	Seeds   int
	Until   time.Time // zero: there is no limit
	Store   string    // whether there is one: "with", "without" or "mixed"; or "database": one whose database may be away
	Keep    []int     // indexes of the steps that are run; nil: all
	Gap     time.Duration
	JSON    bool
	Verbose bool
	Out     io.Writer
	Worker  string // what Worker says in the workers, which are this very program
	Replay  string // the command that replays a seed, with %s for flags; "": the simulation's own

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

// Run runs the seeds. It reports whether any has failed.
func (c *Campaign) Run() (failed bool, err error) {
	c.worker.as = c.Worker
	defer c.worker.close()
	c.report = report{Start: c.First, Violated: map[string][]uint64{}}
	began := time.Now()
	fmt.Fprintf(c.Out, "from seed %d\n", c.First)
	for i := range c.Seeds {
		if !c.Until.IsZero() && time.Now().After(c.Until) {
			break
		}
		v, err := c.worker.do(c.job(c.First + uint64(i)))
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

func (c *Campaign) job(seed uint64) job {
	return job{Seed: seed, Keep: c.Keep, Gap: c.Gap, Store: c.Store, Whole: c.Verbose && c.Seeds == 1}
}

func (c *Campaign) note(v verdict) {
	c.report.Seeds++
	c.report.Facts += v.Facts
	c.report.VirtualDay += v.Virtual.Hours() / 24
	if len(v.Violations) > 0 {
		c.report.Failed++
	}
}

// tell prints a seed that fails by an invariant that none before has failed by, shrunk.
func (c *Campaign) tell(v verdict) error {
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
	if c.Seeds == 1 && len(fresh) == 0 && c.Verbose {
		c.print(c.job(v.Seed), v)
	}
	for _, found := range fresh {
		if err := c.explain(v, found); err != nil {
			return err
		}
	}
	return nil
}

// explain shrinks the plan of a seed that fails, and prints what is left; or what has failed, if it does not again.
func (c *Campaign) explain(failed verdict, found violation) error {
	whole := c.job(failed.Seed)
	for _, inv := range invariants { // nothing else counts
		if inv.name != found.Invariant {
			whole.Pass = append(slices.Clone(whole.Pass), inv.name)
		}
	}
	j := whole
	if c.Keep == nil {
		if err := c.shrink(&j, found.Invariant); err != nil {
			return err
		}
	}
	j.Trace = found.Invariant == stalls || found.Invariant == dies
	v, err := c.worker.do(j)
	switch {
	case err != nil:
		return err
	case len(v.Violations) == 0:
		fmt.Fprintln(c.Out, "\nNot so when it is replayed:")
		c.print(whole, failed)
	default:
		c.print(j, v)
	}
	return nil
}

// shrink makes a job smaller that violates an invariant: fewer steps, and less time between them.
func (c *Campaign) shrink(j *job, invariant string) (failure error) {
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
func (c *Campaign) print(j job, v verdict) {
	fmt.Fprintln(c.Out)
	for _, found := range v.Violations[:min(len(v.Violations), 3)] {
		fmt.Fprintf(c.Out, "seed %d violates %s: %s\n", j.Seed, found.Invariant, found.Text)
	}
	p := j.plan()
	fmt.Fprintf(c.Out, "  plan, %d steps:\n", len(p.steps))
	for _, s := range p.steps {
		fmt.Fprintf(c.Out, "    %s\n", s)
	}
	fmt.Fprintln(c.Out, "  history:")
	for _, line := range v.Tail {
		fmt.Fprintf(c.Out, "    %s\n", line)
	}
	fmt.Fprintf(c.Out, "  replay: "+cmp.Or(c.Replay, replay)+"\n", c.flags(j))
}

// replay is how a seed is run again with a Store in memory.
const replay = "go run ./internal/simulation %s"

// flags are those by which a job is run again.
func (c *Campaign) flags(j job) string {
	flags := fmt.Sprintf("-store %s -seed %d", c.Store, j.Seed)
	if j.Keep != nil {
		flags += " -keep " + strings.Trim(strings.ReplaceAll(fmt.Sprint(j.Keep), " ", ","), "[]")
	}
	if j.Gap > 0 {
		flags += fmt.Sprintf(" -gap %s", j.Gap)
	}
	return flags
}

// progress prints a line now and then, where somebody is looking.
func (c *Campaign) progress(began time.Time) {
	if time.Since(c.said) < time.Second || !isTerminal(c.Out) {
		return
	}
	c.said = time.Now()
	fmt.Fprintf(c.Out, "\r%d seeds, %.0f a second, %d failed ", c.report.Seeds, float64(c.report.Seeds)/time.Since(began).Seconds(), c.report.Failed)
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
func (c *Campaign) conclude() {
	r := c.report
	if c.JSON {
		json.NewEncoder(c.Out).Encode(r)
		return
	}
	fmt.Fprintf(c.Out, "\n%d seeds from %d in %.1f s (%.0f a second, %.0f virtual days), %d failed\n", r.Seeds, r.Start, r.Seconds, r.PerSecond, r.VirtualDay, r.Failed)
	for _, name := range slices.Sorted(maps.Keys(r.Violated)) {
		fmt.Fprintf(c.Out, "  %-15s %v\n", name, r.Violated[name])
	}
}
