package bubble

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
)

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

// waiting picks those that wait in the bubble of the first, says what they are, and whether others are busy.
func waiting(stacks []string) (found []string, busy bool) {
	own := ""
	for i, stack := range stacks {
		header, frames, _ := strings.Cut(stack, "\n")
		bubble := bubbleIn(header)
		switch {
		case i == 0:
			own = bubble
		case bubble == "" || bubble != own:
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
	case strings.Contains(frames, module+".("):
		return at + ": was a client not closed? Say defer client.Close() after New"
	case strings.Contains(frames, "net/http.(*persistConn)"):
		return at + ": was a response's body not closed, or read to its end? Or an http.Transport that is not the server's own?"
	default:
		return at
	}
}
