package redisstore

import (
	"context"
	"os"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// benchStore is on the Redis at REDIS_ADDR, or on one within the process.
func benchStore(b *testing.B) *Store {
	addr := os.Getenv("REDIS_ADDR")
	if addr == "" {
		addr = miniredis.RunT(b).Addr()
	}
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	b.Cleanup(func() { rdb.Close() })
	s, err := New(Config{Client: rdb, Keys: testKeys("one"), Namespace: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}

var benchValue = make([]byte, 1024)

func BenchmarkLoad(b *testing.B) {
	s := benchStore(b)
	save := func(_ context.Context, _ []byte, save func([]byte) error) error { return save(benchValue) }
	if err := s.Update(b.Context(), "k", save); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.Load(b.Context(), "k"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkUpdate is one refresh's use of the Store: lock and read, save the intent, save the session, unlock.
func BenchmarkUpdate(b *testing.B) {
	s := benchStore(b)
	refresh := func(_ context.Context, _ []byte, save func([]byte) error) error {
		if err := save(benchValue); err != nil {
			return err
		}
		return save(benchValue)
	}
	for b.Loop() {
		if err := s.Update(b.Context(), "k", refresh); err != nil {
			b.Fatal(err)
		}
	}
}
