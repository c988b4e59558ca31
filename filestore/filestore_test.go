package filestore

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/seal"
	"github.com/silentrefresh/silentrefresh/storetest"
)

// key is a session's, as a Client makes it.
const key = "https://api.example.com|default"

// open opens a store in a folder of its own, and fails the test if it has something to say that no one reads.
func open(t testing.TB, dir string, keys ...seal.Key) *Store {
	t.Helper()
	return openLogged(t, dir, slog.New(slog.NewTextHandler(failing{t}, nil)), keys...)
}

func openLogged(t testing.TB, dir string, log *slog.Logger, keys ...seal.Key) *Store {
	t.Helper()
	s, err := Open(Config{Dir: dir, Keys: keys, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// failing is a log that should stay empty.
type failing struct{ t testing.TB }

func (f failing) Write(b []byte) (int, error) {
	f.t.Errorf("the store said: %s", b)
	return len(b), nil
}

func put(t testing.TB, s *Store, key, value string) {
	t.Helper()
	if err := save(t.Context(), s, key, value); err != nil {
		t.Fatal(err)
	}
}

func save(ctx context.Context, s *Store, key, value string) error {
	return s.Update(ctx, key, func(_ context.Context, _ []byte, save func([]byte) error) error {
		return save([]byte(value))
	})
}

func holds(t testing.TB, s *Store, key, want string) {
	t.Helper()
	if got, err := s.Load(t.Context(), key); err != nil || string(got) != want {
		t.Fatalf("Load gave %.80q, %v, want %.80q", got, err, want)
	}
}

// says checks that err tells all of what a person needs.
func says(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("the error %q does not say %q", err, p)
		}
	}
}

func TestStore(t *testing.T) {
	storetest.Suite{
		Open:  func(t *testing.T) storetest.Store { return open(t, t.TempDir()) },
		Again: func(t *testing.T, s storetest.Store) storetest.Store { return open(t, s.(*Store).dir) },
	}.Run(t)
}

func TestDefault(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv(EnvKey, "")
	s, err := Default("myapp")
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, key, "value")
	config, err := os.UserConfigDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(config, "myapp", "sessions")
	if got := filepath.Dir(s.Path(key)); got != dir {
		t.Errorf("sessions are in %s, want %s", got, dir)
	}
	if got, want := s.Where(key), "encrypted file, key in file "+filepath.Join(dir, "sessions.key"); got != want {
		t.Errorf("Where: %q, want %q", got, want)
	}
	again, err := Default("myapp")
	if err != nil {
		t.Fatal(err)
	}
	holds(t, again, key, "value")
}

func TestDefaultRefusesNamesThatAreNoFolder(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	for _, app := range []string{"", ".", "..", ".hidden", "a/b", `a\b`, "c:x", "/etc", "--", "../x"} {
		if _, err := Default(app); err == nil {
			t.Errorf("Default(%q) opened a store", app)
		}
	}
	for _, app := range []string{"myapp", "My App", "com.example.app", "app_2"} {
		if _, err := Default(app); err != nil {
			t.Errorf("Default(%q): %v", app, err)
		}
	}
}

func TestDefaultWithoutHomeSaysWhatToDo(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", "")
	t.Setenv("HOME", "")
	t.Setenv("AppData", "")
	_, err := Default("myapp")
	says(t, err, "filestore.Open")
}

func TestOpenNeedsFolder(t *testing.T) {
	_, err := Open(Config{})
	says(t, err, "Config.Dir", "filestore.Default")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Open(Config{Dir: file})
	says(t, err, file, "not a directory")
}

// TestNothingInTheClear: neither the content nor the key is in any file, but for the key's own.
func TestNothingInTheClear(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(EnvKey, seal.FormatKey(seal.NewKey()))
	s := open(t, dir)
	put(t, s, key, "a very secret refresh token")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 2 {
		t.Errorf("the folder has %v, want the record and its lock", entries)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"secret", "refresh", os.Getenv(EnvKey)} {
			if bytes.Contains(b, []byte(secret)) {
				t.Errorf("%s has %q in the clear", e.Name(), secret)
			}
		}
	}
}

// TestUpdateDoesNotBeginWithoutKey: the key is there before anything is spent.
func TestUpdateDoesNotBeginWithoutKey(t *testing.T) {
	none := seal.Key{Source: "nowhere", Get: func(context.Context, bool) ([]byte, error) {
		return nil, seal.ErrUnavailable
	}}
	s := open(t, t.TempDir(), none)
	err := s.Update(t.Context(), key, func(context.Context, []byte, func([]byte) error) error {
		t.Error("fn was called")
		return nil
	})
	if !errors.Is(err, seal.ErrUnavailable) {
		t.Errorf("Update: %v, want ErrUnavailable", err)
	}
	says(t, err, s.Path(key), "no key to encrypt with", "filestore.KeyFile")
}

// TestF38_LoadIsCheap: whoever waits for a lock looks at the record meanwhile; keys are asked for once.
func TestF38_LoadIsCheap(t *testing.T) {
	asked := 0
	k := seal.NewKey()
	s := open(t, t.TempDir(), seal.Key{Source: "a test", Get: func(context.Context, bool) ([]byte, error) {
		asked++
		return k, nil
	}})
	put(t, s, key, "value")
	for range 100 {
		holds(t, s, key, "value")
	}
	if asked != 1 {
		t.Errorf("the key was asked for %d times", asked)
	}
}

func TestConflict(t *testing.T) {
	s := open(t, t.TempDir())
	put(t, s, key, "first")
	err := s.Update(t.Context(), key, func(_ context.Context, _ []byte, save func([]byte) error) error {
		if err := os.Remove(s.Path(key) + lockExt); err != nil { // somebody tidies up, and so lets another in
			t.Fatal(err)
		}
		start(t, "save", s.dir).line(t)
		return save([]byte("mine"))
	})
	c, ok := errors.AsType[interface {
		error
		Conflict() bool
	}](err)
	if !ok || !c.Conflict() {
		t.Errorf("save: %v, want a conflict", err)
	}
	says(t, err, s.Path(key), "lock files")
	holds(t, s, key, "another's")
}

// TestLeftoversAreSwept: what a killed writer leaves behind goes with the next Update of the same record.
func TestLeftoversAreSwept(t *testing.T) {
	s := open(t, t.TempDir())
	put(t, s, key, "value")
	put(t, s, "other", "value")
	for _, path := range []string{s.Path(key), s.Path("other")} {
		if err := os.WriteFile(path+".1.new", []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(t, s, key, "next")
	left, err := filepath.Glob(filepath.Join(s.dir, "*.new"))
	if err != nil || len(left) != 1 || !strings.HasPrefix(left[0], s.Path("other")) {
		t.Errorf("left are %q, %v, want the other record's alone", left, err)
	}
}

func TestFileNames(t *testing.T) {
	for in, want := range map[string]string{
		"https://api.example.com|default": "https-api-example-com-default-",
		"ÄÖ":                              "-",
		"../../etc/passwd":                "etc-passwd-",
		strings.Repeat("Long ", 100):      strings.Repeat("long-", 16),
	} {
		got := fileName(in)
		if !strings.HasPrefix(got, want) || !filepath.IsLocal(got) || strings.ContainsAny(got, `/\: `) || len(got) > 130 {
			t.Errorf("fileName(%.40q) = %q, want %q...", in, got, want)
		}
		if !ours(got) || !ours(got+lockExt) {
			t.Errorf("%q is not recognized", got)
		}
	}
	if fileName("a") == fileName("A") || strings.EqualFold(fileName("a"), fileName("A")) {
		t.Error("two keys have the same file where a is A")
	}
}
