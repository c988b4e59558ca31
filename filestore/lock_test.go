package filestore

import (
	"context"
	"errors"
	"os"
	"path/filepath"
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
