// Package lifetime reads when something ends, in the many ways in which servers write that.
package lifetime

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Longest is the longest lifetime that is believed: what is longer ("never") is cut to it.
const Longest = 10 * 365 * 24 * time.Hour

// firstTime is the smallest number that is a Unix time (of 1985) rather than a lifetime in seconds (of 16 years).
const firstTime = 5e8

// lastTime is the end of the year 9999 as a Unix time.
const lastTime = 253402300799

// longestText is the longest text that is read as a time or a duration.
const longestText = 100

// A Moment is the end of something as a server writes it: so long after now, or at a time by the server's clock.
// The zero moment is unknown.
type Moment struct {
	After time.Duration
	At    time.Time
}

// Left is what is left until m when the server's clock shows now: never negative, 0 if m is over or unknown.
func (m Moment) Left(now time.Time) time.Duration {
	if m.After > 0 {
		return m.After
	}
	if m.At.IsZero() {
		return 0
	}
	return min(max(m.At.Sub(now), 0), Longest) // Sub saturates
}

// Read reads a number (seconds, or a Unix time in seconds, milliseconds or less) or a text (a number, a time, a
// duration). What makes no sense (zero, negative, not a number) is not ok.
func Read(v any) (m Moment, ok bool) { return ReadIn(v, 0) }

// ReadIn is Read for a number that counts units; 0: what its size makes likely. A text that says by itself what it
// means, a time or a duration, is not touched by that.
func ReadIn(v any, unit time.Duration) (m Moment, ok bool) {
	switch v := v.(type) {
	case json.Number:
		return parseIn(v.String(), unit)
	case float64:
		return ofNumber(v, unit)
	case string:
		return parseIn(strings.TrimSpace(v), unit)
	}
	return Moment{}, false
}

// Parse is Read for a text.
func Parse(s string) (Moment, bool) { return parseIn(s, 0) }

func parseIn(s string, unit time.Duration) (Moment, bool) {
	if len(s) > longestText {
		return Moment{}, false
	}
	if n, err := strconv.ParseFloat(s, 64); err == nil || isRange(err) {
		return ofNumber(n, unit)
	}
	if d := readDuration(s); d > 0 {
		return Moment{After: min(d, Longest)}, true
	}
	if t, ok := readTime(s); ok {
		return Moment{At: t}, true
	}
	return Moment{}, false
}

// isRange reports whether a number was only too large.
func isRange(err error) bool {
	n, ok := errors.AsType[*strconv.NumError](err)
	return ok && n.Err == strconv.ErrRange
}

// ofNumber reads a number of units. Without one it is seconds, unless it is so large that it must be a Unix time in
// seconds, milliseconds, microseconds or nanoseconds: the lifetimes of that length, and the times so early, have no use.
func ofNumber(n float64, unit time.Duration) (Moment, bool) {
	seconds := n
	switch {
	case !(n > 0): // NaN, too
		return Moment{}, false
	case unit > time.Second && n <= firstTime: // no times are counted so
		return Moment{After: secondsLong(n * unit.Seconds())}, true
	case unit != 0 && unit < time.Second && n*unit.Seconds() < lastTime:
		seconds = n * unit.Seconds()
	case n > 1e17:
		seconds = n / 1e9
	case n > 1e14:
		seconds = n / 1e6
	case n > 1e11:
		seconds = n / 1e3
	}
	if seconds > firstTime {
		return Moment{At: unix(seconds)}, true
	}
	return Moment{After: secondsLong(seconds)}, true
}

// unix is a Unix time; what is beyond the year 9999 counts as its end.
func unix(seconds float64) time.Time {
	whole, fraction := math.Modf(min(seconds, lastTime))
	return time.Unix(int64(whole), int64(fraction*1e9))
}

func secondsLong(n float64) time.Duration {
	return time.Duration(min(n, Longest.Seconds()) * float64(time.Second))
}

// OfCookie is when a cookie ends (RFC 6265bis section 5.6: Max-Age wins over Expires).
func OfCookie(c *http.Cookie) Moment {
	if c.MaxAge > 0 {
		return Moment{After: secondsLong(float64(c.MaxAge))}
	}
	return Moment{At: c.Expires}
}

// Shorter is the smaller of two lifetimes of which either may be unknown.
func Shorter(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

// End is the time when what was asked for at issued, and lives that long, ends; zero if that is unknown. The
// monotonic reading of issued is kept.
func End(issued time.Time, life time.Duration) time.Time {
	if life <= 0 {
		return time.Time{}
	}
	return issued.Add(life)
}
