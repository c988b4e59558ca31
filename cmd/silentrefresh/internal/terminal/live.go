package terminal

import (
	"bytes"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// interval is how often live lines are looked at. They are written only where they have changed.
const interval = 250 * time.Millisecond

// A Live is the last lines of a terminal while something goes on. They are drawn anew as it does, make way for
// whatever else is written through Writer, and are gone after Hide. A nil Live, for a pipe, shows nothing. Its methods
// may be called concurrently.
type Live struct {
	screen Screen
	w      io.Writer

	mu     sync.Mutex
	draw   func(now time.Time) []string // nil: nothing is shown
	shown  []string                     // what stands on the terminal
	inLine bool                         // something else was written last, and did not end its line
	stop   chan struct{}                // ends the drawing
	done   chan struct{}                // closed when it has ended
}

// NewLive returns one that draws on w, which screen describes; nil if lines cannot be drawn anew there.
func NewLive(screen Screen, w io.Writer) *Live {
	if !screen.Live {
		return nil
	}
	return &Live{screen: screen, w: w}
}

// Show shows what draw returns, in place of what was shown before, until Hide. draw is called several times a second,
// never twice at a time; it must not write to a Writer of the Live. Lines that are too long are cut.
func (l *Live) Show(draw func(now time.Time) []string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.draw = draw
	l.redrawLocked()
	if l.stop == nil {
		l.stop, l.done = make(chan struct{}), make(chan struct{})
		go l.run(l.stop, l.done)
	}
}

// Hide erases what is shown. Show may be called again.
func (l *Live) Hide() {
	if l == nil {
		return
	}
	l.mu.Lock()
	l.draw = nil
	l.redrawLocked()
	stop, done := l.stop, l.done
	l.stop = nil
	l.mu.Unlock()
	if stop != nil {
		close(stop)
		<-done
	}
}

// Keep leaves what is shown where it stands, with the cursor below, and shows nothing more.
func (l *Live) Keep() {
	if l == nil {
		return
	}
	l.mu.Lock()
	if len(l.shown) > 0 {
		io.WriteString(l.w, "\n")
		l.shown = nil
	}
	l.mu.Unlock()
	l.Hide()
}

func (l *Live) run(stop, done chan struct{}) {
	defer close(done)
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			l.mu.Lock()
			l.redrawLocked()
			l.mu.Unlock()
		case <-stop:
			return
		}
	}
}

// redrawLocked makes the terminal show what there is to show, in one write.
func (l *Live) redrawLocked() {
	var lines []string
	if l.draw != nil && !l.inLine {
		for _, line := range l.draw(time.Now()) {
			lines = append(lines, l.screen.Cut(line, l.screen.Width()-1))
		}
	}
	if slices.Equal(lines, l.shown) {
		return
	}
	io.WriteString(l.w, l.erased()+strings.Join(lines, "\n"))
	l.shown = lines
}

// erased is the sequence that takes away what is shown.
func (l *Live) erased() string {
	switch n := len(l.shown); n {
	case 0:
		return ""
	case 1:
		return "\r\x1b[J"
	default:
		return "\r\x1b[" + strconv.Itoa(n-1) + "A\x1b[J"
	}
}

// Writer is w, a file of the same terminal, such that what is written to it pushes the live lines down. It is w itself
// for a nil Live.
func (l *Live) Writer(w io.Writer) io.Writer {
	if l == nil {
		return w
	}
	return &passing{l, w}
}

type passing struct {
	live *Live
	w    io.Writer
}

// Unwrap returns the writer below.
func (p *passing) Unwrap() io.Writer { return p.w }

// Write implements io.Writer. A line that is not ended yet keeps the live lines off.
func (p *passing) Write(b []byte) (int, error) {
	l := p.live
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(b) == 0 {
		return 0, nil
	}
	if erase := l.erased(); erase != "" {
		io.WriteString(l.w, erase)
		l.shown = nil
	}
	n, err := p.w.Write(b)
	l.inLine = !bytes.HasSuffix(b, []byte("\n"))
	l.redrawLocked()
	return n, err
}
