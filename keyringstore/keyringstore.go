// Package keyringstore keeps the key of a filestore in the keychain of the operating system: Keychain on macOS,
// Credential Manager on Windows, the Secret Service (GNOME Keyring, KWallet) on Linux.
//
//	store, err := filestore.Default("myapp", keyringstore.Key("myapp"))
//
// The keychain holds only the key: keychains truncate or refuse secrets as long as a session. Where there is no
// keychain (a container, an SSH session), new sessions are encrypted with the key that comes next in the list,
// which filestore says in its log; sessions whose key is in the keychain wait until it is back.
package keyringstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/zalando/go-keyring"

	"github.com/silentrefresh/silentrefresh/internal/filelock"
	"github.com/silentrefresh/silentrefresh/seal"
)

// Source is what records and people are told of where the key is.
const Source = "OS keychain"

// Patience is how long the keychain is waited for: it may be asking its user for a password, on a screen where
// nobody is.
const Patience = 3 * time.Second

// user is the name of the entry within the service.
const user = "session key"

// ErrNoKeychain: there is no keychain, or it did not respond. It wraps seal.ErrUnavailable, which makes a store
// use the next key.
var ErrNoKeychain = fmt.Errorf("the OS keychain is %w", seal.ErrUnavailable)

var (
	errSilent = fmt.Errorf("it did not respond within %v; it may be locked, and asking for its password", Patience)
	errNoBus  = errors.New("there is no D-Bus session, as is usual over SSH and in containers")
)

// Key is the key in the OS keychain under service, the program's name. It is made when the first record needs it;
// processes that start at the same moment end up with the same key.
func Key(service string) seal.Key {
	k := &keychain{service: service, turn: make(chan struct{}, 1)}
	return seal.Key{Source: Source, Get: k.get}
}

// keychain asks the keychain one question at a time.
type keychain struct {
	service string
	turn    chan struct{}
	silent  atomic.Bool // whoever has the turn was waited for in vain
}

func (k *keychain) get(ctx context.Context, create bool) ([]byte, error) {
	if err := reachable(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoKeychain, err)
	}
	key, err := k.ask(ctx, k.read)
	if create && errors.Is(err, seal.ErrNoKey) {
		key, err = k.make(ctx)
	}
	return key, err
}

// ask asks a question, which can't be interrupted, and gives up on it in time.
func (k *keychain) ask(ctx context.Context, question func() ([]byte, error)) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, Patience, fmt.Errorf("%w: %w", ErrNoKeychain, errSilent))
	defer cancel()
	if err := k.takeTurn(ctx); err != nil {
		return nil, err
	}
	type response struct {
		key []byte
		err error
	}
	responded := make(chan response, 1)
	go func() {
		defer func() { <-k.turn }()
		key, err := question()
		responded <- response{key, err}
	}()
	select {
	case a := <-responded:
		return a.key, a.err
	case <-ctx.Done():
		err := context.Cause(ctx)
		k.silent.Store(errors.Is(err, errSilent))
		return nil, err
	}
}

// takeTurn waits for the question before to be answered, unless that one has already been waited for in vain.
func (k *keychain) takeTurn(ctx context.Context) error {
	select {
	case k.turn <- struct{}{}:
		k.silent.Store(false)
		return nil
	default:
	}
	if k.silent.Load() {
		return fmt.Errorf("%w: %w", ErrNoKeychain, errSilent)
	}
	select {
	case k.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// read returns seal.ErrNoKey if there is a keychain without the key.
func (k *keychain) read() ([]byte, error) {
	text, err := keyring.Get(k.service, user)
	switch {
	case errors.Is(err, keyring.ErrNotFound):
		return nil, seal.ErrNoKey
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrNoKeychain, err)
	}
	key, err := seal.ParseKey(text)
	if err != nil {
		return nil, fmt.Errorf("the entry %q of %q in the OS keychain: %w", user, k.service, err)
	}
	return key, nil
}

// make puts a new key into the keychain. Keychains can't create an entry only if there is none, so processes take
// turns; and what counts is what the keychain has afterwards.
func (k *keychain) make(ctx context.Context) ([]byte, error) {
	release, err := k.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	return k.ask(ctx, func() ([]byte, error) {
		if key, err := k.read(); !errors.Is(err, seal.ErrNoKey) {
			return key, err // somebody else was first
		}
		if err := keyring.Set(k.service, user, seal.FormatKey(seal.NewKey())); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNoKeychain, err)
		}
		return k.read()
	})
}

// lock is one for all programs of this user: keys are made once in a lifetime.
func (k *keychain) lock(ctx context.Context) (release func(), err error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return nil, unlocked(err)
	}
	dir = filepath.Join(dir, "silentrefresh")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, unlocked(err)
	}
	release, err = filelock.Lock(ctx, filepath.Join(dir, "keychain.lock"))
	if err != nil {
		return nil, unlocked(err)
	}
	return release, nil
}

// unlocked is the error of a key that is not made, because two processes might make two.
func unlocked(err error) error {
	return fmt.Errorf("lock the making of a key in the OS keychain, in the user's cache folder (XDG_CACHE_HOME can name another): %w", err)
}

// reachable spares machines without a desktop the attempt to start one: without an address of a session bus, the
// D-Bus library would launch a bus of its own.
func reachable() error {
	if runtime.GOOS == "darwin" || runtime.GOOS == "windows" || os.Getenv("DBUS_SESSION_BUS_ADDRESS") != "" {
		return nil
	}
	for _, name := range []string{"bus", "dbus-session"} {
		if _, err := os.Stat(filepath.Join("/run/user", strconv.Itoa(os.Getuid()), name)); err == nil {
			return nil
		}
	}
	return errNoBus
}
