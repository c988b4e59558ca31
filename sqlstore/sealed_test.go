package sqlstore

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/seal"
)

func TestNothingIsReadableInTheDatabase(t *testing.T) {
	onEngines(t, func(t *testing.T, e *base) {
		s := e.store()
		put(t, s, "k", "the refresh token")
		r, _, err := s.look(t.Context(), "k")
		must(t, err)
		if strings.Contains(string(r.data), "refresh") {
			t.Error("the record is there as it is")
		}
	})
}

// Version and id are inside the seal, so rows that are put together from several saves are noticed.
func TestF39_UnreadableRecordIsAnErrorAndStays(t *testing.T) {
	damages := map[string]string{
		"without data":       "UPDATE TABLE SET data = NULL WHERE name = 'k'",
		"of another session": "UPDATE TABLE SET data = (SELECT data FROM TABLE WHERE name = 'other') WHERE name = 'k'",
		"an older one":       "UPDATE TABLE SET data = (SELECT data FROM TABLE WHERE name = 'older') WHERE name = 'k'",
		"raised version":     "UPDATE TABLE SET version = 100 WHERE name = 'k'",
		"changed id":         "UPDATE TABLE SET id = 'another' WHERE name = 'k'",
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			onEngines(t, func(t *testing.T, e *base) {
				s := e.store()
				put(t, s, "other", "secret of the other")
				put(t, s, "k", "secret")
				s.exec(t, "INSERT INTO TABLE (name, data) SELECT 'older', data FROM TABLE WHERE name = 'k'")
				put(t, s, "k", "newer secret")
				s.exec(t, damage)
				refused(t, s, "k")
				if r, busy, err := s.look(t.Context(), "k"); err != nil || r.id == "" || busy != 0 {
					t.Errorf("the record is gone, or its lock is held for %v (%v)", busy, err)
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
	const name = "SQLSTORE_TEST_KEY"
	s := newSQLite(t).store(func(c *Config) { c.Keys = []seal.Key{seal.KeyEnv(name)} })
	err := s.Update(t.Context(), "k", func(context.Context, []byte, func([]byte) error) error {
		t.Error("fn was called")
		return nil
	})
	if !errors.Is(err, seal.ErrUnavailable) || !strings.Contains(err.Error(), name) {
		t.Errorf("Update gave %v", err)
	}
}

func TestKeysAreChangedInThreeDeployments(t *testing.T) {
	e := newSQLite(t)
	deploy := func(texts ...string) *Store { return e.store(func(c *Config) { c.Keys = testKeys(texts...) }) }
	before, with, first, after := deploy("old"), deploy("old", "new"), deploy("new", "old"), deploy("new")
	for _, step := range []struct{ writes, reads *Store }{{before, with}, {with, before}, {with, first}, {first, with}, {first, after}, {after, first}} {
		put(t, step.writes, "k", "value")
		want(t, step.reads, "k", "value")
	}
	refused(t, before, "k")
}
