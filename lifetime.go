package silentrefresh

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// longestLife is the longest lifetime that is believed: what is longer ("never") is cut to it.
const longestLife = 10 * 365 * 24 * time.Hour

// firstTime is the smallest number that is a Unix time (of 1985) rather than a lifetime in seconds (of 16 years).
const firstTime = 5e8

// A moment is the end of something as a server writes it: so long after now, or at a time by the server's clock.
// The zero moment is unknown.
type moment struct {
	after time.Duration
	at    time.Time
}

// left is what is left until m when the server's clock shows now: never negative, 0 if m is over or unknown.
func (m moment) left(now time.Time) time.Duration {
	if m.after > 0 {
		return m.after
	}
	if m.at.IsZero() {
		return 0
	}
	return min(max(m.at.Sub(now), 0), longestLife) // Sub saturates
}

// readMoment reads a number (seconds, or a Unix time in seconds or milliseconds) or a text (a number, a time, a
// duration). What makes no sense (zero, negative, not a number) is not ok.
func readMoment(v any) (m moment, ok bool) {
	switch v := v.(type) {
	case json.Number:
		return momentOfText(v.String())
	case float64:
		return momentOfNumber(v)
	case string:
		return momentOfText(strings.TrimSpace(v))
	}
	return moment{}, false
}

func momentOfText(s string) (moment, bool) {
	if n, err := strconv.ParseFloat(s, 64); err == nil || isRange(err) {
		return momentOfNumber(n)
	}
	if d := readDuration(s); d > 0 {
		return moment{after: min(d, longestLife)}, true
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateTime, "2006-01-02 15:04:05Z07:00", http.TimeFormat, time.RFC1123Z} {
		if t, err := time.Parse(layout, s); err == nil {
			return moment{at: t}, true
		}
	}
	return moment{}, false
}

// isRange reports whether a number was only too large.
func isRange(err error) bool {
	n, ok := errors.AsType[*strconv.NumError](err)
	return ok && n.Err == strconv.ErrRange
}

func momentOfNumber(n float64) (moment, bool) {
	switch {
	case !(n > 0): // NaN, too
		return moment{}, false
	case n > 1e11:
		return moment{at: unix(n / 1000)}, true
	case n > firstTime:
		return moment{at: unix(n)}, true
	default:
		return moment{after: secondsLong(n)}, true
	}
}

// unix is a Unix time; what is beyond the year 9999 counts as its end.
func unix(seconds float64) time.Time {
	const end = 253402300799 // 9999-12-31T23:59:59Z
	whole, fraction := math.Modf(min(seconds, end))
	return time.Unix(int64(whole), int64(fraction*1e9))
}

func secondsLong(n float64) time.Duration {
	return time.Duration(min(n, longestLife.Seconds()) * float64(time.Second))
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

// cookieMoment is when a cookie ends (RFC 6265bis section 5.6: Max-Age wins over Expires).
func cookieMoment(c *http.Cookie) moment {
	if c.MaxAge > 0 {
		return moment{after: secondsLong(float64(c.MaxAge))}
	}
	return moment{at: c.Expires}
}

// shorter is the smaller of two lifetimes of which either may be unknown.
func shorter(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

// endOf is the time when what was asked for at issued, and lives that long, ends; zero if that is unknown. The
// monotonic reading of issued is kept.
func endOf(issued time.Time, life time.Duration) time.Time {
	if life <= 0 {
		return time.Time{}
	}
	return issued.Add(life)
}
