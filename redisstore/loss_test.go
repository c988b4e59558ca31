package redisstore

import (
	"context"
	"strconv"
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
		must(e.t, e.rdb.HSet(e.t.Context(), n.record, "id", was.id, "data", was.data).Err())
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
				if seen.count() != 1 || seen.all[0].Key != "k" || seen.all[0].Restored != 2 || seen.all[0].Found != 1 {
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
				if seen.count() != 1 || seen.all[0].Found != 0 {
					t.Errorf("reported %+v", seen.all)
				}
			})
		})
	}
}

// Whoever has not seen the lost saves and saves something after the loss has the newer record, however many were lost, and
// whatever the clocks say: that of a promoted replica may be behind.
func TestF102_ASaveAfterALossIsNewerThanWhatWasLost(t *testing.T) {
	for _, lost := range []int{1, 2, 3, remembered - 1} {
		onEngines(t, func(t *testing.T, e *engine) {
			first, second := e.store(), e.store()
			put(t, first, "k", "first")
			before := e.look(first, "k")
			for range lost {
				put(t, first, "k", "lost")
			}
			e.lose(first, "k", before)
			put(t, second, "k", "after the loss")
			want(t, first, "k", "after the loss")
			put(t, first, "k", "and on")
			want(t, second, "k", "and on")
		})
	}
}

// However far Redis has gone back, it is noticed.
func TestF102_GoingBackIsNoticedByWhatWasSavedOnTopOfIt(t *testing.T) {
	onEngines(t, func(t *testing.T, e *engine) {
		var seen losses
		s := e.store(seen.into)
		var was []revision
		for i := range 3 * remembered {
			put(t, s, "k", strconv.Itoa(i))
			was = append(was, e.look(s, "k"))
		}
		newest := strconv.Itoa(len(was) - 1)
		for n, r := range was[:len(was)-1] {
			e.lose(s, "k", r)
			want(t, s, "k", newest)
			if seen.count() != n+1 {
				t.Fatalf("back at save %d: %d losses were reported", n+1, seen.count())
			}
		}
		data := e.look(s, "k").data
		if len(data) > 1000 {
			t.Errorf("the record of a few bytes has %d", len(data))
		}
	})
}

// What is not sealed cannot make an older record pass for a newer one.
func TestF102_WhatIsOutsideTheSealHidesNoRollback(t *testing.T) {
	for what, fake := range map[string]func(old, now revision) []any{
		"a raised version":       func(old, _ revision) []any { return []any{"id", old.id, "data", old.data, "version", 1 << 50} },
		"the id of the newest":   func(old, now revision) []any { return []any{"id", now.id, "data", old.data} },
		"an id that nobody has":  func(old, _ revision) []any { return []any{"id", "NEWER", "data", old.data, "version", 1 << 50} },
		"the newest with the id": func(old, now revision) []any { return []any{"id", old.id, "data", now.data} },
	} {
		t.Run(what, func(t *testing.T) {
			onEngines(t, func(t *testing.T, e *engine) {
				var seen losses
				s := e.store(seen.into)
				put(t, s, "k", "old")
				old := e.look(s, "k")
				put(t, s, "k", "new")
				now := e.look(s, "k")
				must(t, e.rdb.HSet(t.Context(), s.names("k").record, fake(old, now)...).Err())
				if what != "a raised version" {
					refused(t, e.store(), "k") // who knows of nothing newer sees that something is wrong
				}
				want(t, s, "k", "new")
				want(t, e.store(), "k", "new")
				if seen.count() != 1 {
					t.Errorf("reported %+v", seen.all)
				}
			})
		})
	}
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
			put(t, s, key(i), "value")
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
