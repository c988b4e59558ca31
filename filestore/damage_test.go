package filestore

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/silentrefresh/silentrefresh/internal/privatefile"
	"github.com/silentrefresh/silentrefresh/seal"
)

// untouched checks that neither Load nor Update takes what is at path for a session or for none, that Update does
// not begin, and that the file stays as it is. It returns the error of Load.
func untouched(t *testing.T, s *Store, key string) error {
	t.Helper()
	before, _ := os.ReadFile(s.Path(key))
	got, err := s.Load(t.Context(), key)
	if err == nil || got != nil {
		t.Errorf("Load gave %q, %v, want an error", got, err)
	}
	updateErr := s.Update(t.Context(), key, func(context.Context, []byte, func([]byte) error) error {
		t.Error("Update called fn")
		return nil
	})
	if updateErr == nil {
		t.Error("Update succeeded")
	}
	if after, _ := os.ReadFile(s.Path(key)); string(after) != string(before) {
		t.Error("the file was changed")
	}
	return err
}

// TestF39_CutRecordIsAnError: cut short at every byte, a record is an error, and never a logout.
func TestF39_CutRecordIsAnError(t *testing.T) {
	s := open(t, t.TempDir())
	put(t, s, key, "value")
	whole, err := os.ReadFile(s.Path(key))
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if err := os.WriteFile(s.Path(key), whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if err := untouched(t, s, key); !errors.Is(err, seal.ErrDamaged) {
			t.Fatalf("cut to %d bytes: %v, want ErrDamaged", n, err)
		}
	}
	says(t, untouched(t, s, key), "filestore: read "+s.Path(key), "damaged", "log in again")
}

func TestF39_ForeignRecordIsAnError(t *testing.T) {
	s := open(t, t.TempDir())
	path := s.Path(key)
	for _, c := range []struct {
		what  string
		spoil func(t *testing.T)
		is    error
		says  string
	}{
		{"another session's", func(t *testing.T) {
			put(t, s, "other", "value")
			if err := os.Rename(s.Path("other"), path); err != nil {
				t.Fatal(err)
			}
		}, seal.ErrName, "moved or copied here"},
		{"another version", func(t *testing.T) {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			b[4]++
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}, seal.ErrVersion, "newer version"},
		{"a folder", func(t *testing.T) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, privatefile.ErrNoFile, "out of the way"},
	} {
		t.Run(c.what, func(t *testing.T) {
			os.Remove(path)
			put(t, s, key, "value")
			c.spoil(t)
			err := untouched(t, s, key)
			if !errors.Is(err, c.is) {
				t.Errorf("Load: %v, want %v", err, c.is)
			}
			says(t, err, path, c.says)
		})
	}
}

// TestF39_OtherKeyIsAnError: the record says which key it needs.
func TestF39_OtherKeyIsAnError(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(EnvKey, seal.FormatKey(seal.NewKey()))
	put(t, open(t, dir), key, "value")

	t.Setenv(EnvKey, seal.FormatKey(seal.NewKey()))
	s := open(t, dir)
	says(t, untouched(t, s, key), s.Path(key), "needs the key in environment variable SILENTREFRESH_KEY",
		"is another one", "bring the key back")

	t.Setenv(EnvKey, "")
	err := untouched(t, open(t, dir), key)
	says(t, err, "needs the key in environment variable SILENTREFRESH_KEY", "only the key in file")
	if ke, ok := errors.AsType[*seal.KeyError](err); !ok || ke.Source != "environment variable SILENTREFRESH_KEY" {
		t.Errorf("the error has %+v, want a KeyError", ke)
	}
	if _, err := os.Stat(filepath.Join(dir, keyFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a key file was made although there was nothing to encrypt")
	}

	t.Setenv(EnvKey, "hunter2")
	s = open(t, dir)
	says(t, untouched(t, s, key), "SILENTREFRESH_KEY", "32 random bytes")
	says(t, save(t.Context(), s, "new", "value"), "SILENTREFRESH_KEY", "32 random bytes")
}

func TestF39_LostKeyFileIsAnError(t *testing.T) {
	dir := t.TempDir()
	put(t, open(t, dir), key, "value")
	file := filepath.Join(dir, keyFile)
	if err := os.Rename(file, file+".bak"); err != nil {
		t.Fatal(err)
	}
	says(t, untouched(t, open(t, dir), key), "needs the key in file "+file, "there is no key", "bring the key back")
	if err := os.WriteFile(file, []byte("damage"), 0o600); err != nil {
		t.Fatal(err)
	}
	says(t, untouched(t, open(t, dir), key), "not a key")
	if err := os.Rename(file+".bak", file); err != nil {
		t.Fatal(err)
	}
	holds(t, open(t, dir), key, "value")
}

// TestMovedFolderTakesItsKeyAlong although the records name the old place.
func TestMovedFolderTakesItsKeyAlong(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "old")
	put(t, open(t, dir), key, "value")
	moved := filepath.Join(t.TempDir(), "new")
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	s := open(t, moved)
	holds(t, s, key, "value")
	put(t, s, key, "next")
	if got, want := s.Where(key), "encrypted file, key in file "+filepath.Join(moved, keyFile); got != want {
		t.Errorf("Where: %q, want %q", got, want)
	}
}

// TestF41_RemovedFolderIsAnError, and is not made again behind the back of whoever removed it.
func TestF41_RemovedFolderIsAnError(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "sessions"))
	put(t, s, key, "value")
	err := s.Update(t.Context(), key, func(_ context.Context, _ []byte, save func([]byte) error) error {
		if err := os.RemoveAll(s.dir); err != nil {
			t.Fatal(err)
		}
		return save([]byte("next"))
	})
	if !errors.Is(err, ErrFolderGone) {
		t.Errorf("save: %v, want ErrFolderGone", err)
	}
	says(t, err, s.dir, "does not exist any more")
	for what, err := range map[string]error{
		"Load and Update": untouched(t, s, key),
		"Load of nothing": untouched(t, s, "nothing"),
		"List":            func() error { _, err := s.List(t.Context()); return err }(),
	} {
		if !errors.Is(err, ErrFolderGone) {
			t.Errorf("%s: %v, want ErrFolderGone", what, err)
		}
	}
	if _, err := os.Stat(s.dir); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the folder was made again")
	}
}
