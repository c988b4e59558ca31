package words

import (
	"testing"
	"time"
)

// TestLeft: a countdown changes once a second, and ends at none.
func TestLeft(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0 s", 0: "0 s", time.Millisecond: "1 s", time.Second: "1 s", 1900 * time.Millisecond: "2 s", 99 * time.Second: "99 s",
		3 * time.Minute: "3 min", 26 * time.Hour: "26 h", 50 * time.Hour: "2 days 2 h",
	} {
		if got := Left(d); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
}
