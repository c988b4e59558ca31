package filelock

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

const envHold = "FILELOCK_TEST_HOLD"

// TestMain makes this binary another process, which holds a lock until it is killed.
func TestMain(m *testing.M) {
	path := os.Getenv(envHold)
	if path == "" {
		os.Exit(m.Run())
	}
	if _, err := Lock(context.Background(), path); err != nil {
		panic(err)
	}
	fmt.Println("held")
	time.Sleep(time.Hour)
}

// hold starts a process that holds the lock of path, and waits until it does.
func hold(t *testing.T, path string) (kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envHold+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() { cmd.Process.Kill(); cmd.Wait() }
	t.Cleanup(kill)
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the holder said %q, %v", line, err)
	}
	return kill
}

func file(t *testing.T) string { return filepath.Join(t.TempDir(), "lock") }

// tired is a context that ends soon.
func tired(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, errTired)
	t.Cleanup(cancel)
	return ctx
}

var errTired = errors.New("tired")

func mustLock(t *testing.T, path string) (release func()) {
	t.Helper()
	release, err := Lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return release
}

// later locks path in the background, and releases it again.
func later(t *testing.T, path string) <-chan error {
	done := make(chan error, 1)
	go func() {
		release, err := Lock(t.Context(), path)
		if err == nil {
			release()
		}
		done <- err
	}()
	return done
}

func TestLockExcludesOthersInProcess(t *testing.T) {
	path := file(t)
	release := mustLock(t, path)
	if _, err := Lock(tired(t), path); !errors.Is(err, errTired) {
		t.Errorf("a second Lock: %v, want the cause of the context's end", err)
	}
	release()
	mustLock(t, path)()
}

// TestF36_KilledHolderLeavesNoLock: the lock is the kernel's, and goes with the process.
func TestF36_KilledHolderLeavesNoLock(t *testing.T) {
	path := file(t)
	kill := hold(t, path)
	if _, err := Lock(tired(t), path); !errors.Is(err, errTired) {
		t.Errorf("Lock: %v, want the cause of the context's end", err)
	}
	done := later(t, path) // takes up the wait that was given up
	kill()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the file must stay: %v", err)
	}
}

// TestF36_StoppedHolderCostsOneWait: however often others give up on a holder that hangs, they leave one wait behind
// between them, and it takes the lock from nobody.
func TestF36_StoppedHolderCostsOneWait(t *testing.T) {
	path := file(t)
	kill := hold(t, path)
	before := runtime.NumGoroutine()
	for range 20 {
		if _, err := Lock(tired(t), path); !errors.Is(err, errTired) {
			t.Fatalf("Lock: %v, want the cause of the context's end", err)
		}
	}
	if grown := runtime.NumGoroutine() - before; grown > 3 {
		t.Errorf("20 waiters that gave up left %d goroutines behind", grown)
	}
	kill()
	hold(t, path)() // gets the lock, as this process no longer wants it
	mustLock(t, path)()
}

// TestDeletedFileIsNotTrusted: a lock on a file that nobody else will find excludes nobody.
func TestDeletedFileIsNotTrusted(t *testing.T) {
	path := file(t)
	w := &wait{lock: &handle{path: path}, granted: make(chan error, 1)}
	if locked, err := w.lock.tryLock(); !locked || err != nil {
		t.Fatalf("tryLock: %v, %v", locked, err)
	}
	if err := os.Remove(path); err != nil {
		w.lock.unlock()
		t.Skipf("a file that is in use can't be deleted here: %v", err)
	}
	kill := hold(t, path) // a new file
	q := queue{waits: map[string]*wait{path: w}}
	got := make(chan error, 1)
	go func() {
		_, err := q.lock(t.Context(), path)
		got <- err
	}()
	for !q.wants(w) {
		runtime.Gosched()
	}
	q.mu.Lock()
	delete(q.waits, path)
	w.granted <- nil // the wait for the old file is over
	q.mu.Unlock()
	for !q.wants(q.waitFor(path)) { // the wait for the new one has begun
		select {
		case err := <-got:
			t.Fatalf("two holders: %v", err)
		default:
			runtime.Gosched()
		}
	}
	kill()
	if err := <-got; err != nil {
		t.Error(err)
	}
}

func (q *queue) waitFor(path string) *wait {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waits[path]
}

func (q *queue) wants(w *wait) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return w != nil && w.wanted
}

func TestLockInMissingFolder(t *testing.T) {
	if _, err := Lock(t.Context(), filepath.Join(t.TempDir(), "none", "lock")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Lock: %v, want ErrNotExist", err)
	}
}

// TestLockInBubble: goroutines of one process wait for each other without the kernel, so that a program's tests
// can use testing/synctest.
func TestLockInBubble(t *testing.T) {
	path := file(t)
	synctest.Test(t, func(t *testing.T) {
		begun, release := time.Now(), mustLock(t, path)
		time.AfterFunc(time.Hour, release)
		mustLock(t, path)()
		if took := time.Since(begun); took != time.Hour {
			t.Errorf("waited %v, want as long as the lock was held", took)
		}
	})
}
