package bubble

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// open counts what AtEnd has still to close, by test.
var (
	mu   sync.Mutex
	open = map[testing.TB]int{}
)

// AtEnd has close called when tb ends. Goroutines that still wait once everything is closed that AtEnd was given, at the
// end of a bubble, are what the runtime calls a deadlock; the test's log then says in words whose they are.
func AtEnd(tb testing.TB, close func()) {
	tb.Helper()
	count(tb, 1)
	tb.Cleanup(func() {
		close()
		if count(tb, -1) > 0 || !Inside() {
			return
		}
		if left := leftovers(); len(left) > 0 {
			tb.Logf("this test ends while goroutines of its bubble still wait: testing/synctest calls that a deadlock.\n%s",
				strings.Join(left, "\n"))
		}
	})
}

// count adds n and returns how many are open.
func count(tb testing.TB, n int) int {
	mu.Lock()
	defer mu.Unlock()
	open[tb] += n
	left := open[tb]
	if left == 0 {
		delete(open, tb)
	}
	return left
}

// leftovers says of each goroutine of this bubble that waits for another one what it is. Those that are about to wait or to
// end get the time for it.
func leftovers() (left []string) {
	for range 20_000 { // a second or two
		var busy bool
		if left, busy = waiting(stacks()); !busy {
			break
		}
		runtime.Gosched()
	}
	return left
}

// stacks are those of all goroutines, the caller's first.
func stacks() []string {
	for size := 1 << 18; ; size *= 2 {
		b := make([]byte, size)
		if n := runtime.Stack(b, true); n < size {
			return strings.Split(string(bytes.TrimSpace(b[:n])), "\n\n")
		}
	}
}

// waiting picks those that wait in the bubble of the first, says what they are, and whether others are busy. Where the
// runtime writes headers in another way than now, it finds none.
func waiting(stacks []string) (found []string, busy bool) {
	header, _, _ := strings.Cut(stacks[0], "\n")
	_, bubble, inside := strings.Cut(header, ", synctest bubble ")
	if !inside {
		return nil, false
	}
	for _, stack := range stacks[1:] {
		header, frames, _ := strings.Cut(stack, "\n")
		switch {
		case !strings.HasSuffix(header, ", synctest bubble "+bubble):
		case strings.HasPrefix(frames, "internal/synctest.Run("), strings.HasPrefix(frames, "testing/synctest."):
		case strings.Contains(header, "(durable)"):
			found = append(found, describe(frames))
		case strings.Contains(header, "[run"), strings.Contains(header, "[syscall"): // running, runnable
			busy = true
		}
	}
	return found, busy
}

// describe says what a goroutine is and how it is ended.
func describe(frames string) string {
	const module = "github.com/silentrefresh/silentrefresh"
	_, creator, _ := strings.Cut(frames, "created by ")
	creator, _, _ = strings.Cut(creator, " in goroutine ")
	at := fmt.Sprintf("a goroutine that %s started", creator)
	switch {
	case strings.Contains(frames, "/authtest.(*site).serve"), strings.Contains(frames, "/oauthtest.("):
		return at + ": was a server not closed? Start needs a Close, NewServer closes by itself"
	case strings.Contains(frames, module+".(*Client)"), strings.Contains(frames, module+".("):
		return at + ": was a client not closed? Say defer client.Close() after New"
	case strings.Contains(frames, "net/http.(*persistConn)"):
		return at + ": was a response's body not closed, or read to its end? Or an http.Transport that is not the server's own?"
	default:
		return at
	}
}
