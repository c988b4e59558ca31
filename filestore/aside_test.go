package filestore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/seal"
)

// lost is a keychain that had a key once.
func lost(err error) seal.Key {
	return seal.Key{Source: "OS keychain", Get: func(context.Context, bool) ([]byte, error) { return nil, err }}
}

// TestF93_WhatCannotBeReadIsSetAside, whole and under a name that is said; what can be read stays where it is.
func TestF93_WhatCannotBeReadIsSetAside(t *testing.T) {
	s := open(t, t.TempDir())
	put(t, s, key, "value")
	if aside, why, err := s.SetAside(t.Context(), key); aside != "" || why != nil || err != nil {
		t.Errorf("a sound record: %q, %v, %v", aside, why, err)
	}
	if why, err := s.Discard(t.Context(), key); why != nil || err != nil {
		t.Errorf("a sound record: %v, %v", why, err)
	}
	holds(t, s, key, "value")

	damage(t, s.Path(key))
	aside, why, err := s.SetAside(t.Context(), key)
	if err != nil || !errors.Is(why, seal.ErrDamaged) || !strings.HasPrefix(aside, s.Path(key)+".") {
		t.Fatalf("%q, %v, %v", aside, why, err)
	}
	if b, err := os.ReadFile(aside); string(b) != "damage" {
		t.Errorf("set aside is %q, %v", b, err)
	}
	put(t, s, key, "next")
	holds(t, s, key, "next")
	if all, err := s.List(t.Context()); len(all) != 1 || err != nil {
		t.Errorf("List: %v, %v", all, err)
	}

	damage(t, s.Path(key))
	if why, err := s.Discard(t.Context(), key); !errors.Is(why, seal.ErrDamaged) || err != nil {
		t.Errorf("Discard: %v, %v", why, err)
	}
	if _, err := os.Lstat(s.Path(key)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the record is still there: %v", err)
	}
	holds(t, open(t, s.dir), key, "")
}

func damage(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("damage"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestF93_WhatComesBackIsThere: a record whose key was away for one login is whole beside its place.
func TestF93_WhatComesBackIsThere(t *testing.T) {
	dir, kept := t.TempDir(), seal.NewKey()
	keychain := seal.Key{Source: "OS keychain", Get: func(context.Context, bool) ([]byte, error) { return kept, nil }}
	put(t, open(t, dir, keychain), key, "value")

	s := openLogged(t, dir, slog.New(slog.DiscardHandler), lost(seal.ErrUnavailable), KeyFile(filepath.Join(dir, keyFile)))
	aside, why, err := s.SetAside(t.Context(), key)
	if _, ok := errors.AsType[*seal.KeyError](why); !ok || err != nil {
		t.Fatal(why, err)
	}
	put(t, s, key, "by the file")
	holds(t, s, key, "by the file")
	if err := os.Rename(aside, s.Path(key)); err != nil {
		t.Fatal(err)
	}
	holds(t, open(t, dir, keychain), key, "value")
}

// TestF93_WhatMayPassIsNotSetAside: others might have to log in for it.
func TestF93_WhatMayPassIsNotSetAside(t *testing.T) {
	for err, want := range map[error]bool{
		&seal.KeyError{Source: "x", Err: context.Canceled}:                           false,
		&seal.KeyError{Source: "x", Err: fmt.Errorf("%w", context.DeadlineExceeded)}: false,
		&seal.KeyError{Source: "x", Err: seal.ErrNoKey}:                              true,
		fs.ErrPermission: false, ErrFolderGone: false, context.Canceled: false, errConflict: false,
		fmt.Errorf("read: %w", seal.ErrVersion): true, fail("read", "x", seal.ErrName): true,
	} {
		if Unreadable(err) != want {
			t.Errorf("%v: %t", err, !want)
		}
	}
}

// TestF95_AProbeFindsWhatASaveWould, and leaves nothing behind.
func TestF95_AProbeFindsWhatASaveWould(t *testing.T) {
	dir := t.TempDir()
	broken := errors.New("the making of a key cannot be locked")
	if err := open(t, dir, lost(broken)).Probe(t.Context(), key); !errors.Is(err, broken) {
		t.Errorf("without a key: %v", err)
	}
	s := open(t, dir)
	held := s.Update(t.Context(), key, func(context.Context, []byte, func([]byte) error) error {
		return s.Probe(tired(t), key)
	})
	if !errors.Is(held, context.DeadlineExceeded) {
		t.Errorf("while somebody has the lock: %v", held)
	}
	if err := s.Probe(t.Context(), key); err != nil {
		t.Error(err)
	}
	for _, e := range entries(t, dir) {
		if e != keyFile && e != keyFile+lockExt && e != filepath.Base(s.Path(key))+lockExt {
			t.Errorf("left behind: %s", e)
		}
	}
	damage(t, s.Path(key))
	if err := s.Probe(t.Context(), key); err != nil {
		t.Errorf("beside a damaged record: %v", err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := s.Probe(t.Context(), key); !errors.Is(err, ErrFolderGone) {
		t.Errorf("without the folder: %v", err)
	}
}

func entries(t *testing.T, dir string) (names []string) {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		names = append(names, e.Name())
	}
	return names
}
