package redisstore

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"
)

// losses collects what is reported.
type losses struct {
	mu  sync.Mutex
	all []Loss
}

func (l *losses) into(c *Config) {
	c.Lost = func(loss Loss) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.all = append(l.all, loss)
	}
}

func (l *losses) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.all)
}

// lose makes Redis forget what was saved after the record that was: none if that is the zero revision.
func (e *engine) lose(s *Store, key string, was revision) {
	e.t.Helper()
	n := s.names(key)
	must(e.t, e.rdb.Del(e.t.Context(), n.record).Err())
	if was.id != "" {
		must(e.t, e.rdb.HSet(e.t.Context(), n.record, "version", was.version, "id", was.id, "data", was.data).Err())
	}
}

func (e *engine) look(s *Store, key string) revision {
	e.t.Helper()
	r, err := s.look(e.t.Context(), key)
	must(e.t, err)
	return r
}

func TestLostSaveIsNoticedReportedAndPutBack(t *testing.T) {
	uses := map[string]func(*testing.T, *Store){
		"by Load": func(t *testing.T, s *Store) { want(t, s, "k", "second") },
		"by Update": func(t *testing.T, s *Store) {
			must(t, s.Update(t.Context(), "k", func(_ context.Context, old []byte, _ func([]byte) error) error {
				if string(old) != "second" {
					t.Errorf("old is %q", old)
				}
				return nil
			}))
		},
	}
	for name, use := range uses {
		t.Run(name, func(t *testing.T) {
			onEngines(t, func(t *testing.T, e *engine) {
				var seen losses
				writer, reader := e.store(), e.store(seen.into)
				put(t, writer, "k", "first")
				before := e.look(writer, "k")
				put(t, writer, "k", "second")
				want(t, reader, "k", "second")

				e.lose(writer, "k", before)
				use(t, reader)
				want(t, e.store(), "k", "second") // who never saw it has it again
				want(t, reader, "k", "second")
				if seen.count() != 1 || seen.all[0].Key != "k" || !seen.all[0].Restored.After(seen.all[0].Found) {
					t.Errorf("reported %+v", seen.all)
				}
			})
		})
	}
}

func TestLostRecordAndLostTombstone(t *testing.T) {
	for _, value := range []string{"session", ""} {
		t.Run(value, func(t *testing.T) {
			onEngines(t, func(t *testing.T, e *engine) {
				var seen losses
				s := e.store(seen.into)
				put(t, s, "k", value)
				e.lose(s, "k", revision{})
				want(t, s, "k", value)
				if seen.count() != 1 || !seen.all[0].Found.IsZero() {
					t.Errorf("reported %+v", seen.all)
				}
			})
		})
	}
}

// Whoever has not seen the lost save and saves something after the loss has the newer record.
func TestSaveAfterALossIsNewerThanWhatWasLost(t *testing.T) {
	onEngines(t, func(t *testing.T, e *engine) {
		first, second := e.store(), e.store()
		put(t, first, "k", "first")
		before := e.look(first, "k")
		for range 3 {
			put(t, first, "k", "lost")
		}
		e.lose(first, "k", before)
		<-time.After(5 * time.Millisecond) // the clock is what orders the two
		put(t, second, "k", "after the loss")
		want(t, first, "k", "after the loss")
	})
}

// A holder that was at work when Redis lost its record meets what was put back.
func TestHolderOnALostRecordConflicts(t *testing.T) {
	onEngines(t, func(t *testing.T, e *engine) {
		var seen losses
		knows, does := e.store(seen.into), e.store()
		put(t, knows, "k", "first")
		before := e.look(knows, "k")
		put(t, knows, "k", "second")
		e.lose(knows, "k", before)
		must(t, does.Update(t.Context(), "k", func(_ context.Context, old []byte, save func([]byte) error) error {
			want(t, knows, "k", "second")
			if err := save([]byte("on top of the first")); !isConflict(err) {
				t.Errorf("save gave %v, want a conflict", err)
			}
			return nil
		}))
		want(t, does, "k", "second")
	})
}

// After Redis has been away, nobody takes a lock before those who saved have looked whether it is still there.
func TestReconnectedStoresRestoreBeforeAnybodyLocks(t *testing.T) {
	inBubble(t, func(t *testing.T, e *engine) {
		var seen losses
		cable := &wire{}
		writer, other := e.wired(cable, seen.into), e.wired(cable)
		put(t, writer, "k", "first")
		before := e.look(writer, "k")
		want(t, other, "k", "first")
		put(t, writer, "k", "second")
		<-time.After(time.Millisecond) // both listen

		cable.set(true)
		e.lose(writer, "k", before)
		<-time.After(10 * time.Second)
		cable.set(false)
		start := time.Now()
		must(t, other.Update(t.Context(), "k", func(_ context.Context, old []byte, _ func([]byte) error) error {
			if string(old) != "second" {
				t.Errorf("the lock was had after %v, on %q", time.Since(start), old)
			}
			return nil
		}))
		if seen.count() != 1 {
			t.Errorf("reported %+v", seen.all)
		}
	})
}

func TestVerifyLooksAtEveryRecordSavedHere(t *testing.T) {
	onEngines(t, func(t *testing.T, e *engine) {
		const sessions = batch + batch/2
		var seen losses
		s := e.store(seen.into)
		for i := range sessions {
			r, err := revision{id: key(i), data: "sealed"}, error(nil)
			r.version, _, err = s.compareAndSet(t.Context(), key(i), r, "")
			must(t, err)
			s.memory.keep(key(i), r, true)
			if i%3 == 0 {
				e.lose(s, key(i), revision{})
			}
		}
		s.verify(t.Context())
		if seen.count() != sessions/3 {
			t.Errorf("%d of %d were put back", seen.count(), sessions/3)
		}
	})
}

func key(i int) string { return "k" + strings.Repeat("x", i%7) + time.Duration(i).String() }
