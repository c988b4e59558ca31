// Command benchmarks measures silentrefresh beside what people use today, in one run on one machine, and prints
// ratios. See README.md for the method and the figures.
//
//	go run -C benchmarks .            every scenario
//	go run -C benchmarks . storm      one scenario
//	go run -C benchmarks . -quick     small sizes, counts only: exit status 1 if a count is missed
//	go run -C benchmarks . -write     the results go into README.md and plots/ as well
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

// A scenario is one question put to all contenders.
type scenario struct {
	name  string
	about string
	run   func(*bench) error
}

func scenarios() []scenario {
	return []scenario{
		{"hotpath", "what attaching a token costs", runHotPath},
		{"endtoend", "what it costs on a real connection", runEndToEnd},
		{"rollover", "what callers notice when a token ends", runRollover},
		{"storm", "2,000 requests are refused at once", runStorm},
		{"down", "the refresh endpoint is down for a minute", runDown},
		{"idle", "100,000 sessions that do nothing", runIdle},
		{"cancelled", "callers who give up during a refresh", runCancelled},
		{"wrongs", "what each does wrong", runWrongs},
		{"herd", "a million clients that start together", runHerd},
	}
}

type options struct {
	quick, write bool
	rounds       int
	with         string
	names        []string
}

func main() {
	opts, err := parse(os.Args[1:])
	if err != nil {
		os.Exit(2)
	}
	// Scenarios in virtual time need a *testing.T for synctest, so the program is a test binary of one test.
	testing.Init()
	flag.CommandLine.Parse(nil)
	any := func(string, string) (bool, error) { return true, nil }
	testing.Main(any, []testing.InternalTest{{Name: "benchmarks", F: opts.run}}, nil, nil)
}

func parse(args []string) (options, error) {
	var o options
	fs := flag.NewFlagSet("benchmarks", flag.ContinueOnError)
	fs.BoolVar(&o.quick, "quick", false, "small sizes; check counts, not times")
	fs.BoolVar(&o.write, "write", false, "write the results into README.md and plots/")
	fs.IntVar(&o.rounds, "rounds", 5, "`rounds` of each measurement")
	fs.StringVar(&o.with, "with", "", "compare only with contenders whose `name` contains this")
	fs.Usage = func() {
		fmt.Fprintln(fs.Output(), "usage: benchmarks [flags] [scenario ...]")
		fs.PrintDefaults()
		for _, s := range scenarios() {
			fmt.Fprintf(fs.Output(), "  %-10s %s\n", s.name, s.about)
		}
	}
	// Flags may follow the names of scenarios.
	for len(args) > 0 {
		if err := fs.Parse(args); err != nil {
			return o, err
		}
		if args = fs.Args(); len(args) > 0 {
			o.names, args = append(o.names, args[0]), args[1:]
		}
	}
	if mistake := o.mistake(); mistake != "" {
		fmt.Fprintln(fs.Output(), "benchmarks:", mistake)
		return o, flag.ErrHelp
	}
	for _, n := range o.names {
		if !slices.ContainsFunc(scenarios(), func(s scenario) bool { return s.name == n }) {
			fmt.Fprintf(fs.Output(), "benchmarks: no scenario is named %q\n", n)
			fs.Usage()
			return o, flag.ErrHelp
		}
	}
	return o, nil
}

// mistake says what the flags have wrong, "" if nothing.
func (o options) mistake() string {
	known := func(c contender) bool { return strings.Contains(c.name, o.with) }
	switch {
	case o.rounds < 1:
		return "-rounds: there has to be one at least"
	case !slices.ContainsFunc(contenders(), known):
		return fmt.Sprintf("-with %q: no contender's name contains that; they are in README.md", o.with)
	case o.write && (o.quick || o.with != ""):
		return "-write is for results in full: leave out -quick and -with"
	}
	return ""
}

func (o options) run(t *testing.T) {
	fmt.Println(machine())
	for _, s := range scenarios() {
		if len(o.names) > 0 && !slices.Contains(o.names, s.name) {
			continue
		}
		if err := o.runOne(t, s); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
	}
	if o.write {
		if err := writeHeadlines("../README.md", "README.md"); err != nil {
			t.Error(err)
		}
	}
}

func (o options) runOne(t *testing.T, s scenario) error {
	var text bytes.Buffer
	fmt.Printf("\n## %s: %s\n\n", s.name, s.about)
	b := newBench(t, io.MultiWriter(os.Stdout, &text), o)
	if err := s.run(b); err != nil {
		return err
	}
	b.canary.report(b.out)
	if !o.write {
		return nil
	}
	fmt.Fprintf(&text, "\n%s\n", machine())
	if err := writeSection("README.md", s.name, strings.TrimSpace(text.String())); err != nil {
		return err
	}
	return b.writePlots("plots")
}
