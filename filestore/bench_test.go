package filestore

import (
	"context"
	"testing"
)

// size is what a session with a few cookies and two JWTs takes.
const size = 4096

func BenchmarkLoad(b *testing.B) {
	s := open(b, b.TempDir())
	put(b, s, key, string(make([]byte, size)))
	for b.Loop() {
		if _, err := s.Load(b.Context(), key); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLock(b *testing.B) {
	s := open(b, b.TempDir())
	path := s.Path(key)
	for b.Loop() {
		unlock, err := lock(b.Context(), path)
		if err != nil {
			b.Fatal(err)
		}
		unlock()
	}
}

// BenchmarkUpdate has the lock, reading and no save.
func BenchmarkUpdate(b *testing.B) {
	s := open(b, b.TempDir())
	put(b, s, key, string(make([]byte, size)))
	for b.Loop() {
		err := s.Update(b.Context(), key, func(context.Context, []byte, func([]byte) error) error { return nil })
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSave has a save beside, with what the disk takes for it.
func BenchmarkSave(b *testing.B) {
	s := open(b, b.TempDir())
	value := string(make([]byte, size))
	for b.Loop() {
		put(b, s, key, value)
	}
}

// BenchmarkColdStart is what a short-lived process does before its request: open, and load one record.
func BenchmarkColdStart(b *testing.B) {
	dir := b.TempDir()
	put(b, open(b, dir), key, string(make([]byte, size)))
	for b.Loop() {
		if _, err := open(b, dir).Load(b.Context(), key); err != nil {
			b.Fatal(err)
		}
	}
}
