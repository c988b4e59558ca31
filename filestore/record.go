package filestore

import (
	"bytes"
	"context"
	"path/filepath"

	"github.com/silentrefresh/silentrefresh/internal/filelock"
	"github.com/silentrefresh/silentrefresh/internal/privatefile"
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
	if r.sealed, err = privatefile.Read(r.path, r.store.log); err != nil || r.sealed == nil {
		return err
	}
	r.content, r.sealer, err = r.store.ring.Open(ctx, r.key, r.sealed)
	return err
}

// edit reads the record and finds the key for the next one: without it nothing should be begun. The lock is held.
func (r *record) edit(ctx context.Context) error {
	if err := privatefile.Sweep(r.path); err != nil {
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
	err = privatefile.Replace(r.path, next, func() error {
		now, err := privatefile.Read(r.path, r.store.log)
		if err == nil && !bytes.Equal(now, r.sealed) {
			err = errConflict
		}
		return err
	})
	if err == nil {
		r.sealed = next
	}
	return err
}

// lock takes the lock of the file at path, which is on another file: the one at path is replaced all the time.
func lock(ctx context.Context, path string) (release func(), err error) {
	release, err = filelock.Lock(ctx, path+lockExt)
	if err != nil {
		if ctx.Err() == nil {
			err = privatefile.OrGone(filepath.Dir(path), err)
		}
		return nil, fail("lock", path+lockExt, err)
	}
	return release, nil
}
