//go:build !windows

package filestore

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/privatefile"
)

// specials put something else than a small file at a path.
var specials = map[string]struct {
	put func(path string) error
	is  error
}{
	"a pipe":     {func(path string) error { return syscall.Mkfifo(path, 0o600) }, privatefile.ErrNoFile},
	"a folder":   {func(path string) error { return os.Mkdir(path, 0o700) }, privatefile.ErrNoFile},
	"a device":   {func(path string) error { return syscall.Mknod(path, syscall.S_IFCHR|0o600, 1<<8|5) }, privatefile.ErrNoFile}, // /dev/zero
	"a socket":   {func(path string) error { return syscall.Mknod(path, syscall.S_IFSOCK|0o600, 0) }, privatefile.ErrNoFile},
	"a terabyte": {sparse, privatefile.ErrTooLarge},
}

func sparse(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(1<<40), f.Close())
}

// soon fails the test if do takes long.
func soon(t *testing.T, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); do() }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("it waits")
	}
}

// TestF92_WhatIsNoFileIsNeitherWaitedForNorRead: not in the place of a record, of its key, or of its lock.
func TestF92_WhatIsNoFileIsNeitherWaitedForNorRead(t *testing.T) {
	for place, path := range map[string]func(*Store) string{
		"record": func(s *Store) string { return s.Path(key) },
		"key":    func(s *Store) string { return filepath.Join(s.dir, keyFile) },
		"lock":   func(s *Store) string { return s.Path(key) + lockExt },
	} {
		for what, special := range specials {
			t.Run(place+" is "+what, func(t *testing.T) {
				dir := t.TempDir()
				put(t, open(t, dir), key, "value")
				s := open(t, dir)
				if err := os.Remove(path(s)); err != nil {
					t.Fatal(err)
				}
				if err := special.put(path(s)); err != nil {
					t.Skip(err)
				}
				soon(t, func() { checkSpecial(t, s, place, path(s), special.is) })
			})
		}
	}
}

func checkSpecial(t *testing.T, s *Store, place, path string, want error) {
	err := s.Update(t.Context(), key, func(context.Context, []byte, func([]byte) error) error { return nil })
	if place == "lock" {
		if want == privatefile.ErrTooLarge { // nobody reads what is in a lock
			want = nil
		}
		if !errors.Is(err, want) {
			t.Errorf("Update: %v, want %v", err, want)
		}
		return
	}
	if !errors.Is(err, want) {
		t.Errorf("Update: %v, want %v", err, want)
	}
	says(t, err, path)
	if got, err := s.Load(t.Context(), key); got != nil || !errors.Is(err, want) {
		t.Errorf("Load gave %d bytes, %v", len(got), err)
	}
	if place == "record" {
		if _, err := s.List(t.Context()); !errors.Is(err, want) {
			t.Errorf("List: %v", err)
		}
		s.Where(key)
	}
}

// TestF92_ARecordThatCouldNotBeReadAgainIsNotSaved: what bounds reading bounds writing.
func TestF92_ARecordThatCouldNotBeReadAgainIsNotSaved(t *testing.T) {
	s := open(t, t.TempDir())
	put(t, s, key, "value")
	if err := save(t.Context(), s, key, string(make([]byte, privatefile.MaxSize))); !errors.Is(err, privatefile.ErrTooLarge) {
		t.Errorf("save: %v, want ErrTooLarge", err)
	}
	holds(t, s, key, "value")
}

// TestF91_ALinkThatAnotherUserHasPutThereIsNotFollowed: neither read nor written through.
func TestF91_ALinkThatAnotherUserHasPutThereIsNotFollowed(t *testing.T) {
	s, outside := open(t, t.TempDir()), filepath.Join(t.TempDir(), "outside")
	link := filepath.Join(s.dir, fileName(key))
	if err := os.Symlink(outside, link); err != nil {
		t.Fatal(err)
	}
	if err := os.Lchown(link, 65534, -1); err != nil {
		t.Skipf("this test has to give a link away: %v", err)
	}
	if err := save(t.Context(), s, key, "value"); !errors.Is(err, privatefile.ErrNoFile) {
		t.Errorf("save: %v, want ErrNoFile", err)
	}
	if _, err := os.Lstat(outside); err == nil {
		t.Error("written through the link")
	}
}
