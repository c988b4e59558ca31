// Package filelock locks files among processes, and among the goroutines of one, with a context.
package filelock

import (
	"context"
	"fmt"
	"os"
	"sync"

	"github.com/silentrefresh/silentrefresh/internal/update"
)

var (
	inProcess update.Locks // by path; whoever has it competes with other processes
	inKernel  queue
)

// Lock locks the file at path, which is created if need be and stays for ever: to delete it would let a second
// holder in. Only the kernel knows who holds it, so it is free as soon as its holder is gone. Lock waits until ctx
// ends. The lock is held until release is called, which must happen once.
func Lock(ctx context.Context, path string) (release func(), err error) {
	leave, err := inProcess.Lock(ctx, path)
	if err != nil {
		return nil, err
	}
	l, err := inKernel.lock(ctx, path)
	if err != nil {
		leave()
		return nil, err
	}
	return func() { l.unlock(); leave() }, nil
}

// queue is where this process waits for others. Waiting in the kernel is fair and ends the moment the lock is
// free, but it can't be interrupted. So whoever gives up leaves his wait behind, for the next one who wants the
// same lock, or for nobody: then the lock is released as soon as it is granted. There is one wait for each path.
type queue struct {
	mu    sync.Mutex
	waits map[string]*wait
}

// wait is one call of the kernel that waits for a lock.
type wait struct {
	lock    *handle
	granted chan error
	wanted  bool
}

// lock takes the lock of path. Its caller holds the one within the process.
func (q *queue) lock(ctx context.Context, path string) (*handle, error) {
	for {
		w := q.join(path)
		select {
		case err := <-w.granted:
			if err != nil {
				return nil, err
			}
			if isCurrent(w.lock) {
				return w.lock, nil
			}
			w.lock.unlock()
		case <-ctx.Done():
			q.giveUp(w)
			return nil, fmt.Errorf("waiting for another process to release it: %w", context.Cause(ctx))
		}
	}
}

// join returns the wait for path that was left behind, or a new one.
func (q *queue) join(path string) *wait {
	q.mu.Lock()
	defer q.mu.Unlock()
	if w := q.waits[path]; w != nil {
		w.wanted = true
		return w
	}
	w := &wait{lock: &handle{path: path}, granted: make(chan error, 1), wanted: true}
	if locked, err := w.lock.tryLock(); locked || err != nil {
		w.granted <- err
		return w
	}
	if q.waits == nil {
		q.waits = map[string]*wait{}
	}
	q.waits[path] = w
	go q.wait(path, w)
	return w
}

func (q *queue) wait(path string, w *wait) {
	err := w.lock.lock()
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.waits, path)
	w.granted <- err
	if !w.wanted {
		w.refuse()
	}
}

func (q *queue) giveUp(w *wait) {
	q.mu.Lock()
	defer q.mu.Unlock()
	w.wanted = false
	w.refuse()
}

// refuse releases the lock if it was granted.
func (w *wait) refuse() {
	select {
	case err := <-w.granted:
		if err == nil {
			w.lock.unlock()
		}
	default:
	}
}

// isCurrent reports whether the file that was locked is still the one to lock: somebody may have deleted it.
func isCurrent(l *handle) bool {
	locked, err := l.stat()
	if err != nil {
		return false
	}
	now, err := os.Stat(l.path)
	return err == nil && os.SameFile(locked, now)
}
