// Package filestore keeps sessions in encrypted files that survive the process and are shared by all processes of
// one user. For most programs this is all there is to it:
//
//	store, err := filestore.Default("myapp")
//	client, err := silentrefresh.New(silentrefresh.Config{BaseURL: base, Store: store})
//
// Each session is a file of its own, readable by its user alone, in a folder readable by its user alone. A save
// writes beside the file, forces it to the disk and renames it, so that there is always one whole record; readers
// take no lock. Writers take a lock of the kernel, which ends with the process whatever happens to it, on a
// second file, which is never deleted. The folder must be on a file system with such locks: a local one, or NFS
// version 4.
//
// What the files protect against is a copy of them without the key (a backup, a synchronized folder), and records
// put in each other's place. A program that runs as the same user can read whatever that user can. With the key
// in the OS keychain (module keyringstore) the two are apart:
//
//	store, err := filestore.Default("myapp", keyringstore.Key("myapp"))
package filestore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/silentrefresh/silentrefresh/internal/privatefile"
	"github.com/silentrefresh/silentrefresh/internal/update"
	"github.com/silentrefresh/silentrefresh/seal"
)

// Config says where sessions are kept. Only Dir is required.
type Config struct {
	// Dir is the folder. It is created if it does not exist; it should hold nothing else.
	Dir string
	// Keys are where keys are, in the order of preference; nil: DefaultKeys(Dir). A new record is sealed with
	// the first that is available. After that it keeps its key, whichever others come and go, until Rekey.
	Keys []seal.Key
	// Logger is told of permissions that had to be tightened, and of a key that is kept elsewhere than
	// preferred; nil: slog.Default().
	Logger *slog.Logger
}

// Store keeps sessions in a folder; it is a silentrefresh.Store. It is safe for concurrent use, as are several
// Stores with one folder, in one process or many. It holds no resources between calls and needs no closing.
type Store struct {
	dir  string
	ring *seal.Ring
	log  *slog.Logger
}

// EnvKey is the environment variable that DefaultKeys looks at, for a key as seal.FormatKey writes it.
const EnvKey = "SILENTREFRESH_KEY"

// Default opens the folder app/sessions below os.UserConfigDir, with DefaultKeys.
func Default(app string, preferred ...seal.Key) (*Store, error) {
	if app == "" || strings.HasPrefix(app, ".") || strings.Trim(readable(app), "-") == "" || strings.ContainsAny(app, `/\:`) {
		return nil, fmt.Errorf("filestore: %q can't be the name of a folder: use the program's name, like myapp", app)
	}
	config, err := os.UserConfigDir()
	if err != nil {
		return nil, fmt.Errorf("filestore: no folder for settings: %w; set it, or choose a folder with filestore.Open", err)
	}
	dir := filepath.Join(config, app, "sessions")
	return Open(Config{Dir: dir, Keys: DefaultKeys(dir, preferred...)})
}

// DefaultKeys are the keys of a folder: the environment variable EnvKey if it is set, those preferred, and else a key file in
// the folder itself. A key that EnvKey had before is still tried if it is in SILENTREFRESH_KEY_OLD; see Rekey.
func DefaultKeys(dir string, preferred ...seal.Key) []seal.Key {
	keys := append(preferred[:len(preferred):len(preferred)], KeyFile(filepath.Join(dir, keyFile)))
	env := seal.KeysEnv(EnvKey)
	if os.Getenv(EnvKey) != "" {
		keys = append(env[:1:1], keys...)
	}
	return append(keys, env[1:]...)
}

// Open opens the folder cfg.Dir, which is created if it does not exist. A folder that others can enter is closed
// to them if it holds nothing but sessions, and refused otherwise.
func Open(cfg Config) (*Store, error) {
	if cfg.Dir == "" {
		return nil, errors.New("filestore: Config.Dir is empty: name a folder, or use filestore.Default")
	}
	s := &Store{log: cfg.Logger}
	if s.log == nil {
		s.log = slog.Default()
	}
	var err error
	if s.dir, err = privatefile.MakeFolder(cfg.Dir, ours, s.log); err != nil {
		return nil, fail("open", cfg.Dir, err)
	}
	if cfg.Keys == nil {
		cfg.Keys = DefaultKeys(s.dir)
	}
	var once sync.Once
	s.ring = seal.NewRing(cfg.Keys, func(skipped seal.Key, why error, used seal.Key) {
		once.Do(func() {
			s.log.Warn("sessions are encrypted with the key in "+used.Source+", as the preferred one can't be had",
				"preferred", skipped.Source, "why", why)
		})
	})
	return s, nil
}

// Load implements silentrefresh.Store. It takes no lock.
func (s *Store) Load(ctx context.Context, key string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r := record{store: s, key: key, path: s.Path(key)}
	if err := r.read(ctx); err != nil {
		return nil, fail("read", r.path, err)
	}
	return r.content, nil
}

// Update implements silentrefresh.Store. It fails before it calls fn if the present record can't be read, or if
// there is no key to encrypt the next one with.
func (s *Store) Update(ctx context.Context, key string, fn func(ctx context.Context, old []byte, save func([]byte) error) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r := record{store: s, key: key, path: s.Path(key)}
	unlock, err := lock(ctx, r.path)
	if err != nil {
		return err
	}
	defer unlock()
	if err := r.edit(ctx); err != nil {
		return fail("read", r.path, err)
	}
	save := func(content []byte) error {
		if err := r.save(content); err != nil {
			return fail("save", r.path, err)
		}
		return nil
	}
	return update.Call(ctx, r.content, save, fn)
}

// FileName is the name of key's record in the folder, where it may be a link to the file itself.
func (s *Store) FileName(key string) string { return fileName(key) }

// Path is the file that key's record is in, or will be, with links resolved.
func (s *Store) Path(key string) string {
	return privatefile.Resolve(filepath.Join(s.dir, fileName(key)))
}

// Where says for people how key's record is kept, for instance "encrypted file, key in OS keychain".
func (s *Store) Where(key string) string {
	const form = "encrypted file"
	sealed, err := privatefile.Read(s.Path(key), s.log)
	if err != nil {
		return form
	}
	h, err := seal.ReadHeader(sealed)
	if err != nil {
		return form
	}
	return form + ", key in " + h.Source
}
