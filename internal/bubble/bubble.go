// Package bubble tells the test kits about testing/synctest: whether they are inside a bubble, whose test that is, and
// what is left in it at the end.
package bubble

import (
	"testing"
	"time"
)

// Inside reports whether the calling goroutine is in a bubble.
//
// The clock tells. A time that time.Now returns has a monotonic reading beside that of the wall clock, as package time
// says, and Round(0) takes it away; a bubble's clock, which begins in 2000, is no monotonic one. So a wall clock that is
// wrong deceives nobody: it has no say, but for years that leave no room for a monotonic reading, before 1885 and after
// 2157.
func Inside() bool {
	now := time.Now()
	return now == now.Round(0) && 2000 <= now.Year() && now.Year() < 2157
}

// Owns reports whether tb is the test that a bubble was given: its functions of Cleanup run inside.
//
// T.Deadline must not be called in a bubble, and panics there. A tb that has no Deadline owns none.
func Owns(tb testing.TB) (owns bool) {
	test, ok := tb.(interface{ Deadline() (time.Time, bool) })
	if !ok {
		return false
	}
	defer func() { owns = recover() != nil }()
	test.Deadline()
	return false
}

// Outsider reports whether tb is a test from outside of the bubble that the calling goroutine is in. What its functions
// of Cleanup touch of the bubble ends the process.
func Outsider(tb testing.TB) bool {
	_, isTest := tb.(*testing.T)
	return Inside() && isTest && !Owns(tb)
}
