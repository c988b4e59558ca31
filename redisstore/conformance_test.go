package redisstore

import (
	"os"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/silentrefresh/silentrefresh/storetest"
)

// TestStoretest runs the conformance suite, outside a bubble, because its subtests are its own.
func TestStoretest(t *testing.T) {
	t.Run("miniredis", func(t *testing.T) {
		conform(t, func(t *testing.T) *engine {
			return realEngine(t, miniredis.RunT(t).Addr())
		})
	})
	if addr := os.Getenv("REDIS_ADDR"); addr != "" {
		t.Run("redis", func(t *testing.T) {
			conform(t, func(t *testing.T) *engine { return realEngine(t, addr) })
		})
	}
}

func conform(t *testing.T, open func(*testing.T) *engine) {
	engines := map[storetest.Store]*engine{}
	storetest.Suite{
		Open: func(t *testing.T) storetest.Store {
			e := open(t)
			s := e.store(unhurried)
			engines[s] = e
			return s
		},
		Again: func(t *testing.T, s storetest.Store) storetest.Store { return engines[s].store(unhurried) },
		Lose:  func(t *testing.T, s storetest.Store, key string) { engines[s].drop(s.(*Store), key) },
	}.Run(t)
}

// unhurried is a lease that a busy machine can keep.
func unhurried(c *Config) { c.Lease = 3 * time.Second }
