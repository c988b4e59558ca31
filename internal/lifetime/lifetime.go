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

// Read reads a number (seconds, or a Unix time in seconds or milliseconds) or a text (a number, a time, a
// duration). What makes no sense (zero, negative, not a number) is not ok.
func Read(v any) (m Moment, ok bool) {
	switch v := v.(type) {
	case json.Number:
		return Parse(v.String())
	case float64:
		return momentOfNumber(v)
	case string:
		return Parse(strings.TrimSpace(v))
	}
	return Moment{}, false
}

func Parse(s string) (Moment, bool) {
	if n, err := strconv.ParseFloat(s, 64); err == nil || isRange(err) {
		return momentOfNumber(n)
	}
	if d := readDuration(s); d > 0 {
		return Moment{After: min(d, Longest)}, true
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateTime, "2006-01-02 15:04:05Z07:00", http.TimeFormat, time.RFC1123Z} {
		if t, err := time.Parse(layout, s); err == nil {
			return Moment{At: t}, true
		}
	}
	return Moment{}, false
}

// isRange reports whether a number was only too large.
func isRange(err error) bool {
	n, ok := errors.AsType[*strconv.NumError](err)
	return ok && n.Err == strconv.ErrRange
}

func momentOfNumber(n float64) (Moment, bool) {
	switch {
	case !(n > 0): // NaN, too
		return Moment{}, false
	case n > 1e11:
		return Moment{At: unix(n / 1000)}, true
	case n > firstTime:
		return Moment{At: unix(n)}, true
	default:
		return Moment{After: secondsLong(n)}, true
	}
}

// unix is a Unix time; what is beyond the year 9999 counts as its end.
func unix(seconds float64) time.Time {
	const end = 253402300799 // 9999-12-31T23:59:59Z
	whole, fraction := math.Modf(min(seconds, end))
	return time.Unix(int64(whole), int64(fraction*1e9))
}

func secondsLong(n float64) time.Duration {
	return time.Duration(min(n, Longest.Seconds()) * float64(time.Second))
}

// readDuration reads "15m", "1h30m", "7d", "2 weeks"; 0 if s is none.
func readDuration(s string) time.Duration {
	s = strings.ToLower(strings.ReplaceAll(s, " ", ""))
	if d, err := time.ParseDuration(s); err == nil {
		return d
	}
	number := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyz")
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || !(n > 0) {
		return 0
	}
	return secondsLong(n * unitSeconds(s[len(number):]))
}

func unitSeconds(unit string) float64 {
	switch strings.TrimSuffix(unit, "s") {
	case "sec", "second":
		return 1
	case "min", "minute":
		return 60
	case "hr", "hour":
		return 3600
	case "d", "day":
		return 86400
	case "w", "week":
		return 7 * 86400
	default:
		return 0
	}
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
