package filestore

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// tired is a context that ends soon.
func tired(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

// TestF36_StoppedHolderCostsOneWait: however often others give up on a holder that hangs, they leave one wait behind
// between them, and it takes the lock from nobody.
func TestF36_StoppedHolderCostsOneWait(t *testing.T) {
	s := open(t, t.TempDir())
	holder := start(t, "hold", s.dir)
	holder.line(t)
	before := runtime.NumGoroutine()
	for range 20 {
		if err := save(tired(t), s, key, "value"); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Update: %v, want DeadlineExceeded", err)
		}
	}
	if grown := runtime.NumGoroutine() - before; grown > 3 {
		t.Errorf("20 waiters that gave up left %d goroutines behind", grown)
	}
	next := start(t, "hold", s.dir)
	holder.kill()
	if got := next.line(t); got != "held" { // and not we, who no longer want it
		t.Errorf("the next holder said %q", got)
	}
	next.kill()
	put(t, s, key, "value")
}

// TestWaitIsTakenUpAgain: whoever comes back waits where he left off.
func TestWaitIsTakenUpAgain(t *testing.T) {
	s := open(t, t.TempDir())
	holder := start(t, "hold", s.dir)
	holder.line(t)
	if err := save(tired(t), s, key, "value"); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Update: %v, want DeadlineExceeded", err)
	}
	done := make(chan error, 1)
	go func() { done <- save(t.Context(), s, key, "value") }()
	holder.kill()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	holds(t, s, key, "value")
}

// TestDeletedLockFileIsNotTrusted: a lock on a file that nobody else will find excludes nobody.
func TestDeletedLockFileIsNotTrusted(t *testing.T) {
	s := open(t, t.TempDir())
	holder := start(t, "hold", s.dir)
	holder.line(t)
	done := make(chan error, 1)
	go func() { done <- save(t.Context(), s, key, "value") }()
	for inKernel.waiting(s.Path(key)+lockExt) == false {
		runtime.Gosched()
	}
	if err := os.Remove(s.Path(key) + lockExt); err != nil {
		t.Fatal(err)
	}
	second := start(t, "hold", s.dir)
	second.line(t) // on a new file
	holder.kill()  // now our wait is granted, on the old file
	select {
	case err := <-done:
		t.Errorf("two holders: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	second.kill()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func (q *queue) waiting(path string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waits[path] != nil
}

// TestLockInBubble: stores of one process wait for each other without the kernel, so that a program's tests can
// use them with testing/synctest.
func TestLockInBubble(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		a, b := open(t, dir), open(t, dir)
		begun := time.Now()
		go a.Update(t.Context(), key, func(context.Context, []byte, func([]byte) error) error {
			time.Sleep(time.Hour)
			return nil
		})
		synctest.Wait()
		put(t, b, key, "value")
		if took := time.Since(begun); took != time.Hour {
			t.Errorf("the second Update waited %v, want as long as the first one took", took)
		}
	})
}

// TestF45_LinkedRecordsShareLock: two folders that link to one record exclude each other.
func TestF45_LinkedRecordsShareLock(t *testing.T) {
	a, b := open(t, t.TempDir(), KeyFile(filepath.Join(t.TempDir(), "key"))), open(t, t.TempDir())
	b.ring = a.ring
	if err := os.Symlink(a.Path(key), filepath.Join(b.dir, fileName(key))); err != nil {
		t.Skipf("no links here: %v", err)
	}
	put(t, b, key, "value")
	holds(t, a, key, "value")
	err := a.Update(t.Context(), key, func(context.Context, []byte, func([]byte) error) error {
		if err := save(tired(t), b, key, "value"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Update through a link: %v, want DeadlineExceeded", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
