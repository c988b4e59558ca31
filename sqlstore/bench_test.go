package sqlstore

import (
	"context"
	"testing"
)

var benchValue = make([]byte, 1024)

func onEachEngine(b *testing.B, run func(*testing.B, *Store)) {
	b.Run("sqlite", func(b *testing.B) { run(b, newSQLite(b).store()) })
	b.Run("postgres", func(b *testing.B) { run(b, newPostgres(b).store()) })
}

func BenchmarkLoad(b *testing.B) {
	onEachEngine(b, func(b *testing.B, s *Store) {
		put(b, s, "k", string(benchValue))
		for b.Loop() {
			if _, err := s.Load(b.Context(), "k"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkUpdate is one refresh's use of the Store: lock and read, save the intent, save the session, unlock.
func BenchmarkUpdate(b *testing.B) {
	refresh := func(_ context.Context, _ []byte, save func([]byte) error) error {
		if err := save(benchValue); err != nil {
			return err
		}
		return save(benchValue)
	}
	onEachEngine(b, func(b *testing.B, s *Store) {
		for b.Loop() {
			if err := s.Update(b.Context(), "k", refresh); err != nil {
				b.Fatal(err)
			}
		}
	})
}
