package redisstore

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/seal"
)

func TestNothingIsReadableInRedis(t *testing.T) {
	onEngines(t, func(t *testing.T, e *engine) {
		s := e.store()
		put(t, s, "k", "the refresh token")
		fields, err := e.rdb.HGetAll(t.Context(), s.names("k").record).Result()
		must(t, err)
		if len(fields) != 2 {
			t.Errorf("%d fields", len(fields))
		}
		for name, value := range fields {
			if strings.Contains(value, "refresh") {
				t.Errorf("%s holds the record as it is", name)
			}
		}
	})
}

func TestF39_UnreadableRecordIsAnErrorAndStays(t *testing.T) {
	damages := map[string]func(*testing.T, *engine, names){
		"of another type": func(t *testing.T, e *engine, n names) {
			must(t, e.rdb.Del(t.Context(), n.record).Err())
			must(t, e.rdb.Set(t.Context(), n.record, "text", 0).Err())
		},
		"without data": func(t *testing.T, e *engine, n names) { must(t, e.rdb.HDel(t.Context(), n.record, "data").Err()) },
		"without id":   func(t *testing.T, e *engine, n names) { must(t, e.rdb.HDel(t.Context(), n.record, "id").Err()) },
		"another id": func(t *testing.T, e *engine, n names) {
			must(t, e.rdb.HSet(t.Context(), n.record, "id", "another").Err())
		},
		"cut": func(t *testing.T, e *engine, n names) {
			data, err := e.rdb.HGet(t.Context(), n.record, "data").Result()
			must(t, err)
			must(t, e.rdb.HSet(t.Context(), n.record, "data", data[:len(data)-1]).Err())
		},
		"of another session": func(t *testing.T, e *engine, n names) {
			s := e.store()
			put(t, s, "other", "secret of the other")
			data, err := e.rdb.HGet(t.Context(), s.names("other").record, "data").Result()
			must(t, err)
			must(t, e.rdb.HSet(t.Context(), n.record, "data", data).Err())
		},
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			onEngines(t, func(t *testing.T, e *engine) {
				put(t, e.store(), "k", "secret")
				s := e.store()
				damage(t, e, s.names("k"))
				refused(t, s, "k")
				if n, err := e.rdb.Exists(t.Context(), s.names("k").record).Result(); err != nil || n != 1 {
					t.Errorf("the record is gone (%v)", err)
				}
				if n, err := e.rdb.Exists(t.Context(), s.names("k").lock).Result(); err != nil || n != 0 {
					t.Errorf("the lock is still held (%v)", err)
				}
			})
		})
	}
}

// refused checks that neither Load nor Update lets an unreadable record through, or quotes it.
func refused(t *testing.T, s *Store, key string) {
	t.Helper()
	got, err := s.Load(t.Context(), key)
	if err == nil || got != nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("Load gave %q, %v", got, err)
	}
	err = s.Update(t.Context(), key, func(context.Context, []byte, func([]byte) error) error {
		t.Error("fn was called")
		return nil
	})
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("Update gave %v", err)
	}
}

func TestWithoutAKeyNothingIsBegun(t *testing.T) {
	inBubble(t, func(t *testing.T, e *engine) {
		const name = "REDISSTORE_TEST_KEY"
		s := e.store(func(c *Config) { c.Keys = []seal.Key{seal.KeyEnv(name)} })
		err := s.Update(t.Context(), "k", func(context.Context, []byte, func([]byte) error) error {
			t.Error("fn was called")
			return nil
		})
		if !errors.Is(err, seal.ErrUnavailable) || !strings.Contains(err.Error(), name) {
			t.Errorf("Update gave %v", err)
		}
	})
}

func TestKeysAreChangedInThreeDeployments(t *testing.T) {
	inBubble(t, func(t *testing.T, e *engine) {
		deploy := func(texts ...string) *Store { return e.store(func(c *Config) { c.Keys = testKeys(texts...) }) }
		before, with, first, after := deploy("old"), deploy("old", "new"), deploy("new", "old"), deploy("new")
		for _, step := range []struct{ writes, reads *Store }{{before, with}, {with, before}, {with, first}, {first, with}, {first, after}, {after, first}} {
			put(t, step.writes, "k", "value")
			want(t, step.reads, "k", "value")
		}
		refused(t, before, "k")
	})
}
