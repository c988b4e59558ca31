// Package terminaltest has a terminal for tests: what is written to it can be read as a person would see it.
package terminaltest

import (
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// An Emulator understands the control sequences that package terminal writes, and shows what would stand on a terminal
// of endless height. Its zero value is empty and ready; it may be used concurrently.
type Emulator struct {
	mu       sync.Mutex
	lines    [][]rune
	row, col int
	rest     []byte // an unfinished character or sequence
	raw      strings.Builder
}

// Write implements io.Writer.
func (e *Emulator) Write(b []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.raw.Write(b)
	e.rest = append(e.rest, b...)
	for len(e.rest) > 0 {
		n := e.take(string(e.rest))
		if n == 0 {
			break
		}
		e.rest = e.rest[n:]
	}
	return len(b), nil
}

// take obeys what text begins with and returns its length, 0 if that is not whole.
func (e *Emulator) take(text string) int {
	if text[0] == '\x1b' {
		end := strings.IndexAny(text, "ABCDEFGHJKmhl")
		if end < 0 {
			return 0
		}
		e.obey(text[2:end], text[end])
		return end + 1
	}
	if !utf8.FullRuneInString(text) {
		return 0
	}
	r, size := utf8.DecodeRuneInString(text)
	switch r {
	case '\r':
		e.col = 0
	case '\n': // the terminal's driver adds the return
		e.row, e.col = e.row+1, 0
	default:
		e.put(r)
	}
	return size
}

func (e *Emulator) obey(parameter string, command byte) {
	n, err := strconv.Atoi(parameter)
	if err != nil {
		n = 1
	}
	switch command {
	case 'A':
		e.row = max(e.row-n, 0)
	case 'J':
		if e.row < len(e.lines) {
			e.lines = e.lines[:e.row+1]
			e.lines[e.row] = e.lines[e.row][:min(e.col, len(e.lines[e.row]))]
		}
	}
}

func (e *Emulator) put(r rune) {
	for len(e.lines) <= e.row {
		e.lines = append(e.lines, nil)
	}
	line := e.lines[e.row]
	for len(line) <= e.col {
		line = append(line, ' ')
	}
	line[e.col] = r
	e.lines[e.row] = line
	e.col++
}

// String is what stands on the terminal, without trailing space.
func (e *Emulator) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var lines []string
	for _, line := range e.lines {
		lines = append(lines, strings.TrimRight(string(line), " "))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

// Raw is everything that was written.
func (e *Emulator) Raw() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.raw.String()
}
