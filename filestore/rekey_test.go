package filestore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/silentrefresh/silentrefresh/seal"
)

// keysOf are the keys of a folder that is getting a new key.
func keysOf(dir string) []seal.Key {
	return []seal.Key{KeyFile(filepath.Join(dir, "sessions.key.new-one")), KeyFile(filepath.Join(dir, keyFile))}
}

func sources(t *testing.T, s *Store) map[string]int {
	t.Helper()
	all, err := s.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, info := range all {
		count[filepath.Base(info.Source)]++
	}
	return count
}

func fill(t *testing.T, s *Store, n int) {
	t.Helper()
	for i := range n {
		put(t, s, fmt.Sprint("session ", i), fmt.Sprint("value ", i))
	}
}

func TestRekey(t *testing.T) {
	dir := t.TempDir()
	old := open(t, dir)
	fill(t, old, 3)
	put(t, old, "over", "")
	s := open(t, dir, keysOf(dir)...)
	put(t, s, "session 0", "value 0")
	if got := sources(t, s); got["sessions.key"] != 4 {
		t.Errorf("before Rekey, records have the keys %v: each must keep its own", got)
	}
	put(t, s, "new", "value")
	if n, err := s.Rekey(t.Context()); n != 4 || err != nil {
		t.Errorf("Rekey changed %d records, %v, want 4", n, err)
	}
	if got := sources(t, s); got["sessions.key.new-one"] != 5 || len(got) != 1 {
		t.Errorf("after Rekey, records have the keys %v", got)
	}
	if n, err := s.Rekey(t.Context()); n != 0 || err != nil {
		t.Errorf("Rekey changed %d records again, %v", n, err)
	}
	if err := os.Remove(filepath.Join(dir, keyFile)); err != nil {
		t.Fatal(err)
	}
	fresh := open(t, dir, keysOf(dir)[0])
	for i := range 3 {
		holds(t, fresh, fmt.Sprint("session ", i), fmt.Sprint("value ", i))
	}
	if got, err := fresh.Load(t.Context(), "over"); got == nil || len(got) != 0 || err != nil {
		t.Errorf("the tombstone became %q, %v", got, err)
	}
	_, err := old.Load(t.Context(), "session 1") // it does not have the new key
	says(t, err, "needs the key in file", "sessions.key.new-one", "has only the key in file")
}

// TestRekeyWhileInUse: sessions stay readable and writable all the time.
func TestRekeyWhileInUse(t *testing.T) {
	dir := t.TempDir()
	fill(t, open(t, dir), 10)
	s, user := open(t, dir, keysOf(dir)...), open(t, dir, keysOf(dir)...)
	ctx, stop := context.WithCancel(t.Context())
	var users sync.WaitGroup
	for range 4 {
		users.Go(func() {
			for i := 0; ctx.Err() == nil; i = (i + 1) % 10 {
				key, value := fmt.Sprint("session ", i), fmt.Sprint("value ", i)
				if err := save(t.Context(), user, key, value); err != nil {
					t.Error(err)
				}
				if got, err := user.Load(t.Context(), key); err != nil || string(got) != value {
					t.Errorf("Load gave %q, %v", got, err)
				}
			}
		})
	}
	n, err := s.Rekey(t.Context())
	stop()
	users.Wait()
	if n != 10 || err != nil {
		t.Errorf("Rekey changed %d records, %v, want 10", n, err)
	}
	if got := sources(t, s); len(got) != 1 || got["sessions.key.new-one"] != 10 {
		t.Errorf("records have the keys %v", got)
	}
}

func roleRekey(dir string) error {
	s, err := Open(Config{Dir: dir, Keys: keysOf(dir)})
	if err != nil {
		return err
	}
	fmt.Println("begun")
	_, err = s.Rekey(context.Background())
	return err
}

