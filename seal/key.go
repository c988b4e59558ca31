package seal

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
)

// KeySize is the length of a key in bytes.
const KeySize = 32

// ErrUnavailable: the source of a key does not exist on this machine, or not now (no keychain in an SSH session,
// an environment variable that is not set). A new record is then sealed with the next key of the list; a record
// that names this source can't be opened until it is back.
var ErrUnavailable = errors.New("not available here")

// ErrNoKey: the source is there, and has no key.
var ErrNoKey = errors.New("there is no key in it")

// ErrMalformedKey: what should be a key is none.
var ErrMalformedKey = errors.New("not a key: want 32 random bytes in hex or base64, as `openssl rand -base64 32` prints them")

// A Key is a place where a key is kept. Package filestore has one in a file, module keyringstore one in the OS
// keychain, KeyEnv one in an environment variable; a key from elsewhere is a Key with a Get of its own.
type Key struct {
	// Source says where the key is, in words that complete "the key in ...": records name it in the clear, and
	// people read it in errors. A key that is looked up again must be under the same Source.
	Source string
	// Get returns the KeySize bytes. If there is no key yet, it makes one where create is set, and returns
	// ErrNoKey where it is not. It returns an error that wraps ErrUnavailable where the source does not exist.
	// It ends with ctx, and is safe for concurrent use.
	Get func(ctx context.Context, create bool) ([]byte, error)
}

// KeyEnv is the key in an environment variable, in hex or base64: for containers, where a platform keeps it. It
// is unavailable while the variable is unset or empty, and an error if it is anything but a key.
func KeyEnv(name string) Key {
	source := "environment variable " + name
	return Key{Source: source, Get: func(context.Context, bool) ([]byte, error) {
		text := os.Getenv(name)
		if text == "" {
			return nil, unset(source)
		}
		key, err := ParseKey(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", source, err)
		}
		return key, nil
	}}
}

// KeysEnv is KeyEnv, and beside it the key before, where one is in the variable name with _OLD behind it: so a key is
// changed under its usual name.
func KeysEnv(name string) []Key {
	keys := []Key{KeyEnv(name)}
	if old := name + "_OLD"; os.Getenv(old) != "" {
		keys = append(keys, KeyEnv(old))
	}
	return keys
}

// unset is the ErrUnavailable of an environment variable.
type unset string

func (u unset) Error() string { return string(u) + " is not set" }

func (unset) Unwrap() error { return ErrUnavailable }

// NewKey makes a random key.
func NewKey() []byte {
	key := make([]byte, KeySize)
	rand.Read(key) // never fails
	return key
}

// FormatKey writes key as text, for ParseKey to read.
func FormatKey(key []byte) string { return base64.StdEncoding.EncodeToString(key) }

// ParseKey reads a key in hex, or in base64 of either alphabet, padded or not. Space around it does not matter.
// The error is ErrMalformedKey.
func ParseKey(text string) ([]byte, error) {
	text = strings.TrimSpace(text)
	if key, err := hex.DecodeString(text); err == nil && len(key) == KeySize {
		return key, nil
	}
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	key, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil || len(key) != KeySize {
		return nil, ErrMalformedKey
	}
	return key, nil
}
