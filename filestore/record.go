package filestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/silentrefresh/silentrefresh/seal"
)

// record is the record under one key, as it was read and as it will be saved.
type record struct {
	store   *Store
	key     string
	path    string
	sealed  []byte // nil: there is no file
	content []byte
	sealer  *seal.Sealer // for the next save
}

// read reads the record.
func (r *record) read(ctx context.Context) (err error) {
	if r.sealed, err = readFile(r.path, r.store.log); err != nil || r.sealed == nil {
		return err
	}
	r.content, r.sealer, err = r.store.ring.Open(ctx, r.key, r.sealed)
	return err
}

// edit reads the record and finds the key for the next one: without it nothing should be begun. The lock is held.
func (r *record) edit(ctx context.Context) error {
	if err := sweep(r.path); err != nil {
		return err
	}
	if err := r.read(ctx); err != nil || r.sealer != nil {
		return err
	}
	var err error
	if r.sealer, err = r.store.ring.New(ctx); err != nil {
		return fail("encrypt", r.path, err)
	}
	return nil
}

// save makes content the record. The lock is held, and yet the record may have been changed: somebody has deleted
// the lock file, or the locks of this file system are not worth their name.
func (r *record) save(content []byte) error {
	next, err := r.sealer.Seal(r.key, content)
	if err != nil {
		return err
	}
	beside, err := writeBeside(r.path, next)
	if err != nil {
		return err
	}
	defer os.Remove(beside) // if it is still there
	now, err := readFile(r.path, r.store.log)
	if err != nil {
		return err
	}
	if !bytes.Equal(now, r.sealed) {
		return errConflict
	}
	if err := replace(beside, r.path); err != nil {
		return err
	}
	r.sealed = next
	return syncFolder(filepath.Dir(r.path))
}

// readFile reads a file that others must not be able to read. It returns nil if there is none in a folder that
// exists.
func readFile(path string, log *slog.Logger) ([]byte, error) {
	f, err := openFile(path)
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
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: it is %v", errNoFile, info.Mode().Type())
	}
	if err := closeFile(f, info, log); err != nil {
		return nil, err
	}
	b := bytes.NewBuffer(make([]byte, 0, info.Size()+bytes.MinRead))
	_, err = b.ReadFrom(f)
	return b.Bytes(), err
}

// checkFolder tells "nothing there" from "nowhere".
func checkFolder(dir string) error {
	_, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrFolderGone
	}
	return err
}

// orGone is err, or that dir is gone, if that is why.
func orGone(dir string, err error) error {
	if gone := checkFolder(dir); gone != nil {
		return gone
	}
	return err
}
