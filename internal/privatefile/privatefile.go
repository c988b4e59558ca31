// Package privatefile keeps small files that belong to one user alone: sessions, keys, settings. Whatever it finds in the
// place of one (a pipe, a device, a link that somebody planted, a file without end) is an error, and neither waited for nor
// read.
//
// A file is replaced as a whole: the next one is written beside it under a name that nobody could have put there, forced to
// the disk, and renamed.
package privatefile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
)

// MaxSize is how much a file may hold. A session takes some kilobytes.
const MaxSize = 16 << 20

// How an error of this package is to be taken. They come wrapped.
var (
	// ErrFolderGone: the folder was removed while it was in use. It is not made again: what was in it may come back.
	ErrFolderGone = errors.New("the folder does not exist any more")
	// ErrNoFile: something else than a file is in its place.
	ErrNoFile = errors.New("not a file")
	// ErrTooLarge: the file is longer than MaxSize.
	ErrTooLarge = fmt.Errorf("larger than %d MiB", MaxSize>>20)
	// ErrOpen: others can enter the folder, and it is not one to be closed.
	ErrOpen = errors.New("others can enter the folder, and it holds other things, too")
	// ErrForeign: others may have written what is in the file.
	ErrForeign = errors.New("others may have changed it")
)

// Read reads the file at path, nil if there is none in a folder that exists. A file that others can read is closed to
// them, which log is told.
func Read(path string, log *slog.Logger) ([]byte, error) {
	return read(path, func(f *os.File, info fs.FileInfo) error { return closeFile(f, info, log) })
}

// ReadPlain is Read for what is believed as it stands, because no seal shows who wrote it: what others may have changed is
// an ErrForeign.
func ReadPlain(path string, log *slog.Logger) ([]byte, error) {
	return read(path, func(f *os.File, info fs.FileInfo) error {
		if err := checkAuthor(path, info); err != nil {
			return err
		}
		return closeFile(f, info, log)
	})
}

func read(path string, check func(*os.File, fs.FileInfo) error) ([]byte, error) {
	f, err := Open(path, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, checkFolder(filepath.Dir(path))
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := check(f, info); err != nil {
		return nil, err
	}
	if info.Size() > MaxSize {
		return nil, ErrTooLarge
	}
	b := bytes.NewBuffer(make([]byte, 0, info.Size()+bytes.MinRead))
	if _, err = b.ReadFrom(io.LimitReader(f, MaxSize+1)); err == nil && b.Len() > MaxSize {
		err = ErrTooLarge
	}
	if err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Open opens a file, and nothing else: a pipe would be waited for, and a device might do something. No link is followed.
// With os.O_CREATE, a file that is not there is made, for its user alone.
func Open(path string, flag int) (*os.File, error) {
	info, err := lstat(path)
	switch {
	case err == nil:
		err = regular(info)
	case errors.Is(err, fs.ErrNotExist) && flag&os.O_CREATE != 0:
		err = nil
	}
	if err != nil {
		return nil, err
	}
	f, err := openFile(path, flag)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err == nil {
		err = regular(info) // it may be another one by now
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func regular(info fs.FileInfo) error {
	var is string
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		is = "a folder"
	case mode&fs.ModeSymlink != 0:
		is = "a symbolic link"
	case mode&fs.ModeNamedPipe != 0:
		is = "a pipe"
	case mode&fs.ModeDevice != 0:
		is = "a device"
	default:
		is = mode.Type().String()
	}
	return fmt.Errorf("%w, but %s", ErrNoFile, is)
}

// Resolve follows links from path to the file itself, which need not exist: to rename over a link would replace the link. A
// link that another user has put there is not followed.
func Resolve(path string) string {
	for range 40 { // as the kernel does
		info, err := os.Lstat(path)
		if err != nil || info.Mode()&fs.ModeSymlink == 0 || checkOwner(path, info) != nil {
			break
		}
		target, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
	return path
}

// checkFolder tells "nothing there" from "nowhere".
func checkFolder(dir string) error {
	_, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrFolderGone
	}
	return err
}

// OrGone is err, or that dir is gone, if that is why.
func OrGone(dir string, err error) error {
	if gone := checkFolder(dir); gone != nil {
		return gone
	}
	return err
}
