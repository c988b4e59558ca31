package filestore

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/silentrefresh/silentrefresh/internal/privatefile"
	"github.com/silentrefresh/silentrefresh/seal"
)

// Info is what can be known of a record without its key.
type Info struct {
	// Key is what the record is kept under.
	Key string
	// Source is where the key is that the record is encrypted with.
	Source string
	// Empty: somebody has logged out; what is left is a tombstone.
	Empty bool
}

// List lists the records, without any key. If some can't be read, it returns the others with an error that names
// each.
func (s *Store) List(ctx context.Context) ([]Info, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fail("list", s.dir, privatefile.OrGone(s.dir, err))
	}
	var all []Info
	var errs []error
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), recordExt) {
			continue
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if info, err := s.inspect(e.Name()); err == nil {
			all = append(all, info)
		} else {
			errs = append(errs, fail("list", filepath.Join(s.dir, e.Name()), err))
		}
	}
	return all, errors.Join(errs...)
}

func (s *Store) inspect(name string) (Info, error) {
	sealed, err := privatefile.Read(privatefile.Resolve(filepath.Join(s.dir, name)), s.log)
	if err != nil {
		return Info{}, err
	}
	h, err := seal.ReadHeader(sealed)
	if err == nil && fileName(h.Name) != name {
		err = seal.ErrName
	}
	return Info{Key: h.Name, Source: h.Source, Empty: h.Empty}, err
}

// Rekey encrypts every record with the first of Config.Keys, and returns how many it changed. To change a key,
// put the new one before the old one, in all programs that share the folder; call Rekey; when it has returned
// without an error, the old one can go.
//
// Each record is changed at once and under its lock, and can be read before and after, so sessions stay in use
// meanwhile. If it is interrupted, call it again.
func (s *Store) Rekey(ctx context.Context) (changed int, err error) {
	to, err := s.ring.First(ctx)
	if err != nil {
		return 0, fail("rekey", s.dir, err)
	}
	all, err := s.List(ctx)
	errs := []error{err}
	for _, info := range all {
		did, err := s.rekey(ctx, info.Key, to)
		if did {
			changed++
		}
		errs = append(errs, err)
	}
	return changed, errors.Join(errs...)
}

func (s *Store) rekey(ctx context.Context, key string, to *seal.Sealer) (changed bool, err error) {
	r := record{store: s, key: key, path: s.Path(key)}
	unlock, err := lock(ctx, r.path)
	if err != nil {
		return false, err
	}
	defer unlock()
	if err := r.read(ctx); err != nil {
		return false, fail("rekey", r.path, err)
	}
	if r.sealer == to || r.sealed == nil {
		return false, nil
	}
	r.sealer = to
	if err := r.save(r.content); err != nil {
		return false, fail("rekey", r.path, err)
	}
	return true, nil
}
