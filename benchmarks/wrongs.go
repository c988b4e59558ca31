package main

import (
	"fmt"
	"slices"
)

// A finding is whether a contender keeps a promise.
type finding struct {
	word     string
	evidence string // one line, for what is broken
}

func kept(ok bool, format string, args ...any) finding {
	if ok {
		return finding{word: "kept"}
	}
	return finding{"broken", fmt.Sprintf(format, args...)}
}

var doesNotApply = finding{word: "-"}

// A promise is something that a client should do right, and a way to see whether it does.
type promise struct {
	name  string
	about string
	try   func(*bench, contender) (finding, error)
}

var promises = []promise{
	{"redirect", "the token does not go to another host that a response redirects to", tryRedirect},
	{"late 401", "a 401 for an older token does not refresh again", tryLate401},
	{"cancelled leader", "who gives up returns in time, and nobody else notices", tryCancelledLeader},
	{"failing refresh", "20 callers call a failing refresh endpoint at most 20 times in 10 s", tryFailingRefresh},
	{"secrets in %v", "what an application holds prints without its secrets", trySecrets},
	{"clock", "with a clock an hour off and expires_in, no failures and no more refreshes than needed", tryClock},
	{"clock, exp alone", "the same where only the token's exp says when it ends", tryClockExp},
	{"body replay", "a request is replayed with its whole body, with GetBody and without", tryBody},
}

// runWrongs looks at what each does wrong.
func runWrongs(b *bench) error {
	head := []string{""}
	for _, p := range promises {
		head = append(head, p.name)
	}
	rows := [][]string{head}
	var evidence []string
	for _, c := range which(b.contenders(), func(c contender) bool { return c.name != nameLimit && (!b.quick || c.name == nameOurs) }) {
		row := []string{c.name}
		for _, p := range promises {
			b.status.show("%s: %s", c.name, p.name)
			f, err := p.try(b, c)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", c.name, p.name, err)
			}
			row = append(row, f.word)
			if f.evidence != "" {
				evidence = append(evidence, fmt.Sprintf("- %s, %s: %s", c.name, p.name, f.evidence))
			}
		}
		rows = append(rows, row)
	}
	b.status.clear()
	b.table(rows)
	for _, p := range promises {
		fmt.Fprintf(b.out, "- *%s*: %s\n", p.name, p.about)
	}
	fmt.Fprintln(b.out, "\nWhat was seen where a promise is broken:")
	fmt.Fprintln(b.out)
	for _, line := range evidence {
		fmt.Fprintln(b.out, line)
	}
	fmt.Fprintln(b.out)
	b.count(!slices.Contains(rows[len(rows)-1], "broken"), "%s keeps all of them", nameOurs)
	return nil
}
