package filelock

import (
	"io/fs"
	"os"
	"sync"

	"github.com/silentrefresh/silentrefresh/internal/privatefile"
)

// handle is a file that can be locked. It is opened when it is locked and closed when it is released.
type handle struct {
	path string

	mu sync.Mutex
	f  *os.File // nil while it is not locked
}

// lock waits in the kernel for the exclusive lock.
func (l *handle) lock() error {
	_, err := l.open(true)
	return err
}

// tryLock reports whether the lock was free.
func (l *handle) tryLock() (bool, error) { return l.open(false) }

func (l *handle) open(wait bool) (bool, error) {
	f, err := privatefile.Open(l.path, os.O_CREATE|os.O_RDONLY)
	if err != nil {
		return false, err
	}
	locked, err := lockExclusively(f, wait)
	if err != nil || !locked {
		f.Close()
		return false, err
	}
	l.mu.Lock()
	l.f = f
	l.mu.Unlock()
	return true, nil
}

// unlock releases the lock: the kernel does so when the last handle is closed.
func (l *handle) unlock() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f == nil {
		return nil
	}
	f := l.f
	l.f = nil
	return f.Close()
}

// stat describes the file that is locked, whatever has become of its name.
func (l *handle) stat() (fs.FileInfo, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f == nil {
		return nil, os.ErrClosed
	}
	return l.f.Stat()
}
