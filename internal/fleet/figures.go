package main

import (
	"fmt"
	"io"
	"sync"
	"text/tabwriter"
)

// figures are what was measured, a line each, with a column for each engine.
type figures struct {
	mu    sync.Mutex
	lines []string
	cells map[string]map[string]string // by line and engine
}

func (f *figures) note(line, engine, value string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cells == nil {
		f.cells = map[string]map[string]string{}
	}
	if f.cells[line] == nil {
		f.cells[line] = map[string]string{}
		f.lines = append(f.lines, line)
	}
	f.cells[line][engine] = value
}

func (f *figures) print(out io.Writer, engines []kind) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "figures")
	for _, k := range engines {
		fmt.Fprint(w, "\t", k.title)
	}
	fmt.Fprintln(w)
	for _, line := range f.lines {
		fmt.Fprint(w, line)
		for _, k := range engines {
			value := f.cells[line][k.name]
			if value == "" {
				value = "-"
			}
			fmt.Fprint(w, "\t", value)
		}
		fmt.Fprintln(w)
	}
	w.Flush()
}
