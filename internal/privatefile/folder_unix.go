//go:build !windows

package privatefile

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
)

// What a full, read-only or mounted place says.
const (
	errFull     = syscall.ENOSPC
	errQuota    = syscall.EDQUOT
	errReadOnly = syscall.EROFS
	errBusy     = syscall.EBUSY
)

// Everybody's permissions but the owner's.
const (
	others      = 0o077
	othersWrite = 0o022
)

// closeFolder closes dir to others, and says so if there was anything to see. A folder with other things in it, or
// one that is meant to be shared, like /tmp, is not for us to change.
func closeFolder(dir string, ours func(string) bool, log *slog.Logger) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&others == 0 {
		return nil
	}
	empty, err := onlyOurs(dir, ours)
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSticky != 0 {
		return ErrOpen
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return err
	}
	if empty {
		log = slog.New(slog.DiscardHandler)
	}
	return tightened(dir, info, func() (fs.FileInfo, error) { return os.Stat(dir) }, log)
}

// closeFile closes f to others, and says so.
func closeFile(f *os.File, info fs.FileInfo, log *slog.Logger) error {
	if info.Mode().Perm()&others == 0 {
		return nil
	}
	if err := f.Chmod(0o600); err != nil {
		return fmt.Errorf("others can read it (%v): %w", info.Mode().Perm(), err)
	}
	return tightened(f.Name(), info, f.Stat, log)
}

// tightened looks whether the change was one: some file systems only pretend.
func tightened(path string, before fs.FileInfo, stat func() (fs.FileInfo, error), log *slog.Logger) error {
	now, err := stat()
	if err != nil {
		return err
	}
	if now.Mode().Perm()&others != 0 {
		return fmt.Errorf("others can read it (%v), and this file system does not let that be changed: %w",
			now.Mode().Perm(), fs.ErrPermission)
	}
	log.Warn("others could read "+path+": its permissions are tightened now",
		"from", before.Mode().Perm().String(), "to", now.Mode().Perm().String())
	return nil
}

// checkAuthor fails if others may have written the file.
func checkAuthor(path string, info fs.FileInfo) error {
	if info.Mode().Perm()&othersWrite != 0 {
		return fmt.Errorf("%w: its permissions are %v", ErrForeign, info.Mode().Perm())
	}
	return checkOwner(path, info)
}

// checkOwner fails if another user has put path there, as anybody can in a folder that is open. Root is no other, and
// neither is who owns the folder: a container has folders of its host.
func checkOwner(path string, info fs.FileInfo) error {
	folder, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	if by := owner(info); by != os.Geteuid() && by != 0 && by != owner(folder) {
		return fmt.Errorf("%w: it belongs to another user", ErrForeign)
	}
	return nil
}

// checkPlace fails if another user has put dir, or a link, in the place of the folder.
func checkPlace(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	parent, err := os.Stat(filepath.Dir(dir))
	if err != nil {
		return err
	}
	if system(info).Dev != system(parent).Dev {
		return nil // a file system is mounted there, as a container's volumes are, and may have users of its own
	}
	return checkOwner(dir, info)
}

func owner(info fs.FileInfo) int { return int(system(info).Uid) }

func system(info fs.FileInfo) *syscall.Stat_t { return info.Sys().(*syscall.Stat_t) }

func lstat(path string) (fs.FileInfo, error) { return os.Lstat(path) }

// openFile neither waits for what is no file nor follows a link to it.
func openFile(path string, flag int) (*os.File, error) {
	return os.OpenFile(path, flag|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0o600)
}

// replace puts the file at beside in the place of the one at path, at once.
func replace(beside, path string) error { return os.Rename(beside, path) }

// syncFolder makes a rename in dir durable.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) { // EINVAL: this file system needs none
		return err
	}
	return nil
}
