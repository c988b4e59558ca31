package silentrefresh

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/silentrefresh/silentrefresh/storetest"
)

func TestMemoryStore(t *testing.T) {
	storetest.Suite{
		Open:  func(*testing.T) storetest.Store { return new(MemoryStore) },
		Again: func(_ *testing.T, s storetest.Store) storetest.Store { return s },
	}.Run(t)
}

type changedError bool

func (changedError) Error() string    { return "changed by somebody else" }
func (c changedError) Conflict() bool { return bool(c) }

func TestConflicted(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("disk full"), false},
		{changedError(false), false},
		{changedError(true), true},
		{fmt.Errorf("save: %w", changedError(true)), true},
	} {
		if got := conflicted(c.err); got != c.want {
			t.Errorf("conflicted(%v) = %v", c.err, got)
		}
	}
}

// TestNoStoreKeepsNothing: without a Store nothing is written, and yet one use of a session waits for another.
func TestNoStoreKeepsNothing(t *testing.T) {
	s := new(noStore)
	ctx, giveUp := context.WithCancel(t.Context())
	err := s.Update(ctx, "key", func(_ context.Context, old []byte, save func([]byte) error) error {
		if old != nil {
			t.Errorf("old is %q, want nil", old)
		}
		giveUp()
		if err := s.Update(ctx, "key", nil); !errors.Is(err, context.Canceled) {
			t.Errorf("a second Update returned %v, want that it waited until its context ended", err)
		}
		return save([]byte("value"))
	})
	if err != nil {
		t.Fatal(err)
	}
	if b, err := s.Load(t.Context(), "key"); b != nil || err != nil {
		t.Errorf("Load gave %q and %v, want nothing", b, err)
	}
}
