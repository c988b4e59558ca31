package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/suggest"
	"github.com/silentrefresh/silentrefresh/filestore"
	"github.com/silentrefresh/silentrefresh/keyringstore"
	"github.com/silentrefresh/silentrefresh/seal"
)

// The places where a key may be, as --key-in has them.
var keyPlaces = []string{"environment", "keychain", "file"}

// store opens the store of all sessions.
func (a *app) store(dir folder) (*filestore.Store, error) {
	sessions := dir.sessions()
	keys, err := a.preferred(filestore.DefaultKeys(sessions, keyringstore.Key("silentrefresh")))
	if err != nil {
		return nil, err
	}
	s, err := filestore.Open(filestore.Config{Dir: sessions, Keys: keys, Logger: slog.New(&remarks{a})})
	if err != nil {
		return nil, a.failed("the stored sessions were not opened", err)
	}
	return s, nil
}

// preferred puts the key that --key-in names before the others: these are for sessions that were stored with them.
func (a *app) preferred(keys []seal.Key) ([]seal.Key, error) {
	place := a.options.keyIn
	if place == "" {
		return keys, nil
	}
	if !slices.Contains(keyPlaces, place) {
		f := usage(fmt.Sprintf("%s %q is not known", a.given("key-in"), place), "give "+strings.Join(keyPlaces, ", "))
		if nearest := suggest.Nearest(place, keyPlaces...); nearest != "" {
			f.do = "did you mean " + nearest + "?"
		}
		return nil, f
	}
	i := slices.IndexFunc(keys, func(k seal.Key) bool { return placeOf(k) == place })
	if i < 0 {
		return nil, usage("there is no key in the environment", "set "+filestore.EnvKey+", for instance to what this prints: openssl rand -base64 32")
	}
	return slices.Concat(keys[i:i+1], keys[:i], keys[i+1:]), nil
}

// placeOf is where k is; "" for a key that is only there for old records.
func placeOf(k seal.Key) string {
	switch {
	case k.Source == seal.KeyEnv(filestore.EnvKey).Source:
		return "environment"
	case k.Source == keyringstore.Source:
		return "keychain"
	case strings.HasPrefix(k.Source, "file "):
		return "file"
	}
	return ""
}

// rekey encrypts all sessions with the first key.
func rekey(ctx context.Context, a *app) error {
	dir, err := a.folder()
	if err != nil {
		return err
	}
	s, err := a.store(dir)
	if err != nil {
		return err
	}
	changed, err := s.Rekey(ctx)
	if err != nil {
		f := a.failed(fmt.Sprintf("not all sessions have the new key; %d were changed now", changed), err)
		f.do = "the others have their old key still; when the cause is gone, repeat the command"
		if e, ok := errors.AsType[*filestore.Error](err); ok && e.Path == dir.sessions() && errors.Is(e, keyringstore.ErrNoKeychain) {
			f.do = "name another place for the key: silentrefresh rekey --key-in file"
		}
		return f
	}
	fmt.Fprintf(a.out, "Encrypted anew: %d; the old key is not needed any more\n", changed)
	return nil
}
