package chance_test

import (
	"testing"

	"github.com/silentrefresh/silentrefresh/internal/chance"
)

func TestFrom(t *testing.T) {
	restore := chance.From(func() float64 { return 0.25 })
	if got := chance.Float64(); got != 0.25 {
		t.Errorf("Float64() = %v with a source that returns 0.25", got)
	}
	restore()
	for range 100 {
		if got := chance.Float64(); got < 0 || got >= 1 {
			t.Fatalf("Float64() = %v, not in [0, 1)", got)
		}
	}
	if a, b := chance.Float64(), chance.Float64(); a == b {
		t.Errorf("Float64() returned %v twice", a)
	}
}

func TestYield(t *testing.T) {
	var m chance.Mutex
	calls := 0
	guarded := 0
	use := func() {
		m.Lock()
		guarded++
		m.Unlock()
	}
	restore := chance.Yield(func() { calls++ })
	use()
	restore()
	use()
	if calls != 1 {
		t.Errorf("two Unlocks, one of them after restore, called %d times", calls)
	}
}
