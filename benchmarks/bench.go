package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// A bench is what a scenario gets: where to write, how thorough to be, and whom to tell about goals.
type bench struct {
	t      *testing.T
	out    io.Writer
	quick  bool
	with   string // the contender to compare with; "": all
	rounds int
	canary *canary
	status status
	plots  map[string]string // file name -> SVG
}

func newBench(t *testing.T, out io.Writer, o options) *bench {
	b := &bench{t: t, out: out, quick: o.quick, with: o.with, rounds: o.rounds, status: newStatus(os.Stderr), plots: map[string]string{}}
	if o.quick {
		b.rounds = 1
	} else {
		b.canary = newCanary()
	}
	return b
}

// contenders are those that take part: ours and what it is measured against always do.
func (b *bench) contenders() []contender {
	always := []string{nameLimit, nameMinimal, nameOurs}
	return which(contenders(), func(c contender) bool {
		return strings.Contains(c.name, b.with) || slices.Contains(always, c.name)
	})
}

// quickly reports whether c takes part in a quick run.
func (b *bench) quickly(c contender) bool {
	return c.name == nameOurs || b.with != "" && strings.Contains(c.name, b.with)
}

// or returns full, or small in a quick run.
func or[T any](b *bench, full, small T) T {
	if b.quick {
		return small
	}
	return full
}

// goal reports whether a goal of time was reached. It decides nothing: a machine may be slow or busy.
func (b *bench) goal(reached bool, format string, args ...any) {
	if !b.quick {
		fmt.Fprintf(b.out, "- goal %s: %s\n", verdict(reached, "reached", "NOT REACHED"), fmt.Sprintf(format, args...))
	}
}

// say adds a line that is no goal.
func (b *bench) say(format string, args ...any) {
	if !b.quick {
		fmt.Fprintf(b.out, "- "+format+"\n", args...)
	}
}

// count is goal for what must hold on any machine: the run fails if it does not.
func (b *bench) count(reached bool, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	fmt.Fprintf(b.out, "- count %s: %s\n", verdict(reached, "holds", "BROKEN"), text)
	if !reached {
		b.t.Errorf("count broken: %s", text)
	}
}

// countEach is count for something that must hold in each round: it says so once, or what was broken where.
func (b *bench) countEach(rounds int, judge func(round int) (bool, string)) {
	held, last := 0, ""
	for i := range rounds {
		ok, text := judge(i)
		if last = text; ok {
			held++
		} else {
			b.count(false, "round %d: %s", i+1, text)
		}
	}
	if held == rounds {
		b.count(true, "in each of %d rounds; in the last: %s", rounds, last)
	}
}

func verdict(ok bool, yes, no string) string {
	if ok {
		return yes
	}
	return no
}

// alternate gives every contender one turn in each round, forwards and backwards in turn, so that a machine that
// slows down does not favour the first. Disturbed turns are repeated.
func alternate[R any](b *bench, rounds int, list []contender, turn func(contender) (R, error)) (map[string][]R, error) {
	defer b.status.clear()
	got := map[string][]R{}
	for round := range rounds {
		order := slices.Clone(list)
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, c := range order {
			b.status.show("round %d of %d: %s", round+1, rounds, c.name)
			r, err := undisturbed(b.canary, func() (R, error) {
				runtime.GC() // nobody pays for the garbage of the one before
				return turn(c)
			})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			got[c.name] = append(got[c.name], r)
		}
	}
	return got, nil
}

// table prints rows as a Markdown table that is aligned for people.
func (b *bench) table(rows [][]string) {
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], len([]rune(cell)))
		}
	}
	fmt.Fprintln(b.out) // or a list above it would swallow it
	for n, row := range rows {
		for i, cell := range row {
			fmt.Fprintf(b.out, "| %s%s ", cell, strings.Repeat(" ", width[i]-len([]rune(cell))))
		}
		fmt.Fprintln(b.out, "|")
		if n == 0 {
			for _, w := range width {
				fmt.Fprintf(b.out, "|%s", strings.Repeat("-", w+2))
			}
			fmt.Fprintln(b.out, "|")
		}
	}
	fmt.Fprintln(b.out)
}

func (b *bench) writePlots(folder string) error {
	for name, svg := range b.plots {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, name), []byte(svg), 0o644); err != nil {
			return err
		}
	}
	return nil
}
