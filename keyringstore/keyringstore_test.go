package keyringstore

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zalando/go-keyring"

	"github.com/silentrefresh/silentrefresh/filestore"
	"github.com/silentrefresh/silentrefresh/seal"
)

// mock makes the keychain one in memory, which is empty.
func mock(t *testing.T) {
	t.Helper()
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	keyring.MockInit()
}

func TestKeyIsMadeAndKept(t *testing.T) {
	mock(t)
	k := Key("myapp")
	if got, err := k.Get(t.Context(), false); !errors.Is(err, seal.ErrNoKey) || got != nil {
		t.Errorf("without a key: gave %x, %v, want ErrNoKey", got, err)
	}
	made, err := k.Get(t.Context(), true)
	if err != nil || len(made) != seal.KeySize {
		t.Fatalf("making a key: %d bytes, %v", len(made), err)
	}
	for _, create := range []bool{false, true} {
		if got, err := Key("myapp").Get(t.Context(), create); err != nil || !bytes.Equal(got, made) {
			t.Errorf("the key is another one later, %v", err)
		}
	}
	other, err := Key("other app").Get(t.Context(), true)
	if err != nil || bytes.Equal(other, made) {
		t.Errorf("two services have the same key, %v", err)
	}
}

// TestKeyIsMadeOnce: whoever is second uses what the first one made. The mock keychain is not safe for concurrent
// use, so that the race detector sees whether the lock is held.
func TestKeyIsMadeOnce(t *testing.T) {
	mock(t)
	var mu sync.Mutex
	keys := map[string]bool{}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			k := &keychain{service: "myapp", turn: make(chan struct{}, 1)}
			key, err := k.make(t.Context())
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			keys[string(key)] = true
		})
	}
	all.Wait()
	if len(keys) != 1 {
		t.Errorf("%d keys were made, want 1", len(keys))
	}
}

func TestForeignEntryIsNotOverwritten(t *testing.T) {
	mock(t)
	if err := keyring.Set("myapp", user, "hunter2"); err != nil {
		t.Fatal(err)
	}
	_, err := Key("myapp").Get(t.Context(), true)
	if err == nil || errors.Is(err, seal.ErrUnavailable) || !strings.Contains(err.Error(), `"myapp"`) {
		t.Errorf("gave %v, want an error that names the entry and does not lead to another key", err)
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error has the secret: %v", err)
	}
	if got, _ := keyring.Get("myapp", user); got != "hunter2" {
		t.Errorf("the entry is %q now", got)
	}
}

// TestF44_LongSession: the keychain holds a key of 32 bytes, however long the session is.
func TestF44_LongSession(t *testing.T) {
	mock(t)
	s, err := filestore.Open(filestore.Config{Dir: t.TempDir(), Keys: []seal.Key{Key("myapp")}})
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("cookie=8KB;", 6000)
	err = s.Update(t.Context(), "name", func(_ context.Context, _ []byte, save func([]byte) error) error {
		return save([]byte(long))
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Load(t.Context(), "name"); err != nil || string(got) != long {
		t.Errorf("Load gave %d bytes, %v", len(got), err)
	}
	if entry, err := keyring.Get("myapp", user); err != nil || len(entry) > 64 {
		t.Errorf("the keychain has %d bytes, %v", len(entry), err)
	}
	if got := s.Where("name"); got != "encrypted file, key in OS keychain" {
		t.Errorf("Where: %q", got)
	}
}

// TestWithoutKeychainTheNextKeyIsUsed, aloud; and the record keeps it when the keychain is back.
func TestWithoutKeychainTheNextKeyIsUsed(t *testing.T) {
	mock(t)
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv(filestore.EnvKey, "")
	var said bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&said, nil)))
	defer slog.SetDefault(before)
	save := func() string {
		s, err := filestore.Default("myapp", Key("myapp"))
		if err != nil {
			t.Fatal(err)
		}
		err = s.Update(t.Context(), "name", func(_ context.Context, _ []byte, save func([]byte) error) error {
			return save([]byte("value"))
		})
		if err != nil {
			t.Fatal(err)
		}
		return s.Where("name")
	}
	keyring.MockInitWithError(errors.New("The name org.freedesktop.secrets was not provided by any .service files"))
	where := save()
	if !strings.HasPrefix(where, "encrypted file, key in file ") {
		t.Errorf("Where: %q, want the key file", where)
	}
	for _, part := range []string{"key in file", "OS keychain", "org.freedesktop.secrets"} {
		if !strings.Contains(said.String(), part) {
			t.Errorf("said %q, which does not name %q", said.String(), part)
		}
	}
	keyring.MockInit()
	if got := save(); got != where {
		t.Errorf("with a keychain the record moved from %q to %q", where, got)
	}
}

func TestErrNoKeychain(t *testing.T) {
	mock(t)
	cause := errors.New("dbus: locked")
	keyring.MockInitWithError(cause)
	_, err := Key("myapp").Get(t.Context(), true)
	for _, want := range []error{ErrNoKeychain, seal.ErrUnavailable, cause} {
		if !errors.Is(err, want) {
			t.Errorf("%v is not %v", err, want)
		}
	}
}

func TestNoBus(t *testing.T) {
	mock(t)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	if reachable() == nil {
		t.Skip("there is a session bus, or this system needs none")
	}
	_, err := Key("myapp").Get(t.Context(), true)
	if !errors.Is(err, ErrNoKeychain) || !strings.Contains(err.Error(), "SSH") {
		t.Errorf("gave %v, want ErrNoKeychain and why", err)
	}
}

// TestSilentKeychain: a keychain that hangs costs three seconds, once, however often it is asked; when it responds
// after all, it is asked again.
func TestSilentKeychain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keychain{service: "myapp", turn: make(chan struct{}, 1)}
		want := seal.NewKey()
		hang := make(chan struct{})
		hanging := func() ([]byte, error) { <-hang; return want, nil }
		begun := time.Now()
		for range 5 {
			if _, err := k.ask(t.Context(), hanging); !errors.Is(err, ErrNoKeychain) || !strings.Contains(err.Error(), "3s") {
				t.Errorf("gave %v, want ErrNoKeychain after 3s", err)
			}
		}
		if took := time.Since(begun); took != Patience {
			t.Errorf("asking 5 times took %v, want %v", took, Patience)
		}
		close(hang)
		synctest.Wait()
		if got, err := k.ask(t.Context(), hanging); err != nil || !bytes.Equal(got, want) {
			t.Errorf("after it had responded: %v", err)
		}
	})
}

// TestCallerGivesUp: that a caller is impatient says nothing about the keychain.
func TestCallerGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keychain{service: "myapp", turn: make(chan struct{}, 1)}
		slow := func() ([]byte, error) { time.Sleep(1200 * time.Millisecond); return seal.NewKey(), nil }
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := k.ask(ctx, slow); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrNoKeychain) {
			t.Errorf("gave %v, want DeadlineExceeded alone", err)
		}
		if _, err := k.ask(t.Context(), slow); err != nil {
			t.Errorf("the next one: %v", err)
		}
	})
}

func TestNoCacheFolderIsSaid(t *testing.T) {
	mock(t)
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	if _, err := os.UserCacheDir(); err == nil {
		t.Skip("this system always has a folder for caches")
	}
	if _, err := Key("myapp").Get(t.Context(), true); err == nil || !strings.Contains(err.Error(), "making of a key") {
		t.Errorf("gave %v, want why there is no key", err)
	}
}
