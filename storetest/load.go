package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func loadOfNothing(t *testing.T, s Store) {
	holds(t, s, "nobody", nil)
	put(t, s, "somebody", []byte("value"))
	holds(t, s, "nobody", nil)
}

func loadOfValue(t *testing.T, s Store) {
	put(t, s, "key", []byte("first"))
	holds(t, s, "key", []byte("first"))
	put(t, s, "key", []byte("second, longer"))
	holds(t, s, "key", []byte("second, longer"))
	put(t, s, "key", []byte("third"))
	holds(t, s, "key", []byte("third"))
}

func tombstone(t *testing.T, s Store) {
	for i, grave := range [][]byte{nil, {}} {
		key := fmt.Sprint("key", i)
		put(t, s, key, []byte("value"))
		put(t, s, key, grave)
		holds(t, s, key, []byte{})
		err := s.Update(within(t), key, func(_ context.Context, old []byte, save func([]byte) error) error {
			same(t, "old", old, []byte{})
			return save([]byte("risen"))
		})
		if err != nil {
			t.Fatalf("Update of a tombstone: %v", err)
		}
		holds(t, s, key, []byte("risen"))
	}
}

func loadWaitsForNoLock(t *testing.T, s Store) {
	put(t, s, "key", []byte("value"))
	release := hold(t, s, "key")
	holds(t, s, "key", []byte("value"))
	release()
}

func loadRefusesEndedContext(t *testing.T, s Store) {
	put(t, s, "key", []byte("value"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if v, err := s.Load(ctx, "key"); !errors.Is(err, context.Canceled) || v != nil {
		t.Fatalf("Load with a cancelled context gave %s and %v, want nil and context.Canceled", show(v), err)
	}
}

func sizes(t *testing.T, s Store) {
	for _, n := range []int{0, 1, 15, 16, 17, 255, 4095, 4096, 4097, 65535, 65536, 1 << 20} {
		want := bytes.Repeat([]byte("x"), n)
		put(t, s, "key", want)
		holds(t, s, "key", want)
	}
}

func anyBytes(t *testing.T, s Store) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for _, want := range [][]byte{all, {0}, {0, 0, 0}, []byte("\r\n"), []byte("{}"), []byte("null"), {0xff, 0xfe}} {
		put(t, s, "key", want)
		holds(t, s, "key", want)
	}
}

// oddKeys differ from one another only where a store is tempted to take them for the same, or for a path.
var oddKeys = []string{
	"a", "A", "a ", " a", "a.", "a/", "/a", "a/b", "a//b", `a\b`, "a:b", "a%2Fb", "a_b", "a-b", "a|b", "a*b", "a?b",
	".", "..", "../a", "./a", "~", "-", "con", "nul.txt", "a\x00b", "a\nb", "a\tb", "\x7f", "\xff", "\xfe",
	"\u00e9", "e\u0301", "\u65e5\u672c\u8a9e", "\U0001f511", "{a}", "[a]", "'a'", `"a"`, "$a", "a;b", "a,b",
	"https://api.example.com|default", "https://api.example.com:8443|default", "https://api.example.com|Default",
	strings.Repeat("long", 500), strings.Repeat("long", 500) + "!",
}

func anyKey(t *testing.T, s Store) {
	for _, key := range oddKeys {
		holds(t, s, key, nil)
		put(t, s, key, []byte("value of "+key))
	}
	for _, key := range oddKeys {
		holds(t, s, key, []byte("value of "+key))
	}
}

func slicesAreCopies(t *testing.T, s Store) {
	mine := []byte("value")
	put(t, s, "key", mine)
	mine[0] = 'X'
	holds(t, s, "key", []byte("value"))

	loaded, err := s.Load(within(t), "key")
	if err != nil {
		t.Fatal(err)
	}
	same(t, "Load", loaded, []byte("value"))
	loaded[0] = 'X'
	holds(t, s, "key", []byte("value"))

	err = s.Update(within(t), "key", func(_ context.Context, old []byte, _ func([]byte) error) error {
		same(t, "old", old, []byte("value"))
		old[0] = 'X'
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	holds(t, s, "key", []byte("value"))
}
