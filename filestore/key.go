package filestore

import (
	"context"
	"log/slog"
	"path/filepath"

	"github.com/silentrefresh/silentrefresh/internal/privatefile"
	"github.com/silentrefresh/silentrefresh/seal"
)

// KeyFile is the key in a file of its own, readable by its user alone. It is made, once, when the first record
// needs it; processes that start at the same moment end up with the same key. Permissions that had to be tightened
// are said by slog.Default().
func KeyFile(path string) seal.Key {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return seal.Key{Source: "file " + path, Get: func(ctx context.Context, create bool) ([]byte, error) {
		path := privatefile.Resolve(path)
		key, err := readKey(path)
		if err == nil && key == nil {
			if !create {
				return nil, seal.ErrNoKey
			}
			key, err = makeKey(ctx, path)
		}
		if err != nil {
			return nil, fail("read the key in", path, err)
		}
		return key, nil
	}}
}

// readKey returns nil if there is no file.
func readKey(path string) ([]byte, error) {
	text, err := privatefile.Read(path, slog.Default())
	if err != nil || text == nil {
		return nil, err
	}
	return seal.ParseKey(string(text))
}

func makeKey(ctx context.Context, path string) ([]byte, error) {
	release, err := lock(ctx, path)
	if err != nil {
		return nil, err
	}
	defer release()
	if key, err := readKey(path); err != nil || key != nil {
		return key, err // somebody else has made it meanwhile
	}
	if err := privatefile.Sweep(path); err != nil {
		return nil, err
	}
	key := seal.NewKey()
	return key, privatefile.Replace(path, []byte(seal.FormatKey(key)+"\n"), nil)
}
