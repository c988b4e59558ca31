package sim

import (
	"bufio"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"sync/atomic"
	"testing"
	"time"
)

// A job is one run for a worker: the plan of a seed, or what is left of it.
type job struct {
	Seed  uint64        `json:"seed"`
	Keep  []int         `json:"keep"`          // indexes of steps; null: all
	Gap   time.Duration `json:"gap,omitempty"` // at most so long between two steps; 0: as planned
	Store string        `json:"store"`
	Pass  []string      `json:"pass,omitempty"`  // invariants that are passed over
	Trace bool          `json:"trace,omitempty"` // write each fact to stderr as it happens
	Whole bool          `json:"whole,omitempty"` // the whole history, not its tail
}

// plan is the job's plan.
func (j job) plan() plan {
	p := generate(j.Seed, j.Store)
	if j.Keep != nil {
		p = p.keep(j.Keep)
	}
	if j.Gap > 0 {
		p = p.hurry(j.Gap)
	}
	return p
}

func setOf(names []string) map[string]bool {
	set := map[string]bool{}
	for _, name := range names {
		set[name] = true
	}
	return set
}

// A verdict is what came of a job.
type verdict struct {
	Seed       uint64        `json:"seed"`
	Steps      int           `json:"steps"`
	Facts      int           `json:"facts"`
	Digest     uint64        `json:"digest"` // of the history: equal where a replay is exact
	Virtual    time.Duration `json:"virtual_ns"`
	Violations []violation   `json:"violations,omitempty"`
	Tail       []string      `json:"tail,omitempty"` // the facts that led to the first violation
}

const tailLength = 40

// do runs the job.
func (j job) do(t *testing.T, stores Stores) verdict {
	p := j.plan()
	h := run(t, p, stores, j.Trace)
	v := verdict{Seed: j.Seed, Steps: len(p.steps), Facts: len(h.facts), Digest: h.digest(), Virtual: h.facts[len(h.facts)-1].real}
	v.Violations = h.violations(setOf(j.Pass))
	switch {
	case j.Whole:
		v.Tail = h.tail(len(h.facts), len(h.facts))
	case len(v.Violations) > 0:
		v.Tail = h.tail(v.Violations[0].Fact, tailLength)
	}
	return v
}

// violations are what the invariants find, in the order of the invariants, but those that are passed over.
func (h *history) violations(pass map[string]bool) (found []violation) {
	for _, inv := range invariants {
		if !pass[inv.name] {
			found = append(found, inv.find(h)...)
		}
	}
	return found
}

// digest is the same for histories that differ at most in the order of facts of one instant: which of the goroutines
// goes first that one event wakes is the runtime's to choose.
func (h *history) digest() (sum uint64) {
	for _, f := range h.facts {
		f.login = "" // drawn at random, and only compared
		one := fnv.New64a()
		fmt.Fprintf(one, "%d %d %v", f.at, f.real, f)
		sum += one.Sum64()
	}
	return sum
}

// stallAfter is how long a run may take in real time from one fact to the next, or for a minute of virtual time.
const stallAfter = 4 * slowness * time.Second

// exitStalled is the exit status of a worker that gave a run up.
const exitStalled = 3

// Work makes this process a worker with a kind of Store, which Worker has said that it is to be: it runs jobs from stdin
// until there are no more, and writes a verdict for each to stdout. That needs a process of its own: what is wrong with
// the engine may end it, or keep it busy for ever.
func Work(stores Stores) {
	runtime.GOMAXPROCS(1) // so that goroutines take turns the same way each time
	debug.SetGCPercent(400)
	go watch()
	os.Args = os.Args[:1]
	all := func(string, string) (bool, error) { return true, nil }
	testing.Main(all, []testing.InternalTest{{Name: "simulation", F: func(t *testing.T) { workOn(t, stores) }}}, nil, nil)
}

func workOn(t *testing.T, stores Stores) {
	jobs := bufio.NewScanner(os.Stdin)
	jobs.Buffer(nil, 1<<20)
	for jobs.Scan() {
		var j job
		if err := json.Unmarshal(jobs.Bytes(), &j); err != nil {
			fmt.Fprintln(os.Stderr, "simulation: a job cannot be read:", err)
			os.Exit(2)
		}
		running.Store(true)
		v := j.do(t, stores)
		running.Store(false)
		b, err := json.Marshal(v)
		if err != nil {
			panic(err) // a verdict is plain data
		}
		fmt.Printf("%s%s\n", verdictPrefix, b)
	}
}

// verdictPrefix marks the lines of a worker's output that are verdicts; package testing writes there, too.
const verdictPrefix = "verdict "

// running is whether a run is under way, and moves counts its facts and its minutes.
var (
	running atomic.Bool
	moves   atomic.Uint64
)

// watch ends the process when nothing happens in a run any more. Then virtual time stands still, because something never
// waits, or waits for a mutex.
func watch() {
	since, seen := time.Now(), moves.Load()
	for range time.Tick(100 * time.Millisecond) {
		if n := moves.Load(); n != seen || !running.Load() {
			since, seen = time.Now(), n
		}
		if time.Since(since) > stallAfter {
			fmt.Fprintf(os.Stderr, "simulation: virtual time stands still after %s\n", stallAfter)
			pprof.Lookup("goroutine").WriteTo(os.Stderr, 2)
			os.Exit(exitStalled)
		}
	}
}
