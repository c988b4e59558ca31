// Simulation looks for faults in the engine by itself: it runs clients, an auth server, an API, a network, a Store and
// people through plans that a seed decides, in virtual time, and checks that what has to hold always does.
//
//	go run ./internal/simulation -seeds 10000
//	go run ./internal/simulation -for 2m
//	go run ./internal/simulation -seed 4711 -v
//
// README.md says how it works.
package main

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	if os.Getenv(workerEnv) != "" {
		work()
		return
	}
	c := &campaign{out: os.Stdout}
	seeds := flag.Int("seeds", 1000, "how many seeds to run")
	seed := flag.Int64("seed", -1, "run this seed alone, and shrink it if it fails")
	start := flag.Uint64("start", 0, "the first seed; 0: with -for, a new one")
	duration := flag.Duration("for", 0, "run as many seeds as fit in this time")
	keep := flag.String("keep", "", "with -seed: only the steps of these indexes, as a failure prints them")
	flag.DurationVar(&c.gap, "gap", 0, "with -seed: at most so long between two steps, as a failure prints it")
	flag.StringVar(&c.store, "store", "mixed", "whether there is a Store: with, without or mixed")
	flag.BoolVar(&c.json, "json", false, "end with a summary in JSON")
	flag.BoolVar(&c.verbose, "v", false, "print every step and the whole history of a failure, or of -seed")
	flag.Parse()
	if err := c.set(*keep); err != nil {
		fmt.Fprintln(os.Stderr, "simulation:", err)
		os.Exit(2)
	}
	c.first, c.seeds = *start, *seeds
	switch {
	case *seed >= 0:
		c.first, c.seeds = uint64(*seed), 1
	case *duration > 0:
		c.seeds, c.until = 1<<62, time.Now().Add(*duration)
		if c.first == 0 {
			c.first = uint64(time.Now().UnixNano()) % 1e9 * 1e3
		}
	}
	failed, err := c.run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "simulation:", err)
		os.Exit(2)
	}
	if failed {
		os.Exit(1)
	}
}

// set reads the flags that are lists.
func (c *campaign) set(keep string) error {
	if c.store != "with" && c.store != "without" && c.store != "mixed" {
		return fmt.Errorf("-store is with, without or mixed, not %q", c.store)
	}
	for index := range strings.FieldsFuncSeq(keep, func(r rune) bool { return r == ',' }) {
		i, err := strconv.Atoi(index)
		if err != nil {
			return fmt.Errorf("-keep: %w", err)
		}
		c.keep = append(c.keep, i)
	}
	return nil
}
