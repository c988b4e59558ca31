package filestore

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// lock takes the lock of the record at path: first within the process, then among processes. It waits until ctx
// ends.
func (s *Store) lock(ctx context.Context, path string) (unlock func(), err error) {
	leave, err := s.locks.Lock(ctx, path)
	if err != nil {
		return nil, err
	}
	release, err := lockFile(ctx, path+lockExt)
	if err != nil {
		leave()
		return nil, err
	}
	return func() { release(); leave() }, nil
}

// lockFile locks the file at path, which is created if need be and stays for ever: to delete it would let a
// second holder in. Only the kernel knows who holds it, so it is free as soon as its holder is gone.
//
// The kernel can be waited for, but not with a context, so the lock is tried again and again.
func lockFile(ctx context.Context, path string) (release func(), err error) {
	l := flock.New(path)
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		locked, err := l.TryLock()
		switch {
		case err != nil:
			if gone := checkFolder(filepath.Dir(path)); gone != nil {
				err = gone
			}
			return nil, fail("lock", path, err)
		case locked:
			return func() { l.Unlock() }, nil
		}
		select {
		case <-time.After(wait/2 + rand.N(wait/2)):
		case <-ctx.Done():
			return nil, fmt.Errorf("filestore: waiting for another process to release %s: %w", path, context.Cause(ctx))
		}
	}
}
