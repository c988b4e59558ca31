// Package sim is the simulation. Its program is in the folder above, whose README.md says how it works; a Store that is
// not the simulation's own is played by a test of that Store.
package sim

import (
	"context"
	"time"

	"github.com/silentrefresh/silentrefresh"
)

// Stores is a kind of Store that the simulation can be played with. What goes wrong with a Store, the simulation puts in
// front of it, and between it and what is outside its process.
type Stores struct {
	// Lease is how long a lock outlives its holder at most; 0: not at all.
	Lease time.Duration
	// New makes the Shelf of a run, in the run's bubble.
	New func() (Shelf, error)
}

// A Shelf is where the Stores of a run have their records.
type Shelf interface {
	// Open returns the Store of a process that starts.
	Open(*Process) (silentrefresh.Store, error)
	// Crash is called when a process has crashed, and does not wait. A lock that ends with its holder is free then; a
	// lease ends by itself.
	Crash(*Process)
	// Close ends all goroutines of the Shelf and of its Stores, which nobody uses any more.
	Close() error
}

// A Process is what a Store may know of the process that it belongs to.
type Process struct {
	// Reach is around whatever is done outside the process. Where the plan says so, it takes long, fails without calling
	// do, or fails although do has not. For a process that has crashed it returns an error, and only at the end of the run.
	Reach func(ctx context.Context, do func() error) error
	// Now is the time by a server's clock, which nobody sets, and which goes on while the laptop sleeps.
	Now func() time.Time
}
