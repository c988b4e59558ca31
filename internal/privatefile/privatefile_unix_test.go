//go:build !windows

package privatefile

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

var silent = slog.New(slog.DiscardHandler)

// written is a file with that mode.
func written(t *testing.T, mode fs.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestF91_WhatOthersCanChangeIsNotBelieved, unless a seal shows who wrote it.
func TestF91_WhatOthersCanChangeIsNotBelieved(t *testing.T) {
	for mode, believed := range map[fs.FileMode]bool{
		0o600: true, 0o400: true, 0o640: true, 0o644: true, 0o700: true, 0o660: false, 0o606: false, 0o666: false, 0o777: false, 0o620: false,
	} {
		path := written(t, mode)
		got, err := ReadPlain(path, silent)
		if believed != (err == nil) || !believed && !errors.Is(err, ErrForeign) || believed && string(got) != "text" {
			t.Errorf("%v: %q, %v", mode, got, err)
		}
		if info, err := os.Stat(path); err != nil || believed && info.Mode().Perm()&others != 0 || !believed && info.Mode().Perm() != mode {
			t.Errorf("%v became %v, %v", mode, info.Mode(), err)
		}
		if got, err := Read(path, silent); err != nil || string(got) != "text" {
			t.Errorf("%v, sealed: %q, %v", mode, got, err)
		}
	}
}

// TestF91_AFileThatAnotherUserHasPutThereIsNotBelieved: in a folder that was open, anybody could.
func TestF91_AFileThatAnotherUserHasPutThereIsNotBelieved(t *testing.T) {
	path := written(t, 0o600)
	if err := os.Chown(path, 65534, -1); err != nil {
		t.Skipf("this test has to give a file away: %v", err)
	}
	if _, err := ReadPlain(path, silent); !errors.Is(err, ErrForeign) {
		t.Errorf("a stranger's file: %v, want ErrForeign", err)
	}
	if err := os.Chown(filepath.Dir(path), 65534, -1); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadPlain(path, silent); err != nil {
		t.Errorf("in a folder of the same user's: %v", err)
	}
}

// TestF91_AFolderThatAnotherUserHasPutThereIsNotUsed, nor a link to one, be it to a folder of ours.
func TestF91_AFolderThatAnotherUserHasPutThereIsNotUsed(t *testing.T) {
	none := func(string) bool { return true }
	top, own := t.TempDir(), t.TempDir()
	dir, link := filepath.Join(top, "dir"), filepath.Join(top, "link")
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Symlink(own, link)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, link} {
		if _, err := MakeFolder(path, none, silent); err != nil {
			t.Errorf("ours: %v", err)
		}
		if err := os.Lchown(path, 65534, -1); err != nil {
			t.Skipf("this test has to give a folder away: %v", err)
		}
	}
	for _, path := range []string{dir, link} {
		if _, err := MakeFolder(path, none, silent); !errors.Is(err, ErrForeign) {
			t.Errorf("a stranger's: %v", err)
		}
	}
	if err := os.Chown(top, 65534, -1); err != nil {
		t.Fatal(err)
	}
	if _, err := MakeFolder(dir, none, silent); err != nil {
		t.Errorf("one of whom the folder around it belongs to: %v", err)
	}
}

// TestF91_WritingGoesThroughNoLink: neither one in the place of the file, nor one that was planted for what is written
// beside it.
func TestF91_WritingGoesThroughNoLink(t *testing.T) {
	dir, victim := t.TempDir(), written(t, 0o600)
	path := filepath.Join(dir, "file")
	for _, name := range []string{"file", "file.new", "file.tmp", "file.0.new"} {
		if err := os.Symlink(victim, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := Try(path, 100); !errors.Is(err, ErrNoFile) {
		t.Errorf("Try: %v, want ErrNoFile", err)
	}
	if err := Replace(path, []byte("secret"), nil); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(victim); string(b) != "text" {
		t.Errorf("written through a link: %q, %v", b, err)
	}
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() || info.Mode().Perm() != 0o600 {
		t.Errorf("written as %v, %v", info.Mode(), err)
	}
}

func TestReplaceIsAllOrNothing(t *testing.T) {
	path := written(t, 0o600)
	refused := errors.New("no")
	if err := Replace(path, []byte("next"), func() error { return refused }); err != refused {
		t.Errorf("Replace: %v", err)
	}
	if err := Replace(path, make([]byte, MaxSize+1), nil); err != ErrTooLarge {
		t.Errorf("Replace with too much: %v", err)
	}
	if b, err := Read(path, silent); string(b) != "text" {
		t.Errorf("now %q, %v", b, err)
	}
	if err := Try(path, 1000); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("left are %v", left)
	}
}

func TestSetAside(t *testing.T) {
	dir := t.TempDir()
	path, target := filepath.Join(dir, "file"), written(t, 0o600)
	for what, put := range map[string]func() error{
		"a file":   func() error { return os.WriteFile(path, nil, 0o600) },
		"a folder": func() error { return os.MkdirAll(filepath.Join(path, "full"), 0o700) },
		"a pipe":   func() error { return syscall.Mkfifo(path, 0o600) },
		"a link":   func() error { return os.Symlink(target, path) },
	} {
		if err := put(); err != nil {
			t.Fatal(err)
		}
		aside, err := SetAside(path)
		if err != nil || !strings.HasPrefix(aside, path+".aside") {
			t.Errorf("%s: %q, %v", what, aside, err)
		}
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", what, err)
		}
		if _, err := os.Lstat(aside); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := os.Stat(target); err != nil {
		t.Errorf("the target of the link: %v", err)
	}
	if _, err := SetAside(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing: %v", err)
	}
	if err := Remove(path); err != nil {
		t.Errorf("Remove of nothing: %v", err)
	}
}

// TestMakeFolder: what was open is closed, and said, but not where somebody else has things.
func TestMakeFolder(t *testing.T) {
	var said bytes.Buffer
	log := slog.New(slog.NewTextHandler(&said, nil))
	ours := func(name string) bool { return strings.HasSuffix(name, ".ours") }
	dir := filepath.Join(t.TempDir(), "a", "b")
	if _, err := MakeFolder(dir, ours, log); err != nil || said.Len() != 0 {
		t.Fatal(err, said.String())
	}
	for name, want := range map[string]error{"x.ours": nil, "theirs": ErrOpen} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		if name == "theirs" {
			said.Reset()
		}
		_, err := MakeFolder(dir, ours, log)
		if !errors.Is(err, want) || strings.Contains(said.String(), dir) != (want == nil) {
			t.Errorf("with %s: %v, said %s", name, err, &said)
		}
		os.Remove(filepath.Join(dir, name))
	}
}
