package filestore

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/silentrefresh/silentrefresh/internal/filelock"
)

// lock takes the lock of the file at path, which is on another file: the one at path is replaced all the time.
func lock(ctx context.Context, path string) (release func(), err error) {
	release, err = filelock.Lock(ctx, path+lockExt)
	if err != nil {
		if ctx.Err() == nil {
			err = orGone(filepath.Dir(path), err)
		}
		return nil, fail("lock", path+lockExt, err)
	}
	return release, nil
}

// writeBeside writes b, durably, to a new file in the folder of path, and returns its name.
func writeBeside(path string, b []byte) (name string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*"+besideExt) // 0600
	if err != nil {
		return "", orGone(filepath.Dir(path), err)
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

// sweep removes what a process left behind that was killed between writing beside path and renaming. The lock is
// held, so nobody is writing there now.
func sweep(path string) error {
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
