package endpoint

import (
	"errors"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/lifetime"
)

// A Duration is a time.Duration that JSON writes as a string: "90s", "30m", "14d".
type Duration time.Duration

// String is that string, in the units of time.Duration.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText writes String, and nothing for 0.
func (d Duration) MarshalText() ([]byte, error) {
	if d == 0 {
		return nil, nil
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads what time.ParseDuration does, and days and weeks ("d", "w"); an empty text is 0. A number without
// a unit is a mistake.
func (d *Duration) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = 0
		return nil
	}
	last := text[len(text)-1]
	m, ok := lifetime.Parse(string(text))
	if !ok || m.After == 0 || strings.ContainsRune("0123456789.", rune(last)) {
		return errors.New("not a time span: write it as 90s, 15m, 8h or 14d")
	}
	*d = Duration(m.After)
	return nil
}

// check reports a duration that no session has.
func (d Duration) check(setting string, m *mistakes) {
	switch {
	case d < 0:
		m.add("%s is negative (%s); leave it 0 if it is unknown", setting, d)
	case d > 0 && d < Duration(time.Second):
		m.add("%s is %s, less than a second; in Go, multiply it by a unit such as time.Second", setting, d)
	}
}
