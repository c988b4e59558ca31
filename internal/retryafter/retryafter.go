// Package retryafter reads when a server wants to be called again.
package retryafter

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/lifetime"
)

// Longest caps what a server may ask for: a response that says "in a year" must not end a session.
const Longest = time.Hour

// At is when a response with the header h asks to be called again, by this machine's clock; zero if it does not
// say. What is relative to the server's clock is counted from date, which that clock showed.
func At(h http.Header, date time.Time) time.Time {
	for _, name := range []string{"Retry-After", "X-Retry-After", "RateLimit-Reset", "X-RateLimit-Reset"} {
		if d, ok := delay(h.Get(name), date); ok {
			return time.Now().Add(d)
		}
	}
	if d, ok := delay(resetIn(h.Get("RateLimit")), date); ok {
		return time.Now().Add(d)
	}
	return time.Time{}
}

// delay reads seconds, a Unix time or an HTTP date (RFC 9110 section 10.2.3).
func delay(value string, date time.Time) (time.Duration, bool) {
	value = strings.TrimSpace(value)
	if value == "0" {
		return 0, true
	}
	m, ok := lifetime.Parse(value)
	if !ok {
		t, err := http.ParseTime(value)
		if err != nil {
			return 0, false
		}
		m = lifetime.Moment{At: t}
	}
	return min(m.Left(date), Longest), true
}

// resetIn is the reset parameter of a RateLimit header: "limit=10, remaining=0, reset=30", or "default";r=0;t=30.
func resetIn(value string) string {
	for part := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ',' || r == ';' || r == ' ' }) {
		name, seconds, _ := strings.Cut(part, "=")
		if name != "reset" && name != "t" {
			continue
		}
		if _, err := strconv.Atoi(seconds); err == nil {
			return seconds
		}
	}
	return ""
}
