package lifetime

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// layouts are the times that servers write, beside those that have a name in readTime.
var layouts = []string{
	time.RFC3339, http.TimeFormat, time.RFC1123Z, time.RFC850, time.ANSIC, time.UnixDate,
	"2006-01-02T15:04:05", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07", "2006-01-02T15:04Z07:00", "2006-01-02T15:04",
	time.DateTime, "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05Z07", "2006-01-02 15:04:05 Z0700", "2006-01-02 15:04:05 Z07:00",
	"2006-01-02 15:04:05 MST", "2006-01-02 15:04:05 -0700 MST", "20060102T150405Z0700", "20060102150405Z0700", "2006/01/02 15:04:05",
	"Mon, _2 Jan 2006 15:04:05 Z0700", "Mon Jan _2 2006 15:04:05 GMT-0700", "Mon Jan _2 15:04:05 -0700 2006",
	"_2 Jan 2006 15:04:05 MST", "_2 Jan 2006 15:04:05 -0700", "January 2, 2006 15:04:05 MST",
}

// readTime reads a time in one of the usual forms. One that does not say where it is meant is UTC.
func readTime(s string) (time.Time, bool) {
	if ms, ok := strings.CutPrefix(strings.Trim(s, `\/`), "Date("); ok { // as ASP.NET writes it
		n, err := strconv.ParseInt(strings.TrimSuffix(ms, ")"), 10, 64)
		return time.UnixMilli(n), err == nil
	}
	s, _, _ = strings.Cut(s, " (") // a script's Date has the zone's name behind it
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil && known(t) {
			return t, true
		}
	}
	return time.Time{}, false
}

// known reports whether a time's zone is one whose offset is known: of any other abbreviation time.Parse makes an
// offset of zero.
func known(t time.Time) bool {
	name, offset := t.Zone()
	return offset != 0 || name == "UTC" || name == "GMT" || name == "Z" || name == ""
}

// readDuration reads "15m", "1h30m", "7d", "2 weeks", "PT15M"; 0 if s is none.
func readDuration(s string) time.Duration {
	s = strings.ToLower(strings.ReplaceAll(s, " ", ""))
	if d, err := time.ParseDuration(s); err == nil {
		return d
	}
	if iso, ok := strings.CutPrefix(s, "p"); ok {
		return readISODuration(iso)
	}
	number := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyz")
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || !(n > 0) {
		return 0
	}
	return secondsLong(n * unitSeconds(s[len(number):]))
}

// readISODuration reads what follows the P of an ISO 8601 duration of weeks, days, hours, minutes and seconds.
func readISODuration(s string) time.Duration {
	date, clock, _ := strings.Cut(s, "t")
	days, ok1 := sum(date, map[byte]float64{'w': 7 * 86400, 'd': 86400})
	seconds, ok2 := sum(clock, map[byte]float64{'h': 3600, 'm': 60, 's': 1})
	if !ok1 || !ok2 {
		return 0
	}
	return secondsLong(days + seconds)
}

// sum adds up numbers of which each has its unit behind it.
func sum(s string, units map[byte]float64) (seconds float64, ok bool) {
	for s != "" {
		end := strings.IndexFunc(s, func(r rune) bool { return r >= 'a' && r <= 'z' })
		if end < 0 {
			return 0, false
		}
		n, err := strconv.ParseFloat(s[:end], 64)
		if err != nil || !(n >= 0) || units[s[end]] == 0 {
			return 0, false
		}
		seconds += n * units[s[end]]
		s = s[end+1:]
	}
	return seconds, true
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
	case "w", "week", "wk":
		return 7 * 86400
	case "millisecond", "milli", "msec":
		return 1e-3
	default:
		return 0
	}
}
