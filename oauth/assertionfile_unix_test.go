//go:build !windows

package oauth

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/silentrefresh/silentrefresh/internal/privatefile"
)

// TestF92_AssertionFiles: what a platform mounts is a link, and is read; a pipe is not waited for, nor a file without end
// read.
func TestF92_AssertionFiles(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(
		os.Mkdir(at("..2026"), 0o755), os.WriteFile(at("..2026/token"), []byte("e30.e30.x\n"), 0o644), os.Symlink("..2026", at("..data")),
		os.Symlink("..data/token", at("token")), syscall.Mkfifo(at("pipe"), 0o600), os.WriteFile(at("endless"), nil, 0o600), os.Truncate(at("endless"), 1<<40),
	); err != nil {
		t.Fatal(err)
	}
	if text, err := readAssertion("assertion", at("token")); text != "e30.e30.x" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := readAssertion("assertion", at("pipe")); !errors.Is(err, privatefile.ErrNoFile) {
		t.Errorf("a pipe: %v", err)
	}
	if _, err := readAssertion("assertion", at("endless")); err == nil || !strings.Contains(err.Error(), "no assertion") {
		t.Errorf("a file without end: %v", err)
	}
	if _, err := readAssertion("assertion", at("none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("none: %v", err)
	}
}
