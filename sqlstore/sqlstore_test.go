package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/silentrefresh/silentrefresh/seal"
)

func TestF35_LateHolderCannotOverwrite(t *testing.T) {
	onEngines(t, func(t *testing.T, e *base) {
		late, other := e.store(), e.store()
		put(t, late, "k", "first")
		err := late.Update(t.Context(), "k", func(_ context.Context, old []byte, save func([]byte) error) error {
			late.drop(t, "k")
			put(t, other, "k", "newer")
			for range 2 {
				if err := save([]byte("stale")); !isConflict(err) {
					t.Errorf("save gave %v, want a conflict", err)
				}
			}
			return save([]byte("stale"))
		})
		if !isConflict(err) {
			t.Errorf("Update gave %v, want fn's own error", err)
		}
		want(t, late, "k", "newer")
	})
}

func TestF43_LateHolderCannotBringBackALoggedOutSession(t *testing.T) {
	onEngines(t, func(t *testing.T, e *base) {
		late, other := e.store(), e.store()
		put(t, late, "k", "session")
		must(t, late.Update(t.Context(), "k", func(_ context.Context, _ []byte, save func([]byte) error) error {
			late.drop(t, "k")
			put(t, other, "k", "") // a tombstone
			if err := save([]byte("renewed")); !isConflict(err) {
				t.Errorf("save gave %v, want a conflict", err)
			}
			return nil
		}))
		want(t, other, "k", "")
	})
}

// Two records of the same version are not the same: a database that came back without its last save counts again.
func TestF35_SameVersionIsNotTheSameRecord(t *testing.T) {
	onEngines(t, func(t *testing.T, e *base) {
		late, other := e.store(), e.store()
		put(t, late, "k", "first")
		before, _, err := late.look(t.Context(), "k")
		must(t, err)
		put(t, late, "k", "lost")
		must(t, late.Update(t.Context(), "k", func(_ context.Context, _ []byte, save func([]byte) error) error {
			late.exec(t, "UPDATE TABLE SET version = $1, id = $2, data = $3, holder = '', held_until = 0", before.version, before.id, before.data)
			put(t, other, "k", "after the loss")
			if err := save([]byte("on top of what was lost")); !isConflict(err) {
				t.Errorf("save gave %v, want a conflict", err)
			}
			return nil
		}))
		want(t, other, "k", "after the loss")
	})
}

