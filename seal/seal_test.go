package seal

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"testing"
)

func sealer(t testing.TB, source string, key []byte) *Sealer {
	t.Helper()
	s, err := newSealer(source, key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// open is what a Ring does with a record once it has the key.
func open(s *Sealer, name string, sealed []byte) ([]byte, error) {
	p, err := parse(sealed)
	if err != nil {
		return nil, err
	}
	return s.open(p, name)
}

func mustSeal(t testing.TB, s *Sealer, name string, content []byte) []byte {
	t.Helper()
	sealed, err := s.Seal(name, content)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestSealOpen(t *testing.T) {
	s := sealer(t, "a test", NewKey())
	for _, content := range [][]byte{{}, []byte("x"), bytes.Repeat([]byte("cookie"), 10000)} {
		sealed := mustSeal(t, s, "https://api.example.com|default", content)
		got, err := open(s, "https://api.example.com|default", sealed)
		if err != nil || !bytes.Equal(got, content) || got == nil {
			t.Errorf("opening %d bytes gave %d bytes, nil: %v, %v", len(content), len(got), got == nil, err)
		}
		h, err := ReadHeader(sealed)
		if err != nil || h.Name != "https://api.example.com|default" || h.Source != "a test" ||
			h.Empty != (len(content) == 0) || !s.Opens(h) {
			t.Errorf("the header of %d bytes is %+v, %v", len(content), h, err)
		}
		if len(content) > 1 && bytes.Contains(sealed, content[:5]) {
			t.Error("the content is in the record in the clear")
		}
	}
}

func TestSealingTwiceHasNothingInCommon(t *testing.T) {
	s := sealer(t, "a test", NewKey())
	a, b := mustSeal(t, s, "name", []byte("content")), mustSeal(t, s, "name", []byte("content"))
	if bytes.Equal(a[len(a)-20:], b[len(b)-20:]) {
		t.Error("the same content was encrypted to the same bytes twice")
	}
}

// golden was sealed by the first release: what is on disk has to stay readable.
const golden = "89736c720117a444992c59329a46ccbfd0537aeff8a1fa7d5490b6af8dcb2897cc27b64364b7bf90ddf56b65f3" +
	"26656e7669726f6e6d656e74207661726961626c652053494c454e54524546524553485f4b45591f6874747073" +
	"3a2f2f6170692e6578616d706c652e636f6d7c64656661756c74464da9e61183f3aaf212f76912b26652193dfb" +
	"f102898d2b7b82316af34804c25b8870"

func TestGoldenRecordOpens(t *testing.T) {
	sealed, err := hex.DecodeString(golden)
	if err != nil {
		t.Fatal(err)
	}
	s := sealer(t, "", []byte("an example key of 32 bytes......"))
	got, err := open(s, "https://api.example.com|default", sealed)
	if err != nil || string(got) != "content" {
		t.Errorf("gave %q, %v", got, err)
	}
}

// TestF39_EveryDamageIsAnError: a record that was cut short or changed anywhere is never opened, and never taken
// for nothing.
func TestF39_EveryDamageIsAnError(t *testing.T) {
	s := sealer(t, "a test", NewKey())
	sealed := mustSeal(t, s, "name", []byte("some content"))
	for n := range sealed {
		if got, err := open(s, "name", sealed[:n]); err == nil || got != nil {
			t.Errorf("cut to %d bytes: gave %q, %v", n, got, err)
		}
		changed := bytes.Clone(sealed)
		changed[n] ^= byte(1 + rand.IntN(255))
		if got, err := open(s, "name", changed); err == nil || got != nil {
			t.Errorf("changed at %d: gave %q, %v", n, got, err)
		}
	}
	if _, err := open(s, "name", append(sealed, 0)); !errors.Is(err, ErrDamaged) {
		t.Errorf("with a byte more: %v, want ErrDamaged", err)
	}
}

func TestForeignRecordsAreToldApart(t *testing.T) {
	key := NewKey()
	s := sealer(t, "a test", key)
	newer := mustSeal(t, s, "name", []byte("content"))
	newer[len(magic)]++
	for _, c := range []struct {
		what string
		rec  []byte
		want error
	}{
		{"another version", newer, ErrVersion},
		{"another name", mustSeal(t, s, "another name", []byte("content")), ErrName},
		{"something else", []byte(`{"token":"x"}`), ErrDamaged},
		{"nothing", nil, ErrDamaged},
		{"zeros, as after a power failure", make([]byte, 4096), ErrDamaged},
	} {
		if got, err := open(s, "name", c.rec); !errors.Is(err, c.want) || got != nil {
			t.Errorf("%s: gave %q, %v, want %v", c.what, got, err, c.want)
		}
	}
	if _, err := open(sealer(t, "a test", NewKey()), "name", mustSeal(t, s, "name", nil)); !errors.Is(err, ErrDamaged) {
		t.Errorf("with another key: %v, want ErrDamaged", err)
	}
}

func TestKeysOfWrongLengthAreRefused(t *testing.T) {
	for _, n := range []int{0, 16, 31, 33} {
		if _, err := newSealer("a test", make([]byte, n)); err == nil {
			t.Errorf("a key of %d bytes was taken", n)
		}
	}
}

func FuzzReadHeader(f *testing.F) {
	s := sealer(f, "a test", NewKey())
	f.Add(mustSeal(f, s, "name", []byte("content")))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parse(b)
		if err == nil && len(p.head)+len(p.body) != len(b) {
			t.Errorf("%d bytes were parsed into %d and %d", len(b), len(p.head), len(p.body))
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	s := sealer(b, "a test", NewKey())
	content := make([]byte, 4096)
	for b.Loop() {
		mustSeal(b, s, "name", content)
	}
}

func BenchmarkOpen(b *testing.B) {
	s := sealer(b, "a test", NewKey())
	sealed := mustSeal(b, s, "name", make([]byte, 4096))
	for b.Loop() {
		if _, err := open(s, "name", sealed); err != nil {
			b.Fatal(err)
		}
	}
}
