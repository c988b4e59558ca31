package privatefile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// besideExt is what the name of a file ends with that is being written.
const besideExt = ".new"

// Replace makes content the file at path, durably. When it is written and only to be renamed, may is asked, unless it is
// nil: with its error, everything stays as it was.
func Replace(path string, content []byte, may func() error) error {
	if len(content) > MaxSize {
		return ErrTooLarge // it could not be read again
	}
	beside, err := writeBeside(path, content)
	if err != nil {
		return err
	}
	defer os.Remove(beside) // if it is still there
	if may != nil {
		if err := may(); err != nil {
			return err
		}
	}
	if err := replace(beside, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// Try finds out whether Replace would succeed with size bytes: everything is done but the renaming.
func Try(path string, size int) error {
	if err := mayReplace(path); err != nil {
		return err
	}
	beside, err := writeBeside(path, make([]byte, size))
	if err != nil {
		return err
	}
	return os.Remove(beside)
}

// mayReplace fails where something is in the place of a file.
func mayReplace(path string) error {
	info, err := lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return regular(info)
}

// writeBeside writes b, durably, to a new file in the folder of path, and returns its name.
func writeBeside(path string, b []byte) (name string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*"+besideExt) // O_EXCL, 0600
	if err != nil {
		return "", OrGone(filepath.Dir(path), err)
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// Sweep removes what a process left behind that was killed between writing beside path and renaming. Whoever calls it has
// the lock, so nobody is writing there now.
func Sweep(path string) error {
	dir, base := filepath.Split(path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if name := e.Name(); strings.HasPrefix(name, base+".") && strings.HasSuffix(name, besideExt) {
			os.Remove(filepath.Join(dir, name)) // if it can't be removed, it does no harm
		}
	}
	return nil
}

// Remove removes the file at path, durably. It is no error if there is none.
func Remove(path string) error {
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// SetAside renames what is at path, whatever it is, to a name beside it that is free, which it returns.
func SetAside(path string) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".aside*")
	if err != nil {
		return "", OrGone(filepath.Dir(path), err)
	}
	aside := f.Name()
	err = errors.Join(f.Close(), os.Remove(aside)) // a folder can't be renamed to a file
	if err == nil {
		err = os.Rename(path, aside)
	}
	if err != nil {
		return "", err
	}
	return aside, syncFolder(filepath.Dir(path))
}
