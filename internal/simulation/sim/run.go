package sim

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/silentrefresh/silentrefresh/internal/chance"
	"github.com/silentrefresh/silentrefresh/internal/wall"
)

// run runs a plan in a bubble, with Stores of a kind, and returns what happened.
func run(t *testing.T, p plan, stores Stores, trace bool) *history {
	var w *world
	left := bubble(t, func() {
		w = newWorld(p, stores)
		w.trace = trace
		defer chance.From(w.roll)()
		defer chance.Yield(w.yield)()
		w.live()
	})
	wall.Sleep(-w.slept - w.shifted) // the offset is the whole program's
	if left != "" {
		at := w.facts[len(w.facts)-1].at
		w.facts = append(w.facts, fact{at: at, who: nobody, what: stuck, err: left})
	}
	return &history{set: w.set, facts: w.facts}
}

// bubble runs f in a bubble. It returns what synctest says of goroutines that are left.
func bubble(t *testing.T, f func()) (left string) {
	defer func() {
		if v := recover(); v != nil {
			left = fmt.Sprint(v)
		}
	}()
	synctest.Test(t, func(*testing.T) { f() })
	return ""
}
