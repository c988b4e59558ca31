package seal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// place is a Key whose state a test changes.
type place struct {
	source string
	key    []byte // nil: none yet
	err    error
	asked  atomic.Int32
}

func (p *place) Key() Key {
	return Key{Source: p.source, Get: func(_ context.Context, create bool) ([]byte, error) {
		p.asked.Add(1)
		switch {
		case p.err != nil:
			return nil, p.err
		case p.key == nil && !create:
			return nil, ErrNoKey
		case p.key == nil:
			p.key = NewKey()
		}
		return p.key, nil
	}}
}

// record seals a new record with r.
func record(t *testing.T, r *Ring) []byte {
	t.Helper()
	s, err := r.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return mustSeal(t, s, "name", []byte("content"))
}

func sourceOf(t *testing.T, sealed []byte) string {
	t.Helper()
	h, err := ReadHeader(sealed)
	if err != nil {
		t.Fatal(err)
	}
	return h.Source
}

func TestRingAsksOnce(t *testing.T) {
	p := &place{source: "a test"}
	r := NewRing([]Key{p.Key()}, nil)
	sealed := record(t, r)
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			if got, _, err := r.Open(t.Context(), "name", sealed); err != nil || string(got) != "content" {
				t.Errorf("gave %q, %v", got, err)
			}
		})
	}
	all.Wait()
	if n := p.asked.Load(); n != 1 {
		t.Errorf("asked %d times for the same key, want 1", n)
	}
}

func TestRingAsksOnceWhenManyStartAtOnce(t *testing.T) {
	p := &place{source: "a test"}
	sealed := record(t, NewRing([]Key{p.Key()}, nil))
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		slow := Key{Source: "a test", Get: func(context.Context, bool) ([]byte, error) {
			asked.Add(1)
			time.Sleep(time.Second)
			return p.key, nil
		}}
		r := NewRing([]Key{slow}, nil)
		var all sync.WaitGroup
		for range 64 {
			all.Go(func() {
				if _, _, err := r.Open(t.Context(), "name", sealed); err != nil {
					t.Error(err)
				}
			})
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		synctest.Wait()
		if _, _, err := r.Open(ctx, "name", sealed); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("whoever waits for another's question: %v, want DeadlineExceeded", err)
		}
		all.Wait()
		if asked.Load() != 1 {
			t.Errorf("asked %d times, want 1", asked.Load())
		}
	})
}

// TestNewRecordTakesFirstKeyThatIsThere, and says which one was not.
func TestNewRecordTakesFirstKeyThatIsThere(t *testing.T) {
	chain, file := &place{source: "OS keychain"}, &place{source: "a file"}
	var said []string
	skipped := func(skipped Key, why error, used Key) {
		said = append(said, fmt.Sprintf("%s: %v; %s instead", skipped.Source, why, used.Source))
	}
	if got := sourceOf(t, record(t, NewRing([]Key{chain.Key(), file.Key()}, skipped))); got != "OS keychain" || said != nil {
		t.Errorf("with both keys there: sealed with %s, said %q", got, said)
	}
	chain.err = fmt.Errorf("no D-Bus: %w", ErrUnavailable)
	if got := sourceOf(t, record(t, NewRing([]Key{chain.Key(), file.Key()}, skipped))); got != "a file" {
		t.Errorf("without a keychain: sealed with %s", got)
	}
	if want := "OS keychain: no D-Bus: not available here; a file instead"; len(said) != 1 || said[0] != want {
		t.Errorf("said %q, want %q", said, want)
	}
}

// TestBrokenKeyIsNotSkipped: whoever sets a key wants it used; a mistake in it must not be papered over.
func TestBrokenKeyIsNotSkipped(t *testing.T) {
	broken, file := &place{source: "environment", err: errors.New("not a key")}, &place{source: "a file"}
	if _, err := NewRing([]Key{broken.Key(), file.Key()}, nil).New(t.Context()); !errors.Is(err, broken.err) {
		t.Errorf("New: %v, want the broken key's error", err)
	}
	if file.asked.Load() != 0 {
		t.Error("the next key was asked for")
	}
}

func TestNoKeyAtAll(t *testing.T) {
	chain := &place{source: "OS keychain", err: fmt.Errorf("no D-Bus: %w", ErrUnavailable)}
	_, err := NewRing([]Key{chain.Key()}, nil).New(t.Context())
	if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "no D-Bus") {
		t.Errorf("New: %v, want why", err)
	}
	if _, err := NewRing(nil, nil).New(t.Context()); err == nil {
		t.Error("a ring without keys made a record")
	}
	if _, err := NewRing(nil, nil).First(t.Context()); err == nil {
		t.Error("a ring without keys has a first one")
	}
}

// TestRecordKeepsItsSource: sessions over SSH and on the desktop don't flip a record between two keys.
func TestRecordKeepsItsSource(t *testing.T) {
	chain := &place{source: "OS keychain", err: ErrUnavailable}
	file := &place{source: "a file"}
	sealed := record(t, NewRing([]Key{chain.Key(), file.Key()}, nil))
	chain.err = nil // on the desktop
	asked := chain.asked.Load()
	_, s, err := NewRing([]Key{chain.Key(), file.Key()}, nil).Open(t.Context(), "name", sealed)
	if err != nil {
		t.Fatal(err)
	}
	if got := sourceOf(t, mustSeal(t, s, "name", nil)); got != "a file" {
		t.Errorf("the record's successor is sealed with %s", got)
	}
	if chain.asked.Load() != asked {
		t.Error("the keychain was asked although the record names another source")
	}
}