func TestF34_UpdatesOfManyProcessesExcludeOneAnother(t *testing.T) {
	onEngines(t, func(t *testing.T, e *base) {
		e.lease = 10 * time.Second
		const stores, rounds = 8, 3
		var all sync.WaitGroup
		for range stores {
			s := e.store() // they create the table together
			all.Go(func() {
				for range rounds {
					if err := s.Update(t.Context(), "k", addOne); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		s := e.store()
		want(t, s, "k", strconv.Itoa(stores*rounds))
		if r, _, err := s.look(t.Context(), "k"); err != nil || r.version != stores*rounds {
			t.Errorf("the version is %d (%v)", r.version, err)
		}
	})
}

func addOne(_ context.Context, old []byte, save func([]byte) error) error {
	n, _ := strconv.Atoi(string(old))
	return save([]byte(strconv.Itoa(n + 1)))
}

// A save that was not confirmed may have been written; the next save of the same Update must not take it for
// somebody else's.
func TestSaveAfterAnUnconfirmedSave(t *testing.T) {
	for _, written := range []bool{true, false} {
		onEngines(t, func(t *testing.T, e *base) {
			s := e.store()
			put(t, s, "k", "first")
			must(t, s.Update(t.Context(), "k", func(_ context.Context, _ []byte, save func([]byte) error) error {
				working := s.engine
				s.engine = &unconfirming{engine: working, written: written}
				err := save([]byte("second"))
				s.engine = working
				if err == nil || isConflict(err) {
					t.Errorf("save gave %v, want a failure of the network", err)
				}
				return save([]byte("third"))
			}))
			want(t, s, "k", "third")
		})
	}
}

// unconfirming is an engine whose responses get lost.
type unconfirming struct {
	engine
	written bool
}

func (u *unconfirming) row(ctx context.Context, statement string, args, into []any) (bool, error) {
	if u.written {
		u.engine.row(ctx, statement, args, into)
	}
	return false, context.DeadlineExceeded
}

func TestNewNamesEveryMistake(t *testing.T) {
	for _, c := range []Config{{}, {Postgres: &pgxpool.Pool{}, SQLite: &sql.DB{}}} {
		c.Keys, c.Table, c.Lease = []seal.Key{}, `a"b`, time.Millisecond
		_, err := New(c)
		if err == nil {
			t.Fatal("no error")
		}
		for _, word := range []string{"Postgres", "SQLite", "Keys", "Table", "Lease", "100ms"} {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%q does not mention %s", err, word)
			}
		}
	}
}

func TestNewWithoutAKeyInTheEnvironmentFails(t *testing.T) {
	for value, want := range map[string]string{"": "is not set", "hunter2": "not a key"} {
		t.Setenv(EnvKey, value)
		s, err := New(Config{SQLite: &sql.DB{}})
		if s != nil || err == nil {
			t.Fatalf("with %q: no error", value)
		}
		for _, word := range []string{EnvKey, want, "openssl rand", "Keys"} {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%q does not mention %q", err, word)
			}
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q repeats the key", err)
		}
	}
}

func TestDefaults(t *testing.T) {
	onEngines(t, func(t *testing.T, e *base) {
		t.Setenv(EnvKey, seal.FormatKey(seal.NewKey()))
		s := e.store(func(c *Config) { c.Keys, c.Table, c.Lease = nil, "", 0 })
		if s.lease != 10*time.Second || !strings.Contains(s.sql.look, `"silentrefresh_sessions"`) {
			t.Errorf("lease %v, %s", s.lease, s.sql.look)
		}
		key := rand.Text() // the table is the same the next time, the key in the environment is not
		put(t, s, key, "value")
		want(t, s, key, "value")
		must(t, s.Close())
		must(t, s.Close())
		put(t, s, key, "after Close")
	})
}

func TestTables(t *testing.T) {
	onEngines(t, func(t *testing.T, e *base) {
		user := e.store(func(c *Config) { c.Table = "user" }) // a word of SQL
		put(t, user, "k", "mine")
		other := e.store(func(c *Config) { c.Table = "other" })
		if got, err := other.Load(t.Context(), "k"); got != nil || err != nil {
			t.Errorf("the other table has %q, %v", got, err)
		}
	})
	if text, err := Schema(""); err != nil || !strings.Contains(text, `"silentrefresh_sessions"`) {
		t.Errorf("Schema gave %s, %v", text, err)
	}
	if text, err := Schema("a b"); err == nil || text != "" {
		t.Errorf("Schema gave %s, %v", text, err)
	}
	for name, valid := range map[string]bool{
		"a": true, "_": true, "app.sessions": true, "t_1": true, strings.Repeat("a", 63): true,
		"": false, "A": false, "1a": false, "a b": false, "a.b.c": false, ".a": false, "a;": false, `a"`: false, strings.Repeat("a", 64): false,
	} {
		if err := checkTable(name); (err == nil) != valid {
			t.Errorf("%q gave %v", name, err)
		}
	}
}

func TestNamesAreApart(t *testing.T) {
	long := strings.Repeat("x", 2000)
	seen := map[string]string{}
	for _, key := range []string{"", "k", "K", "https://api.example.com|default", "a\x00b", "\xff", "ü", long, long + "x", nameOf(long)} {
		name := nameOf(key)
		if other, ok := seen[name]; ok || len(name) > longestName {
			t.Errorf("keys %q and %q have the same name, of %d bytes", key, other, len(name))
		}
		seen[name] = key
	}
}
