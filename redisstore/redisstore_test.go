package redisstore

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/seal"
)

// drop makes key's lock vanish, as it does for a holder that was paused beyond its lease.
func (e *engine) drop(s *Store, key string) {
	must(e.t, e.rdb.Del(e.t.Context(), s.names(key).lock).Err())
}

func isConflict(err error) bool {
	c, ok := errors.AsType[interface {
		error
		Conflict() bool
	}](err)
	return ok && c.Conflict()
}

func TestF35_LateHolderCannotOverwrite(t *testing.T) {
	onEngines(t, func(t *testing.T, e *engine) {
		late, other := e.store(), e.store()
		put(t, late, "k", "first")
		err := late.Update(t.Context(), "k", func(_ context.Context, old []byte, save func([]byte) error) error {
			e.drop(late, "k")
			put(t, other, "k", "newer")
			err := save([]byte("stale"))
			if !isConflict(err) {
				t.Errorf("save gave %v, want a conflict", err)
			}
			if err := save([]byte("stale")); !isConflict(err) {
				t.Errorf("saved again, it gave %v, want a conflict", err)
			}
			return err
		})
		if !isConflict(err) {
			t.Errorf("Update gave %v, want fn's own error", err)
		}
		want(t, late, "k", "newer")
	})
}

func TestF43_LateHolderCannotBringBackALoggedOutSession(t *testing.T) {
	onEngines(t, func(t *testing.T, e *engine) {
		late, other := e.store(), e.store()
		put(t, late, "k", "session")
		must(t, late.Update(t.Context(), "k", func(_ context.Context, _ []byte, save func([]byte) error) error {
			e.drop(late, "k")
			put(t, other, "k", "") // a tombstone
			if err := save([]byte("renewed")); !isConflict(err) {
				t.Errorf("save gave %v, want a conflict", err)
			}
			return nil
		}))
		want(t, other, "k", "")
	})
}

func TestFirstSavesOfTwoProcessesConflict(t *testing.T) {
	onEngines(t, func(t *testing.T, e *engine) {
		late, other := e.store(), e.store()
		must(t, late.Update(t.Context(), "k", func(_ context.Context, old []byte, save func([]byte) error) error {
			if old != nil {
				t.Errorf("a session that never was is %q", old)
			}
			e.drop(late, "k")
			put(t, other, "k", "login")
			if err := save([]byte("another login")); !isConflict(err) {
				t.Errorf("save gave %v, want a conflict", err)
			}
			return nil
		}))
		want(t, late, "k", "login")
	})
}

func TestSavesAreCountedOnOverATombstone(t *testing.T) {
	onEngines(t, func(t *testing.T, e *engine) {
		s := e.store()
		for i, value := range []string{"login", "renewed", "", "login again"} {
			put(t, s, "k", value)
			if st := e.stampOf(s, "k"); st.number != int64(i+1) {
				t.Errorf("after %q it is save %d", value, st.number)
			}
		}
	})
}

// stampOf is the stamp of the record as it stands.
func (e *engine) stampOf(s *Store, key string) stamp {
	e.t.Helper()
	st, _, err := s.open(e.t.Context(), key, e.look(s, key))
	must(e.t, err)
	return st
}

