package storetest

import (
	"context"
	"errors"
	"testing"
)

func seesSaves(t *testing.T, a, b Store) {
	holds(t, b, "key", nil)
	put(t, a, "key", []byte("value"))
	holds(t, b, "key", []byte("value"))
	put(t, b, "key", []byte("from the other side"))
	holds(t, a, "key", []byte("from the other side"))
	put(t, b, "key", nil)
	holds(t, a, "key", []byte{})
}

// contextEnds checks that fn is told of a lost lock, and that others can have it afterwards.
func (suite Suite) contextEnds(t *testing.T) {
	s := suite.Open(t)
	s.Update(within(t), "key", func(ctx context.Context, _ []byte, _ func([]byte) error) error {
		suite.Lose(t, s, "key")
		await(t, "fn's context to end because the lock is lost", ctx.Done())
		return nil
	})
	put(t, s, "key", []byte("value"))
}

// conflict loses the lock, lets somebody else save, and then saves: the other's record must stay.
func (suite Suite) conflict(t *testing.T, before []byte) {
	s := suite.Open(t)
	other := s
	if suite.Again != nil {
		other = suite.Again(t, s)
	}
	if before != nil {
		put(t, s, "key", before)
	}
	var err error
	s.Update(within(t), "key", func(_ context.Context, _ []byte, save func([]byte) error) error {
		suite.Lose(t, s, "key")
		put(t, other, "key", []byte("another's"))
		err = save([]byte("mine"))
		return err
	})
	var c interface {
		error
		Conflict() bool
	}
	if !errors.As(err, &c) || !c.Conflict() {
		t.Fatalf("save over a record that somebody else had changed returned %v, "+
			"want an error whose method Conflict() returns true", err)
	}
	holds(t, s, "key", []byte("another's"))
}
