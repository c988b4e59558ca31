package storetest

import (
	"context"
	"errors"
	"testing"
)

func updateOfNothing(t *testing.T, s Store) {
	err := s.Update(within(t), "key", func(_ context.Context, old []byte, _ func([]byte) error) error {
		same(t, "old", old, nil)
		return nil
	})
	if err != nil {
		t.Fatalf("Update: %v", err)
	}
}

func updateSeesOld(t *testing.T, s Store) {
	put(t, s, "key", []byte("value"))
	err := s.Update(within(t), "key", func(_ context.Context, old []byte, _ func([]byte) error) error {
		same(t, "old", old, []byte("value"))
		return nil
	})
	if err != nil {
		t.Fatalf("Update: %v", err)
	}
}

func updateWithoutSave(t *testing.T, s Store) {
	release := hold(t, s, "new")
	release()
	holds(t, s, "new", nil)
	put(t, s, "key", []byte("value"))
	release = hold(t, s, "key")
	release()
	holds(t, s, "key", []byte("value"))
}

func saveIsSeenAtOnce(t *testing.T, s Store) {
	err := s.Update(within(t), "key", func(_ context.Context, _ []byte, save func([]byte) error) error {
		if err := save([]byte("value")); err != nil {
			return err
		}
		holds(t, s, "key", []byte("value"))
		return nil
	})
	if err != nil {
		t.Fatalf("Update: %v", err)
	}
}

func eachSaveCounts(t *testing.T, s Store) {
	turns := [][]byte{[]byte("intent"), []byte("result"), {}, []byte("again"), nil, []byte("last")}
	err := s.Update(within(t), "key", func(_ context.Context, _ []byte, save func([]byte) error) error {
		for _, v := range turns {
			if err := save(v); err != nil {
				return err
			}
			holds(t, s, "key", append([]byte{}, v...))
		}
		return nil
	})
	if err != nil {
		t.Fatalf("Update: %v", err)
	}
	holds(t, s, "key", []byte("last"))
}

// saveOutlivesContext: by the time of a save the old credential may be spent, and what is to be saved may
// exist nowhere else. That the caller has lost interest is no reason to lose it.
func saveOutlivesContext(t *testing.T, s Store) {
	ctx, cancel := context.WithCancel(within(t))
	err := s.Update(ctx, "key", func(_ context.Context, _ []byte, save func([]byte) error) error {
		cancel()
		return save([]byte("value"))
	})
	if err != nil {
		t.Fatalf("saving after the context had ended: %v", err)
	}
	holds(t, s, "key", []byte("value"))
}

func saveAfterUpdate(t *testing.T, s Store) {
	var late func([]byte) error
	err := s.Update(within(t), "key", func(_ context.Context, _ []byte, save func([]byte) error) error {
		late = save
		return save([]byte("in time"))
	})
	if err != nil {
		t.Fatalf("Update: %v", err)
	}
	if late([]byte("too late")) == nil {
		t.Error("save after Update had ended succeeded, want an error")
	}
	holds(t, s, "key", []byte("in time"))
}

var errOfFn = errors.New("fn's own error")

func errorAsItIs(t *testing.T, s Store) {
	err := s.Update(within(t), "key", func(context.Context, []byte, func([]byte) error) error { return errOfFn })
	if err != errOfFn {
		t.Fatalf("Update returned %#v, want fn's error as it is", err)
	}
	put(t, s, "key", []byte("value")) // an error releases the lock as success does
}

func savesBeforeErrorStay(t *testing.T, s Store) {
	put(t, s, "key", []byte("before"))
	err := s.Update(within(t), "key", func(_ context.Context, _ []byte, save func([]byte) error) error {
		if err := save([]byte("saved")); err != nil {
			t.Errorf("save: %v", err)
		}
		return errOfFn
	})
	if err != errOfFn {
		t.Fatalf("Update returned %v, want fn's error", err)
	}
	holds(t, s, "key", []byte("saved"))
}