func TestMissingKeyIsNamed(t *testing.T) {
	chain := &place{source: "OS keychain"}
	sealed := record(t, NewRing([]Key{chain.Key()}, nil))
	file := &place{source: "a file"}
	for _, c := range []struct {
		what string
		keys []Key
		want string
	}{
		{"not among the keys", []Key{file.Key()}, "needs the key in OS keychain: this program has only the key in a file"},
		{"unavailable", []Key{file.Key(), (&place{source: "OS keychain", err: ErrUnavailable}).Key()},
			"needs the key in OS keychain: not available here"},
		{"gone", []Key{(&place{source: "OS keychain"}).Key()}, "needs the key in OS keychain: there is no key in it"},
		{"changed", []Key{(&place{source: "OS keychain", key: NewKey()}).Key()},
			"needs the key in OS keychain: the key that is there now is another one, and so are all others at hand"},
	} {
		got, _, err := NewRing(c.keys, nil).Open(t.Context(), "name", sealed)
		ke, ok := errors.AsType[*KeyError](err)
		if !ok || ke.Source != "OS keychain" || err.Error() != c.want || got != nil {
			t.Errorf("%s: gave %q, %q, want %q", c.what, got, err, c.want)
		}
	}
	if file.key != nil {
		t.Error("a key was made only to open a record")
	}
}

// TestKeyUnderAnotherNameWillDo: a folder that was moved takes its key file along.
func TestKeyUnderAnotherNameWillDo(t *testing.T) {
	old := &place{source: "file /old/key"}
	sealed := record(t, NewRing([]Key{old.Key()}, nil))
	moved := &place{source: "file /new/key", key: old.key}
	chain := &place{source: "OS keychain", err: ErrUnavailable}
	got, s, err := NewRing([]Key{chain.Key(), moved.Key()}, nil).Open(t.Context(), "name", sealed)
	if err != nil || string(got) != "content" || s.Source() != "file /new/key" {
		t.Errorf("gave %q, %v", got, err)
	}
}

// TestChangedKeyIsAskedForAgain: a long-lived process follows when another one has changed the key.
func TestChangedKeyIsAskedForAgain(t *testing.T) {
	p := &place{source: "a file"}
	r := NewRing([]Key{p.Key()}, nil)
	record(t, r)
	p.key = NewKey()
	sealed := record(t, NewRing([]Key{p.Key()}, nil))
	if got, _, err := r.Open(t.Context(), "name", sealed); err != nil || string(got) != "content" {
		t.Errorf("gave %q, %v", got, err)
	}
}

// TestTwoKeysInOnePlace: a new key beside the old one, while records move over.
func TestTwoKeysInOnePlace(t *testing.T) {
	older, newer := &place{source: "OS keychain"}, &place{source: "OS keychain"}
	sealed := record(t, NewRing([]Key{older.Key()}, nil))
	r := NewRing([]Key{newer.Key(), older.Key()}, nil)
	record(t, r)
	if got, _, err := r.Open(t.Context(), "name", sealed); err != nil || string(got) != "content" {
		t.Errorf("gave %q, %v", got, err)
	}
}

// TestF94_EveryKeyAtHandIsTried: by its id, whatever its place is called and whatever is in the place that the record names.
func TestF94_EveryKeyAtHandIsTried(t *testing.T) {
	old := NewKey()
	sealed := record(t, NewRing([]Key{(&place{source: "variable KEY", key: old}).Key()}, nil))
	for what, usual := range map[string]*place{
		"a new key in its place": {source: "variable KEY", key: NewKey()},
		"no key in its place":    {source: "variable KEY"},
		"a place out of reach":   {source: "variable KEY", err: fmt.Errorf("not set: %w", ErrUnavailable)},
		"nonsense in its place":  {source: "variable KEY", err: errors.New("not a key")},
	} {
		locked := &place{source: "OS keychain", err: ErrUnavailable}
		kept := &place{source: "variable KEY_OLD", key: old}
		got, s, err := NewRing([]Key{usual.Key(), locked.Key(), kept.Key()}, nil).Open(t.Context(), "name", sealed)
		if err != nil || string(got) != "content" || s.Source() != "variable KEY_OLD" {
			t.Errorf("%s: gave %q, %v", what, got, err)
		}
	}
}

// TestF94_AKeyThatWasReplacedIsKept for as long as the process lives that had it.
func TestF94_AKeyThatWasReplacedIsKept(t *testing.T) {
	p := &place{source: "a file"}
	r := NewRing([]Key{p.Key()}, nil)
	before := record(t, r)
	p.key = NewKey()
	after := record(t, NewRing([]Key{p.Key()}, nil))
	for _, sealed := range [][]byte{after, before, after} {
		if got, _, err := r.Open(t.Context(), "name", sealed); err != nil || string(got) != "content" {
			t.Errorf("gave %q, %v", got, err)
		}
	}
}

func TestF94_KeysEnv(t *testing.T) {
	old, next := NewKey(), NewKey()
	t.Setenv("RING_TEST", FormatKey(old))
	t.Setenv("RING_TEST_OLD", "")
	sealed := record(t, NewRing(KeysEnv("RING_TEST"), nil))
	t.Setenv("RING_TEST", FormatKey(next))
	if _, _, err := NewRing(KeysEnv("RING_TEST"), nil).Open(t.Context(), "name", sealed); err == nil {
		t.Fatal("opened without its key")
	}
	t.Setenv("RING_TEST_OLD", FormatKey(old))
	r := NewRing(KeysEnv("RING_TEST"), nil)
	if got, _, err := r.Open(t.Context(), "name", sealed); err != nil || string(got) != "content" {
		t.Errorf("gave %q, %v", got, err)
	}
	if s, err := r.New(t.Context()); err != nil || s.Source() != "environment variable RING_TEST" {
		t.Errorf("a new record is sealed with %v, %v", s, err)
	}
}