func TestF34_UpdatesOfManyProcessesExcludeOneAnother(t *testing.T) {
	onEngines(t, func(t *testing.T, e *engine) {
		const stores, rounds = 10, 5
		var all sync.WaitGroup
		for range stores {
			s := e.store()
			all.Go(func() {
				for range rounds {
					if err := s.Update(t.Context(), "k", addOne); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		want(t, e.store(), "k", strconv.Itoa(stores*rounds))
	})
}

func addOne(_ context.Context, old []byte, save func([]byte) error) error {
	n, _ := strconv.Atoi(string(old))
	return save([]byte(strconv.Itoa(n + 1)))
}

// A response that gets lost on its way makes the client repeat the command.
func TestRepeatedCommandsDoNotConflict(t *testing.T) {
	onEngines(t, func(t *testing.T, e *engine) {
		w := &wire{}
		s := e.wired(w)
		put(t, s, "k", "first")
		s.Close() // the response that gets lost must not be one to the listener
		before := e.stampOf(s, "k")
		w.swallow.Store(true) // of taking the lock
		must(t, s.Update(t.Context(), "k", func(_ context.Context, _ []byte, save func([]byte) error) error {
			if w.swallow.Load() {
				t.Error("no response was lost")
			}
			w.swallow.Store(true) // of saving
			return save([]byte("second"))
		}))
		want(t, s, "k", "second")
		if after := e.stampOf(s, "k"); !after.follows(before) || w.swallow.Load() {
			t.Errorf("save %d after %d", after.number, before.number)
		}
	})
}

// A save that was not confirmed may have been written; the next save of the same Update must not take it for
// somebody else's.
func TestSaveAfterAnUnconfirmedSave(t *testing.T) {
	onEngines(t, func(t *testing.T, e *engine) {
		w := &wire{}
		s := e.wired(w, func(c *Config) { c.Client = noRetries(e, w) })
		put(t, s, "k", "first")
		s.Close() // the response that gets lost must not be one to the listener
		must(t, s.Update(t.Context(), "k", func(_ context.Context, _ []byte, save func([]byte) error) error {
			w.swallow.Store(true)
			if err := save([]byte("second")); err == nil || isConflict(err) {
				t.Errorf("save gave %v, want a failure of the network", err)
			}
			return save([]byte("third"))
		}))
		want(t, s, "k", "third")
		if st := e.stampOf(s, "k"); st.number != 3 || len(strings.Fields(st.before)) != 2 {
			t.Errorf("it is %+v", st)
		}
	})
}

func TestScriptsAreLoadedAgain(t *testing.T) {
	onEngines(t, func(t *testing.T, e *engine) {
		s := e.store()
		put(t, s, "k", "first")
		must(t, e.rdb.ScriptFlush(t.Context()).Err())
		want(t, s, "k", "first")
		must(t, e.rdb.ScriptFlush(t.Context()).Err())
		put(t, s, "k", "second")
	})
}

func TestNamespacesAreApart(t *testing.T) {
	onEngines(t, func(t *testing.T, e *engine) {
		put(t, e.store(), "k", "mine")
		other := e.store(func(c *Config) { c.Namespace += "-other" })
		if got, err := other.Load(t.Context(), "k"); got != nil || err != nil {
			t.Errorf("the other namespace has %q, %v", got, err)
		}
	})
}

func TestKeysOfASessionShareASlot(t *testing.T) {
	s := newEngine(t, nil, 0).store()
	seen := map[names]string{}
	for _, key := range []string{"", "k", "https://api.example.com default", "{}", "}{", "a{b}c", "%7B", "ümlaut", "a\nb", ":record"} {
		n := s.names(key)
		for _, name := range []string{n.record, n.lock} {
			_, rest, _ := strings.Cut(name, "{")
			tag, _, ok := strings.Cut(rest, "}")
			if !ok || tag == "" || "{"+tag+"}" != n.tag[strings.Index(n.tag, "{"):] {
				t.Errorf("%q of key %q has no hash tag of its session", name, key)
			}
		}
		if other, ok := seen[n]; ok {
			t.Errorf("keys %q and %q have the same names", key, other)
		}
		seen[n] = key
	}
}

func TestNewNamesEveryMistake(t *testing.T) {
	_, err := New(Config{Namespace: "a{b}", Keys: []seal.Key{}, Lease: time.Millisecond})
	if err == nil {
		t.Fatal("no error")
	}
	for _, word := range []string{"Client", "Keys", "Namespace", "Lease", "100ms"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not mention %s", err, word)
		}
	}
}

// A replica without a key would put off every refresh for ever.
func TestNewWithoutAKeyInTheEnvironmentFails(t *testing.T) {
	rdb := newEngine(t, nil, 0).rdb
	for value, want := range map[string]string{"": "is not set", "hunter2": "not a key"} {
		t.Setenv(EnvKey, value)
		s, err := New(Config{Client: rdb})
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
		if _, err := New(Config{Client: rdb, Keys: testKeys("another")}); err != nil {
			t.Errorf("with another key: %v", err)
		}
	}
}

func TestDefaults(t *testing.T) {
	inBubble(t, func(t *testing.T, e *engine) {
		t.Setenv(EnvKey, seal.FormatKey(seal.NewKey()))
		s, err := New(Config{Client: e.rdb})
		must(t, err)
		if s.lease != 10*time.Second || s.names("k").record != "silentrefresh:{session=k}:record" || s.lost == nil {
			t.Errorf("lease %v, record %q", s.lease, s.names("k").record)
		}
		put(t, s, "k", "value")
		want(t, s, "k", "value")
		must(t, s.Close())
		must(t, s.Close())
	})
}