// TestRekeyCanBeInterrupted: wherever it is killed, every record has one key or the other, and is finished later.
func TestRekeyCanBeInterrupted(t *testing.T) {
	dir := t.TempDir()
	const n = 20
	fill(t, open(t, dir), n)
	p := start(t, "rekey", dir)
	p.line(t)
	s := open(t, dir, keysOf(dir)...)
	for sources(t, s)["sessions.key.new-one"] == 0 {
	}
	p.kill()
	between := sources(t, s)
	if between["sessions.key"] == 0 || between["sessions.key.new-one"] == 0 {
		t.Skipf("it was not caught halfway: %v", between)
	}
	for i := range n {
		holds(t, s, fmt.Sprint("session ", i), fmt.Sprint("value ", i))
	}
	if changed, err := s.Rekey(t.Context()); changed != between["sessions.key"] || err != nil {
		t.Errorf("the second Rekey changed %d records, %v, want %d", changed, err, between["sessions.key"])
	}
}

// TestRekeyGoesOnPastDamage, and says which records it could not change.
func TestRekeyGoesOnPastDamage(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, keysOf(dir)...)
	fill(t, open(t, dir), 3)
	if err := os.WriteFile(s.Path("session 1"), []byte("damage"), 0o600); err != nil {
		t.Fatal(err)
	}
	n, err := s.Rekey(t.Context())
	if n != 2 || !errors.Is(err, seal.ErrDamaged) {
		t.Errorf("Rekey changed %d records, %v, want 2 and ErrDamaged", n, err)
	}
	says(t, err, s.Path("session 1"))
}

// TestRekeyInsistsOnFirstKey: it must not quietly settle for the second.
func TestRekeyInsistsOnFirstKey(t *testing.T) {
	dir := t.TempDir()
	fill(t, open(t, dir), 1)
	gone := seal.KeyEnv("FILESTORE_TEST_UNSET")
	_, err := open(t, dir, gone, KeyFile(filepath.Join(dir, keyFile))).Rekey(t.Context())
	if !errors.Is(err, seal.ErrUnavailable) {
		t.Errorf("Rekey: %v, want ErrUnavailable", err)
	}
}

func TestList(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if all, err := s.List(t.Context()); len(all) != 0 || err != nil {
		t.Errorf("an empty folder lists %v, %v", all, err)
	}
	put(t, s, key, "value")
	put(t, s, "over", "")
	nokeys := open(t, dir, seal.KeyEnv("FILESTORE_TEST_UNSET")) // no key is needed
	all, err := nokeys.List(t.Context())
	if err != nil || len(all) != 2 {
		t.Fatalf("List gave %v, %v", all, err)
	}
	for _, info := range all {
		if info.Key != key && info.Key != "over" || info.Empty != (info.Key == "over") ||
			!strings.HasPrefix(info.Source, "file ") {
			t.Errorf("List has %+v", info)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.List(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("List with a cancelled context: %v", err)
	}
}

func TestListNamesWhatItCanNotRead(t *testing.T) {
	s := open(t, t.TempDir())
	fill(t, s, 2)
	if err := os.Rename(s.Path("session 1"), s.Path("moved")); err != nil {
		t.Fatal(err)
	}
	all, err := s.List(t.Context())
	if len(all) != 1 || all[0].Key != "session 0" || !errors.Is(err, seal.ErrName) {
		t.Errorf("List gave %v, %v", all, err)
	}
	says(t, err, s.Path("moved"))
}

// TestF94_AKeyIsChangedUnderItsUsualName: the old one stays at hand until every record has the new one.
func TestF94_AKeyIsChangedUnderItsUsualName(t *testing.T) {
	dir, old, next := t.TempDir(), seal.FormatKey(seal.NewKey()), seal.FormatKey(seal.NewKey())
	t.Setenv(EnvKey, old)
	put(t, open(t, dir), key, "value")

	t.Setenv(EnvKey, next)
	says(t, untouched(t, open(t, dir), key), "the key that is there now is another one", EnvKey+"_OLD")

	t.Setenv(EnvKey+"_OLD", old)
	s := open(t, dir)
	holds(t, s, key, "value")
	put(t, s, key, "next")
	put(t, s, "new", "value")
	if n, err := s.Rekey(t.Context()); n != 1 || err != nil {
		t.Errorf("Rekey: %d, %v, want the record with the old key", n, err)
	}

	t.Setenv(EnvKey+"_OLD", "")
	s = open(t, dir)
	holds(t, s, key, "next")
	holds(t, s, "new", "value")
}
