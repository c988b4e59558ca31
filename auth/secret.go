package auth

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Redacted is what a Secret and a Response print in their place.
const Redacted = "[redacted]"

// Secret holds a token. It prints, logs and marshals as "[redacted]", whatever the verb, also as a field of
// somebody else's struct: fmt does not call methods on unexported fields, so the text sits behind a pointer, and
// all that fmt can show of it is an address.
//
// The zero value holds nothing. A Secret is immutable and safe for concurrent use.
type Secret struct{ s *string }

// NewSecret wraps s as it is, white space at its ends included. The empty string gives the zero Secret.
func NewSecret(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{s: &s}
}

// Reveal returns the text, "" for the zero Secret. It is the only way to it.
func (s Secret) Reveal() string {
	if s.s == nil {
		return ""
	}
	return *s.s
}

// IsZero reports whether s holds nothing.
func (s Secret) IsZero() bool { return s.s == nil }

// Equal compares without telling by its duration where two tokens differ.
func (s Secret) Equal(o Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(o.Reveal())) == 1
}

// String returns "[redacted]", or "" for the zero Secret.
func (s Secret) String() string {
	if s.s == nil {
		return ""
	}
	return Redacted
}

// GoString is String, for %#v.
func (s Secret) GoString() string { return s.String() }

// Format writes String for every verb.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, s.String()) }

// LogValue is String, for log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON writes "[redacted]", or an empty string: a Secret never survives a JSON dump.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + s.String() + `"`), nil }

// MarshalText is MarshalJSON for other encodings.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes a secret out of a configuration file. It refuses what Secret writes: that was a dump.
func (s *Secret) UnmarshalText(text []byte) error {
	if string(text) == Redacted {
		return errors.New("silentrefresh: " + Redacted + " stands for a secret, and is none")
	}
	*s = NewSecret(string(text))
	return nil
}
