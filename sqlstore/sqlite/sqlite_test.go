package sqlite

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

func TestOpenCreatesWhatIsClosedToOthers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a folder? 100%#1")
	path := filepath.Join(dir, "sessions.db")
	db, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE t (n INTEGER)"); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{dir: 0o700, path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != mode && runtime.GOOS != "windows" {
			t.Errorf("%s has mode %v, want %v", filepath.Base(name), got, mode)
		}
	}
}

func TestSettings(t *testing.T) {
	db, err := Open(filepath.Join(t.TempDir(), "sessions.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for pragma, want := range map[string]string{"journal_mode": "wal", "busy_timeout": "10000", "synchronous": "2"} {
		var got string
		if err := db.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s, want %s (%v)", pragma, got, want, err)
		}
	}
}

// Processes that start together open, and create, the same file: none may find it busy, however long the others take.
func TestOpenTogether(t *testing.T) {
	for range 20 {
		path := filepath.Join(t.TempDir(), "sessions.db")
		start := make(chan struct{})
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				<-start
				db, err := Open(path)
				if err != nil {
					t.Error(err)
					return
				}
				defer db.Close()
				if _, err := db.Exec("CREATE TABLE IF NOT EXISTS t (n INTEGER)"); err != nil {
					t.Error(err)
				}
			})
		}
		close(start)
		all.Wait()
	}
}

// A file that is gone, with a volume that was unmounted, or to make room for another, is an error to the connections
// that come later. A new one would be a second database, whose sessions fork those of the first.
func TestAFileThatIsGoneIsNotReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	db, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxIdleConns(0)
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("CREATE TABLE t (n INTEGER)"); err == nil {
		t.Error("there is no error")
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("there is another file")
	}
	if err := os.Rename(path+".away", path); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("CREATE TABLE t (n INTEGER)"); err != nil {
		t.Errorf("when it is back: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"", ":memory:", filepath.Join(file, "sessions.db")} {
		if db, err := Open(path); err == nil || db != nil || !strings.HasPrefix(err.Error(), "sqlite: ") {
			t.Errorf("Open(%q) gave %v", path, err)
		}
	}
}
