// Package cookiedate reads the dates of cookies that net/http does not understand.
package cookiedate

import (
	"strconv"
	"strings"
	"time"
)

// maxLength is the longest attribute that is looked at (RFC 6265bis section 5.6), in bytes.
const maxLength = 1024

// Parse reads an Expires attribute by the tolerant algorithm of RFC 6265bis section 5.1.1, for the dates
// that net/http does not understand. It returns the zero time for what is no date: the attribute is then ignored.
func Parse(s string) time.Time {
	if len(s) > maxLength {
		return time.Time{}
	}
	clock, day, month, year := -1*time.Second, -1, -1, -1
	for _, token := range strings.FieldsFunc(s, dateDelimiter) {
		if d, ok := clockOf(token); ok && clock < 0 {
			clock = d
		} else if n, ok := numberOf(token, 1, 2); ok && day < 0 {
			day = n
		} else if m, ok := monthOf(token); ok && month < 0 {
			month = m
		} else if n, ok := numberOf(token, 2, 4); ok && year < 0 {
			year = n
		}
	}
	switch {
	case year >= 70 && year <= 99:
		year += 1900
	case year >= 0 && year <= 69:
		year += 2000
	}
	if clock < 0 || day < 1 || month < 1 || year < 1601 {
		return time.Time{}
	}
	date := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if date.Day() != day { // there is no such day
		return time.Time{}
	}
	return date.Add(clock)
}

// dateDelimiter reports whether r separates the parts of a date: it is neither letter nor digit nor colon, and
// neither control character nor beyond ASCII.
func dateDelimiter(r rune) bool {
	return r == '\t' || ' ' <= r && r <= '/' || ';' <= r && r <= '@' || '[' <= r && r <= '`' || '{' <= r && r <= '~'
}

// clockOf reads hh:mm:ss.
func clockOf(token string) (time.Duration, bool) {
	h, rest, _ := strings.Cut(token, ":")
	m, s, ok := strings.Cut(rest, ":")
	hour, ok1 := numberOf(h, 1, 2)
	minute, ok2 := numberOf(m, 1, 2)
	second, ok3 := numberOf(s, 1, 2)
	if !ok || !ok1 || !ok2 || !ok3 || leadingDigits(h) != len(h) || leadingDigits(m) != len(m) {
		return 0, false
	}
	if hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second, true
}

// numberOf reads the least to most digits that token begins with; what follows them does not matter.
func numberOf(token string, least, most int) (int, bool) {
	n := leadingDigits(token)
	if n < least || n > most {
		return 0, false
	}
	v, err := strconv.Atoi(token[:n])
	return v, err == nil
}

// leadingDigits counts the digits that s begins with.
func leadingDigits(s string) int { return len(s) - len(strings.TrimLeft(s, "0123456789")) }

// monthOf reads the three letters of a month; what follows them does not matter.
func monthOf(token string) (int, bool) {
	const months = "janfebmaraprmayjunjulaugsepoctnovdec"
	if len(token) < 3 {
		return 0, false
	}
	i := strings.Index(months, strings.ToLower(token[:3]))
	return i/3 + 1, i >= 0 && i%3 == 0
}
