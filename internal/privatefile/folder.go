package privatefile

import (
	"log/slog"
	"os"
	"path/filepath"
)

// MakeFolder makes sure that dir exists and is closed to others, and returns its path with links resolved. One that others
// can enter is closed to them, which log is told; but only if everything in it is ours by its name: to close somebody's
// project, or /tmp, would do more harm than good, and is an ErrOpen. One that another user has put there is an ErrForeign.
func MakeFolder(dir string, ours func(name string) bool, log *slog.Logger) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	if err := checkPlace(dir); err != nil {
		return "", err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", err
	}
	return dir, closeFolder(dir, ours, log)
}

// onlyOurs fails if dir holds other things than ours, and reports whether it holds nothing at all.
func onlyOurs(dir string, ours func(string) bool) (empty bool, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		if !ours(e.Name()) {
			return false, ErrOpen
		}
	}
	return len(entries) == 0, nil
}
