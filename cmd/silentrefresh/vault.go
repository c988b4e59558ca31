package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/filestore"
	"github.com/silentrefresh/silentrefresh/internal/privatefile"
)

// folder is where everything is kept.
type folder string

func (f folder) sessions() string   { return filepath.Join(string(f), "sessions") }
func (f folder) profiles() profiles { return profiles(filepath.Join(string(f), "settings")) }

// closed closes the folder to others, if it is there and ours alone: they could put other folders in the place of these.
func (f folder) closed() folder {
	if _, err := os.Stat(string(f)); err == nil {
		ours := func(name string) bool { return name == "sessions" || name == "settings" }
		_, _ = privatefile.MakeFolder(string(f), ours, settingsLog) // else those that are in it are closed all the same
	}
	return f
}

func (a *app) folder() (folder, error) {
	if a.options.dir != "" {
		return folder(a.options.dir).closed(), nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", usage("there is no folder for sessions: "+plain(err), "name one with --dir")
	}
	return folder(filepath.Join(dir, "silentrefresh")).closed(), nil
}

// access is what a command does to the store.
type access int

const (
	using    access = iota // the session is used and renewed
	changing               // a login or a logout: the settings come and go with the session
	looking                // nothing may be changed, nor spent
)

// A vault is the store of the chosen session and its settings.
type vault struct {
	*filestore.Store
	profiles profiles
	profile  *profile
	access   access
	guessed  bool        // the settings are no stored ones, and nobody has given others
	leaving  bool        // what can't be read is removed
	remark   func(error) // tells people

	once sync.Once
	key  string // of the session in the Store

	// While it is set, the session that is there is not taken up. A login may come with other settings, and the
	// credential of the session before must not be spent by these.
	hidden atomic.Bool

	lost atomic.Pointer[error] // why the session that was there was not read, and is not there any more
}

// vault opens the store.
func (a *app) vault() (*vault, error) {
	dir, err := a.folder()
	if err != nil {
		return nil, err
	}
	store, err := a.store(dir)
	if err != nil {
		return nil, err
	}
	return &vault{Store: store, profiles: dir.profiles(), profile: a.profile,
		guessed: !a.profile.kept && a.options.config == "", leaving: a.leaving, remark: a.remark}, nil
}

// ready finds out whether a session could be kept, before a login is spent on it.
func (v *vault) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := v.profiles.probe(v.settings()); err != nil {
		return err
	}
	return v.Store.Probe(ctx, v.key)
}

// Load implements silentrefresh.Store, and learns the session's key.
func (v *vault) Load(ctx context.Context, key string) ([]byte, error) {
	v.once.Do(func() { v.key = key })
	b, err := v.Store.Load(ctx, key)
	if v.hidden.Load() {
		b = nil
	}
	if b != nil && v.guessed && v.access != changing {
		if err := v.profiles.check(v.settings()); err != nil { // with other settings, the credential might be lost
			return nil, err
		}
	}
	return b, err
}

var errLooking = errors.New("this command only looks")

// Update implements silentrefresh.Store. The settings are written before the session and removed after it, under
// its lock: whoever finds a session finds its settings, whatever happens in between.
func (v *vault) Update(ctx context.Context, key string, fn func(ctx context.Context, old []byte, save func([]byte) error) error) error {
	switch v.access {
	case looking:
		return errLooking
	case using:
		return v.Store.Update(ctx, key, fn)
	}
	return v.replace(ctx, key, func(ctx context.Context, old []byte, save func([]byte) error) error {
		return fn(ctx, old, func(b []byte) error {
			if len(b) == 0 {
				return errors.Join(save(b), v.profiles.remove(v.settings()), beside{v}.forget(ctx))
			}
			if why := v.profiles.check(v.settings()); why != nil {
				v.remark(fmt.Errorf("%w; they are set aside", why))
			}
			if err := v.profiles.save(v.settings(), v.profile); err != nil {
				return fmt.Errorf("the settings: %w", err)
			}
			return save(b)
		})
	})
}

// replace is Update of the Store for a record that is about to be replaced. One that can't be read is no obstacle then: it is
// set aside for a login, and removed for a logout.
func (v *vault) replace(ctx context.Context, key string, fn silentrefresh.UpdateFunc) error {
	called := false
	err := v.Store.Update(ctx, key, func(ctx context.Context, old []byte, save func([]byte) error) error {
		called = true
		return fn(ctx, old, save)
	})
	if called || v.access != changing || !filestore.Unreadable(err) {
		return err
	}
	if err := v.makeRoom(ctx, key); err != nil {
		return err
	}
	return v.Store.Update(ctx, key, fn)
}

// makeRoom takes a record out of the way that can't be read, and says so.
func (v *vault) makeRoom(ctx context.Context, key string) error {
	if v.leaving {
		why, err := v.Store.Discard(ctx, key)
		if why != nil && key == v.key {
			v.lost.Store(&why)
		}
		return err
	}
	aside, why, err := v.Store.SetAside(ctx, key)
	if why != nil && err == nil {
		v.remark(fmt.Errorf("what was stored before could not be read (%w); it is set aside in %s", causeOf(why), aside))
	}
	return err
}

// causeOf is why without the file and without what could be done about it.
func causeOf(why error) error {
	if e, ok := errors.AsType[*filestore.Error](why); ok {
		return e.Err
	}
	return why
}

// settings is the name of the settings' file: the session's, with another ending.
func (v *vault) settings() string {
	name := v.Store.FileName(v.key)
	return strings.TrimSuffix(name, filepath.Ext(name)) + settingsExt
}

// where says how the session is kept.
func (v *vault) where() string { return v.Store.Where(v.key) }

// remarks shows what the store remarks on.
type remarks struct{ a *app }

// settingsLog shows what is to be said of files and folders before a session is chosen.
var settingsLog = slog.New(&remarks{&app{stdio: stdio{err: os.Stderr}}})

// Enabled implements slog.Handler.
func (*remarks) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

// Handle implements slog.Handler.
func (r *remarks) Handle(_ context.Context, rec slog.Record) error {
	text := rec.Message
	rec.Attrs(func(attr slog.Attr) bool {
		text += fmt.Sprintf("; %s: %v", attr.Key, attr.Value)
		return true
	})
	_, err := fmt.Fprintf(r.a.err, "silentrefresh: %s\n", text)
	return err
}

// WithAttrs implements slog.Handler; the store has none.
func (r *remarks) WithAttrs([]slog.Attr) slog.Handler { return r }

// WithGroup implements slog.Handler; the store has none.
func (r *remarks) WithGroup(string) slog.Handler { return r }
