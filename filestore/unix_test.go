//go:build !windows

package filestore

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestF50_OnlyTheUserCanRead, even if the umask lets everybody do everything.
func TestF50_OnlyTheUserCanRead(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	dir := filepath.Join(t.TempDir(), "myapp", "sessions")
	s := open(t, dir)
	put(t, s, key, "value")
	for path, want := range map[string]os.FileMode{
		filepath.Dir(dir): 0o700, dir: 0o700,
		s.Path(key): 0o600, s.Path(key) + lockExt: 0o600, filepath.Join(dir, keyFile): 0o600,
	} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has %v, %v, want %v", path, info.Mode().Perm(), err, want)
		}
	}
}

// said is a log to look into.
func said() (*slog.Logger, *bytes.Buffer) {
	var b bytes.Buffer
	return slog.New(slog.NewTextHandler(&b, nil)), &b
}

func perm(t *testing.T, path string) os.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// TestF50_LoosePermissionsAreTightened, once, and aloud.
func TestF50_LoosePermissionsAreTightened(t *testing.T) {
	log, said := said()
	s := openLogged(t, t.TempDir(), log)
	put(t, s, key, "value")
	chmod(t, s.Path(key), 0o644)
	for range 2 {
		holds(t, s, key, "value")
	}
	if perm(t, s.Path(key)) != 0o600 || strings.Count(said.String(), s.Path(key)) != 1 {
		t.Errorf("a file with 0644 has %v now, said: %s", perm(t, s.Path(key)), said)
	}
	said.Reset()
	chmod(t, s.dir, 0o755)
	for range 2 {
		holds(t, openLogged(t, s.dir, log), key, "value")
	}
	if perm(t, s.dir) != 0o700 || strings.Count(said.String(), s.dir) != 1 || !strings.Contains(said.String(), "rwxr-xr-x") {
		t.Errorf("a folder with 0755 has %v now, said: %s", perm(t, s.dir), said)
	}
}

func TestF50_LooseKeyFileIsTightened(t *testing.T) {
	log, said := said()
	before := slog.Default()
	slog.SetDefault(log)
	defer slog.SetDefault(before)
	dir := t.TempDir()
	put(t, open(t, dir), key, "value")
	file := filepath.Join(dir, keyFile)
	chmod(t, file, 0o666)
	holds(t, open(t, dir), key, "value")
	if perm(t, file) != 0o600 || !strings.Contains(said.String(), file) {
		t.Errorf("a key file with 0666 has %v now, said: %s", perm(t, file), said)
	}
}

// TestF50_SharedFolderIsRefused: to close somebody's project, or /tmp, would do more harm than good.
func TestF50_SharedFolderIsRefused(t *testing.T) {
	project := t.TempDir()
	if err := os.WriteFile(filepath.Join(project, "main.go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	chmod(t, project, 0o755)
	sticky := t.TempDir()
	chmod(t, sticky, 0o777|os.ModeSticky)
	for _, dir := range []string{project, sticky} {
		before := perm(t, dir)
		_, err := Open(Config{Dir: dir})
		says(t, err, dir, "others can enter", "chmod 700")
		if perm(t, dir) != before {
			t.Errorf("the permissions of %s were changed", dir)
		}
	}
	chmod(t, project, 0o700)
	put(t, open(t, project), key, "value") // as the error says
}

// TestF45_LinksAreFollowed: the file that a link names is replaced, not the link.
func TestF45_LinksAreFollowed(t *testing.T) {
	real, s := t.TempDir(), open(t, t.TempDir())
	link := filepath.Join(s.dir, fileName(key))
	rel, err := filepath.Rel(s.dir, filepath.Join(real, "hop"))
	if err != nil {
		t.Fatal(err)
	}
	for target, link := range map[string]string{rel: link, "record": filepath.Join(real, "hop")} {
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := s.Load(t.Context(), key); got != nil || err != nil {
		t.Errorf("a link to nothing: Load gave %q, %v, want nothing", got, err)
	}
	for _, value := range []string{"first", "second"} {
		put(t, s, key, value)
		holds(t, s, key, value)
	}
	for _, link := range []string{link, filepath.Join(real, "hop")} {
		if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
			t.Errorf("%s is no link any more: %v", link, err)
		}
	}
	if all, err := s.List(t.Context()); len(all) != 1 || all[0].Key != key || err != nil {
		t.Errorf("List gave %v, %v", all, err)
	}
}

func TestF45_LinkedFolder(t *testing.T) {
	real, link := t.TempDir(), filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	put(t, open(t, link), key, "value")
	holds(t, open(t, real), key, "value")
}

func TestLinksInACircleAreAnError(t *testing.T) {
	s := open(t, t.TempDir())
	if err := os.Symlink(fileName(key), filepath.Join(s.dir, fileName(key))); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Load(t.Context(), key); err == nil {
		t.Errorf("Load gave %q and no error", got)
	}
}
