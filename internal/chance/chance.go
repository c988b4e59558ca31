// Package chance is where the engine's jitter comes from: math/rand/v2, unless a simulation puts a source of its own
// there, so that a seed decides everything.
package chance

import (
	"math/rand/v2"
	"sync/atomic"
)

var source atomic.Pointer[func() float64]

// Float64 returns a number in [0, 1).
func Float64() float64 {
	if f := source.Load(); f != nil {
		return (*f)()
	}
	return rand.Float64()
}

// From makes f the source, which must be safe for concurrent use, until restore is called. It holds for the process.
func From(f func() float64) (restore func()) {
	old := source.Swap(&f)
	return func() { source.Store(old) }
}
