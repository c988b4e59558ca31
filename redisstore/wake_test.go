package redisstore

import (
	"testing"
	"time"
)

// heardOf reports whether s has heard of key's lock when it is set free.
func heardOf(t *testing.T, holder, s *Store, key string) bool {
	t.Helper()
	woken, forget := s.waiters.Add(s.names(key).tag)
	defer forget()
	holding(t, holder, key)()
	select {
	case <-woken:
		return true
	case <-time.After(time.Millisecond):
		return false
	}
}

func TestSilentConnectionIsGivenUp(t *testing.T) {
	inBubble(t, func(t *testing.T, e *engine) {
		w := &wire{}
		holder, s := e.store(), e.wired(w)
		if _, err := s.Load(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		<-time.After(20 * pingAfter) // pinged, and seen
		if !heardOf(t, holder, s, "k") {
			t.Fatal("the connection was given up although pings came back")
		}
		w.mute()
		if heardOf(t, holder, s, "k") {
			t.Fatal("the connection is not silent")
		}
		<-time.After(3 * pingAfter)
		if !heardOf(t, holder, s, "k") {
			t.Error("the silent connection was kept")
		}
	})
}

func TestWaitersOfOtherSessionsSleepOn(t *testing.T) {
	inBubble(t, func(t *testing.T, e *engine) {
		holder, s := e.store(), e.store()
		if !eventuallyHeard(t, holder, s) {
			t.Fatal("the listener does not listen")
		}
		woken, forget := s.waiters.Add(s.names("other").tag)
		defer forget()
		holding(t, holder, "k")()
		select {
		case <-woken:
			t.Error("woken for another session")
		case <-time.After(time.Second):
		}
	})
}

func eventuallyHeard(t *testing.T, holder, s *Store) bool {
	t.Helper()
	if _, err := s.Load(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	<-time.After(time.Millisecond)
	return heardOf(t, holder, s, "k")
}

// A Store that was closed before its first use listens to nothing, and leaves no goroutine behind: the bubble would
// notice.
func TestClosedStoreWorks(t *testing.T) {
	inBubble(t, func(t *testing.T, e *engine) {
		s := e.store()
		must(t, s.Close())
		put(t, s, "k", "value")
		want(t, s, "k", "value")
		must(t, s.Close())
	})
}

// WhenFree tells of its own session's lock until it is to be forgotten, and then leaves no goroutine behind: the bubble
// would notice.
func TestF38_WhenFree(t *testing.T) {
	inBubble(t, func(t *testing.T, e *engine) {
		holder, s := e.store(), e.store()
		if !eventuallyHeard(t, holder, s) {
			t.Fatal("the listener does not listen")
		}
		told := make(chan struct{}, 10)
		forget := s.WhenFree("k", func() { told <- struct{}{} })
		holding(t, holder, "other")()
		<-time.After(time.Second)
		if len(told) != 0 {
			t.Error("told of another session's lock")
		}
		holding(t, holder, "k")()
		<-time.After(time.Second)
		if len(told) != 1 {
			t.Errorf("told %d times, want once", len(told))
		}
		forget()
		forget()
		holding(t, holder, "k")()
		<-time.After(time.Second)
		if len(told) != 1 {
			t.Error("told after it was forgotten")
		}
	})
}

// Connections that live under a second keep nobody from the lock for long, and times of quiet have times without between
// them.
func TestF102_ConnectionsThatBreakAllTheTimeStarveNobody(t *testing.T) {
	for _, lives := range []time.Duration{50 * time.Millisecond, 300 * time.Millisecond, 700 * time.Millisecond, 1500 * time.Millisecond, 2500 * time.Millisecond} {
		inBubble(t, func(t *testing.T, e *engine) {
			w := &wire{}
			s := e.wired(w)
			put(t, s, "k", "first")
			<-time.After(time.Second) // it listens
			stop := make(chan struct{})
			defer close(stop)
			go func() {
				for {
					select {
					case <-time.After(lives):
						w.dropSubscribers()
					case <-stop:
						return
					}
				}
			}()
			<-time.After(lives + time.Millisecond)
			begun, quick := time.Now(), 0
			const updates = 20
			for range updates {
				start := time.Now()
				put(t, s, "k", "next")
				if took := time.Since(start); took > patience {
					t.Errorf("%v: an Update took %v", lives, took)
				} else if took < 100*time.Millisecond {
					quick++
				}
				<-time.After(500 * time.Millisecond)
			}
			if took := time.Since(begun); quick < updates/2 {
				t.Errorf("%v: %d of %d Updates were quick; all took %v", lives, quick, updates, took)
			}
		})
	}
}
