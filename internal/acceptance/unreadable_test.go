package acceptance

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/authtest"
	"github.com/silentrefresh/silentrefresh/endpoint"
	"github.com/silentrefresh/silentrefresh/filestore"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
	"github.com/silentrefresh/silentrefresh/seal"
)

var _ silentrefresh.Clearer = (*filestore.Store)(nil)

// A record that nobody can read is no dead end: a login sets it aside and is saved, a logout removes it and says that the
// auth server was not told. Nothing else touches it.
func TestF93_AnUnreadableRecordIsNoDeadEnd(t *testing.T) {
	server := authtest.NewServer(t, authtest.Config{})
	dir := t.TempDir()
	warned := make(chan error, 10)
	open := func() (*silentrefresh.Client, string) {
		store, err := filestore.Open(filestore.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		client := newClient(t, server, func(cfg *silentrefresh.Config, _ *endpoint.Settings) {
			cfg.Store = store
			cfg.Observe = func(ev silentrefresh.Event) {
				if ev.Kind == silentrefresh.EventWarning && strings.Contains(ev.Err.Error(), ".aside") {
					warned <- ev.Err
				}
			}
		})
		return client, store.Path(client.StoreKey())
	}
	spoil := func(path string) {
		if err := os.WriteFile(path, []byte("garbage"), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	none, path := open()
	none.Close()
	spoil(path)
	first, _ := open()
	if _, err := first.Token(t.Context()); !errors.Is(err, seal.ErrDamaged) {
		t.Errorf("Token: %v", err)
	}
	if b, err := os.ReadFile(path); string(b) != "garbage" {
		t.Errorf("now there is %q, %v", b, err)
	}
	if err := first.Login(t.Context(), credentials); err != nil || !first.Status().Saved {
		t.Errorf("Login: %v, saved: %t", err, first.Status().Saved)
	}
	if set, err := filepath.Glob(path + ".aside*"); len(set) != 1 {
		t.Errorf("set aside: %q, %v", set, err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if err := <-warned; !errors.Is(err, seal.ErrDamaged) {
		t.Errorf("warned of %v", err)
	}

	second, _ := open()
	if st := second.Status(); st.State != silentrefresh.StateLoggedIn {
		t.Errorf("the next start finds %v", st)
	}
	second.Close()
	spoil(path)
	third, _ := open()
	if err := third.Logout(t.Context()); !errors.Is(err, seal.ErrDamaged) || !strings.Contains(err.Error(), "was not told") {
		t.Errorf("Logout: %v", err)
	}
	third.Close()
	fourth, _ := open()
	if st := fourth.Status(); !errors.Is(st.Err, silentrefresh.ErrNoSession) {
		t.Errorf("after the logout: %v", st.Err)
	}
	if err := fourth.Logout(t.Context()); err != nil {
		t.Errorf("a second Logout: %v", err)
	}
}

// stubborn is a Store whose record cannot be read, and which clears it away by clear.
type stubborn struct {
	fakes.Memory
	clear func() error
}

var errGarbage = errors.New("garbage")

func (s *stubborn) Load(context.Context, string) ([]byte, error) { return nil, errGarbage }

func (s *stubborn) Update(context.Context, string, silentrefresh.UpdateFunc) error { return errGarbage }

func (s *stubborn) SetAside(context.Context, string) (aside string, why, err error) {
	return "aside", errGarbage, s.clear()
}

func (s *stubborn) Discard(context.Context, string) (why, err error) { return errGarbage, s.clear() }

// A Store that does not get its record out of the way, does not return or panics holds nobody: a login lives in memory, a
// logout says what is left.
func TestF93_AStoreThatClearsNothingHoldsNobody(t *testing.T) {
	for what, clear := range map[string]func() error{
		"fails":   func() error { return errors.New("no") },
		"lies":    func() error { return nil },
		"panics":  func() error { panic("clear") },
		"exits":   func() error { runtime.Goexit(); return nil },
		"forever": nil,
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				end := make(chan struct{})
				defer close(end)
				if clear == nil {
					clear = func() error { <-end; return errGarbage }
				}
				client, err := silentrefresh.New(silentrefresh.Config{
					BaseURL: "https://api.example.com", Exchanger: &fakes.Server{}, Store: &stubborn{clear: clear},
				})
				if err != nil {
					t.Fatal(err)
				}
				defer client.Close()
				begun := time.Now()
				if err := client.Login(t.Context(), nil); err != nil || client.Status().Saved {
					t.Errorf("Login: %v, saved: %t", err, client.Status().Saved)
				}
				if err := client.Logout(t.Context()); !errors.Is(err, errGarbage) {
					t.Errorf("Logout: %v", err)
				}
				if took := time.Since(begun); took > 2*time.Minute {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// What a Store reads and nobody understands, a newer version's record for instance, is replaced by a login and removed by a
// logout. Both say so.
func TestF93_ARecordThatIsNotUnderstoodIsNoDeadEnd(t *testing.T) {
	for _, text := range []string{`{"format":2,"login":"x"}`, `{"format":1,"log`, "garbage"} {
		synctest.Test(t, func(t *testing.T) {
			store, said := &silentrefresh.MemoryStore{}, make(chan error, 10)
			open := func() *silentrefresh.Client {
				client, err := silentrefresh.New(silentrefresh.Config{
					BaseURL: "https://api.example.com", Exchanger: &fakes.Server{}, Store: store, Observe: func(ev silentrefresh.Event) {
						if ev.Kind == silentrefresh.EventWarning {
							said <- ev.Err
						}
					},
				})
				if err != nil {
					t.Fatal(err)
				}
				return client
			}
			spoil := func(key string) {
				err := store.Update(t.Context(), key, func(_ context.Context, _ []byte, save func([]byte) error) error { return save([]byte(text)) })
				if err != nil {
					t.Fatal(err)
				}
			}
			first := open()
			spoil(first.StoreKey())
			if err := first.Login(t.Context(), nil); err != nil || !first.Status().Saved {
				t.Errorf("%s: Login: %v, saved: %t", text, err, first.Status().Saved)
			}
			if err := <-said; !strings.Contains(err.Error(), "is replaced") {
				t.Errorf("%s: said %v", text, err)
			}
			first.Close()
			spoil(first.StoreKey())
			second := open()
			if err := second.Logout(t.Context()); err == nil || !strings.Contains(err.Error(), "was not told") {
				t.Errorf("%s: Logout: %v", text, err)
			}
			if b, err := store.Load(t.Context(), first.StoreKey()); b == nil || len(b) != 0 || err != nil {
				t.Errorf("%s: left is %q, %v", text, b, err)
			}
			second.Close()
		})
	}
}
