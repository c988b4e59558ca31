package filestore

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/silentrefresh/silentrefresh/internal/privatefile"
	"github.com/silentrefresh/silentrefresh/seal"
)

// probeSize is what Probe writes: more than a session takes, its intent included.
const probeSize = 32 << 10

// Probe finds out whether a save under key would succeed, before something is spent on what is to be saved: it takes the
// lock, gets the key that the record would be encrypted with, and writes beside the record. It does not say whether the
// present record can be read. A program that asks a person to log in, and ends soon after, calls it before: a Client keeps
// in memory what could not be saved.
func (s *Store) Probe(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	path := s.Path(key)
	unlock, err := lock(ctx, path)
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := s.ring.New(ctx); err != nil {
		return fail("encrypt", path, err)
	}
	if err := privatefile.Try(path, probeSize); err != nil && !Unreadable(err) {
		return fail("save", path, err)
	}
	return nil
}

// Unreadable reports whether err says that a record cannot be read as it is, whoever tries again: it is damaged, of another
// program or name, or its key cannot be had. Other errors, like a missing permission, may pass.
//
// Client.Token fails with such an error, and Client.Login sets the record aside: a program that logs in only where nobody is
// logged in does so here, too, or its user is locked out until the file is gone.
func Unreadable(err error) bool {
	if ke, ok := errors.AsType[*seal.KeyError](err); ok {
		return !errors.Is(ke.Err, context.Canceled) && !errors.Is(ke.Err, context.DeadlineExceeded)
	}
	for _, is := range []error{seal.ErrDamaged, seal.ErrVersion, seal.ErrName, privatefile.ErrNoFile, privatefile.ErrTooLarge} {
		if errors.Is(err, is) {
			return true
		}
	}
	return false
}

// SetAside makes room for a login where key has a record that is Unreadable: it is renamed, and stays beside its place for
// whoever can bring back its key. SetAside returns the new name and why it was not read; "" and nil if there is no such
// record.
func (s *Store) SetAside(ctx context.Context, key string) (aside string, why, err error) {
	why, err = s.onUnreadable(ctx, key, func(path string) (err error) {
		aside, err = privatefile.SetAside(path)
		return err
	})
	return aside, why, err
}

// Discard removes the record of key if it is Unreadable, and returns why it was not read; nil if there is no such record. A
// session that can be read is logged out of.
func (s *Store) Discard(ctx context.Context, key string) (why, err error) {
	return s.onUnreadable(ctx, key, privatefile.Remove)
}

// onUnreadable calls do under the lock, with the path of key's record, if that is unreadable. A link is not followed: what
// it leads to need not be ours.
func (s *Store) onUnreadable(ctx context.Context, key string, do func(path string) error) (why, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r := record{store: s, key: key, path: s.Path(key)}
	unlock, err := lock(ctx, r.path)
	if err != nil {
		return nil, err
	}
	defer unlock()
	why = r.read(ctx)
	if why == nil {
		return nil, nil
	}
	why = fail("read", r.path, why)
	if !Unreadable(why) {
		return nil, why
	}
	if err := do(filepath.Join(s.dir, fileName(key))); err != nil {
		return nil, fail("set aside", r.path, err)
	}
	return why, nil
}
