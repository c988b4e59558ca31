package filestore

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// mount mounts a small file system of its own, which takes a right that only some tests have.
func mount(t *testing.T, options string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("this test has to mount a file system: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// remount makes the file system at dir read-only, or writable.
func remount(t *testing.T, dir string, flags uintptr) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|flags, ""); err != nil {
		t.Fatal(err)
	}
}

// TestF41_FullDisk: on a disk that is really full, a save says so and leaves the record as it was; when there is
// space again, the very same Update can save.
func TestF41_FullDisk(t *testing.T) {
	s := open(t, filepath.Join(mount(t, "size=64k"), "sessions"))
	put(t, s, key, "before")
	ballast := filepath.Join(s.dir, "ballast")
	err := s.Update(t.Context(), key, func(_ context.Context, _ []byte, save func([]byte) error) error {
		if err := save([]byte("intent")); err != nil {
			t.Errorf("with space: %v", err)
		}
		fillDisk(t, ballast)
		err := save([]byte(strings.Repeat("result", 2000)))
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("save: %v, want ENOSPC", err)
		}
		says(t, err, "filestore: save "+s.Path(key), "no space left on device", "free some space")
		holds(t, s, key, "intent")
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		return save([]byte("result"))
	})
	if err != nil {
		t.Fatal(err)
	}
	holds(t, s, key, "result")
	if left, _ := filepath.Glob(filepath.Join(s.dir, "*.new")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func fillDisk(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 1024))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

// TestF41_FullDiskForFirstRecord: without space for a key, nothing is begun.
func TestF41_FullDiskForFirstRecord(t *testing.T) {
	s := open(t, filepath.Join(mount(t, "size=64k"), "sessions"))
	fillDisk(t, filepath.Join(s.dir, "ballast"))
	err := s.Update(t.Context(), key, func(context.Context, []byte, func([]byte) error) error {
		t.Error("Update called fn")
		return nil
	})
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Update: %v, want ENOSPC", err)
	}
	says(t, err, keyFile, "free some space")
}

func TestF41_ReadOnlyFileSystem(t *testing.T) {
	dir := mount(t, "size=256k")
	s := open(t, filepath.Join(dir, "sessions"))
	put(t, s, key, "before")
	err := s.Update(t.Context(), key, func(_ context.Context, _ []byte, save func([]byte) error) error {
		remount(t, dir, syscall.MS_RDONLY)
		return save([]byte("after"))
	})
	if !errors.Is(err, syscall.EROFS) {
		t.Errorf("save: %v, want EROFS", err)
	}
	says(t, err, s.Path(key), "read-only file system", "can be written")
	holds(t, s, key, "before") // reading goes on
	holds(t, open(t, s.dir), key, "before")

	err = save(t.Context(), s, "new", "value")
	if !errors.Is(err, syscall.EROFS) {
		t.Errorf("Update of a new record: %v, want EROFS", err)
	}
	remount(t, dir, 0)
	put(t, s, key, "after")
}

// asNobody makes this goroutine's thread another user in all that concerns files, until the test ends. The folder
// that dir is in lets him through.
func asNobody(t *testing.T, dir string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("this test has to become another user, which takes root")
	}
	chmod(t, filepath.Dir(dir), 0o755)
	runtime.LockOSThread()
	if err := syscall.Setfsuid(65534); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Setfsuid(0); err != nil {
			t.Error(err)
		}
		runtime.UnlockOSThread()
	})
}

// TestF41_ForeignFolder: without permission nothing is begun.
func TestF41_ForeignFolder(t *testing.T) {
	s := open(t, t.TempDir())
	put(t, s, key, "value")
	asNobody(t, s.dir)
	for what, err := range map[string]error{
		"Load":   func() error { _, err := s.Load(t.Context(), key); return err }(),
		"Update": save(t.Context(), s, key, "next"),
		"new":    save(t.Context(), s, "new", "value"),
		"List":   func() error { _, err := s.List(t.Context()); return err }(),
	} {
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: %v, want ErrPermission", what, err)
		}
		says(t, err, s.dir, "accessible to this user")
	}
}

// TestF41_UnwritableFolder: the record can be read, and not replaced.
func TestF41_UnwritableFolder(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	put(t, s, key, "value")
	for _, name := range []string{s.Path(key), s.Path(key) + lockExt, filepath.Join(dir, keyFile)} {
		if err := os.Chown(name, 65534, -1); err != nil {
			t.Skipf("this test has to give files away: %v", err)
		}
	}
	chmod(t, dir, 0o755)
	asNobody(t, s.dir)
	holds(t, s, key, "value")
	err := save(t.Context(), s, key, "next")
	if !errors.Is(err, fs.ErrPermission) {
		t.Errorf("save: %v, want ErrPermission", err)
	}
	says(t, err, s.Path(key), "permission denied")
	holds(t, s, key, "value")
}

// TestF50_ForeignLooseFileIsRefused: what can't be tightened is not used.
func TestF50_ForeignLooseFileIsRefused(t *testing.T) {
	s := open(t, t.TempDir())
	put(t, s, key, "value")
	chmod(t, s.Path(key), 0o644)
	chmod(t, s.dir, 0o755)
	asNobody(t, s.dir)
	_, err := s.Load(t.Context(), key)
	says(t, err, s.Path(key), "others can read it", "rw-r--r--")
}

// TestF45_MountedFile: a file that is a mount point can't be replaced, and the error says what to do.
func TestF45_MountedFile(t *testing.T) {
	s := open(t, t.TempDir())
	put(t, s, key, "before")
	outside := filepath.Join(t.TempDir(), "record")
	b, err := os.ReadFile(s.Path(key))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(outside, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount(outside, s.Path(key), "", syscall.MS_BIND, ""); err != nil {
		t.Skipf("this test has to mount a file: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(s.Path(key), syscall.MNT_DETACH) })
	holds(t, s, key, "before")
	err = save(t.Context(), s, key, "after")
	if !errors.Is(err, syscall.EBUSY) {
		t.Errorf("save: %v, want EBUSY", err)
	}
	says(t, err, s.Path(key), "mount the folder instead")
	holds(t, s, key, "before")
}

// TestF95_AProbeNoticesTheDisk: one that is full, and one that is read-only.
func TestF95_AProbeNoticesTheDisk(t *testing.T) {
	dir := mount(t, "size=128k")
	s := open(t, filepath.Join(dir, "sessions"))
	put(t, s, key, "value")
	if err := s.Probe(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	ballast := filepath.Join(s.dir, "ballast")
	fillDisk(t, ballast)
	err := s.Probe(t.Context(), key)
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("full: %v", err)
	}
	says(t, err, "free some space")
	if left, _ := filepath.Glob(filepath.Join(s.dir, "*.new")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	remount(t, dir, syscall.MS_RDONLY)
	if err := s.Probe(t.Context(), key); !errors.Is(err, syscall.EROFS) {
		t.Errorf("read-only: %v", err)
	}
	holds(t, s, key, "value")
}
