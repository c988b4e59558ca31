package main

import (
	"fmt"
	"os"
)

// A status is one line on a terminal that says how far a long measurement is. Without a terminal it is silent.
type status struct{ terminal *os.File }

func newStatus(f *os.File) status {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return status{}
	}
	return status{terminal: f}
}

func (s status) show(format string, args ...any) {
	if s.terminal != nil {
		fmt.Fprintf(s.terminal, "\r\x1b[K"+format, args...)
	}
}

func (s status) clear() { s.show("") }
