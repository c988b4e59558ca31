package bubble

import (
	"runtime"
	"strings"
	"sync"
	"testing"
)

// A group is what was opened in one bubble.
type group struct {
	pending int             // that AtEnd has still to close
	open    map[*thing]bool // that nobody has closed yet, and AtEnd does not know
}

// A thing is something that has to be closed before its bubble ends.
type thing struct {
	name  string
	close func()
}

var (
	mu     sync.Mutex
	groups = map[string]*group{} // by the bubble's name
)

// change calls f with the group of the bubble of that name, and forgets it once it is empty.
func change(bubble string, f func(*group)) {
	mu.Lock()
	defer mu.Unlock()
	g := groups[bubble]
	if g == nil {
		g = &group{open: map[*thing]bool{}}
		groups[bubble] = g
	}
	f(g)
	if g.pending == 0 && len(g.open) == 0 {
		delete(groups, bubble)
	}
}

// AtEnd has close called when tb ends. At the end of a bubble, once everything is closed that AtEnd was given, what Opened
// was told of is closed, and the test's log says what that was, and whose goroutines still wait: the runtime calls that a
// deadlock.
func AtEnd(tb testing.TB, close func()) {
	tb.Helper()
	bubble := current()
	if bubble == "" {
		tb.Cleanup(close)
		return
	}
	change(bubble, func(g *group) { g.pending++ })
	tb.Cleanup(func() {
		close()
		var forgotten []*thing
		last := false
		change(bubble, func(g *group) {
			if g.pending--; g.pending > 0 {
				return
			}
			last = true
			for t := range g.open {
				forgotten = append(forgotten, t)
			}
		})
		if last {
			report(tb, forgotten)
		}
	})
}

// Opened remembers something that has to be closed before the bubble ends. Who closes it calls closed.
func Opened(name string, close func()) (closed func()) {
	bubble := current()
	if bubble == "" {
		return func() {}
	}
	t := &thing{name, close}
	change(bubble, func(g *group) { g.open[t] = true })
	return func() { change(bubble, func(g *group) { delete(g.open, t) }) }
}

// report closes what was forgotten, and says what that and what else is left.
func report(tb testing.TB, forgotten []*thing) {
	for _, t := range forgotten {
		tb.Logf("%s was not closed when this test ended; it is now", t.name)
		t.close()
	}
	if left := leftovers(); len(left) > 0 {
		tb.Logf("this test ends while goroutines of its bubble still wait: testing/synctest calls that a deadlock.\n%s",
			strings.Join(left, "\n"))
	}
}

// current is the name of the bubble that the calling goroutine is in, "" outside of any, and where the runtime writes the
// headers of stacks in another way than now.
func current() string {
	b := make([]byte, 256)
	header, _, _ := strings.Cut(string(b[:runtime.Stack(b, false)]), "\n")
	return bubbleIn(header)
}

// bubbleIn finds the bubble in a stack's header: "goroutine 9 [running, synctest bubble 1]:".
func bubbleIn(header string) string {
	_, name, _ := strings.Cut(header, ", synctest bubble ")
	return strings.TrimSuffix(name, "]:")
}
