package silentrefresh

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// longestPostponement caps what a server may ask for: an answer that says "in a year" must not end a session.
const longestPostponement = time.Hour

// retryAt is when the server wants to be called again, by this machine's clock; zero if it does not say. What is
// relative to the server's clock is taken by the answer's Date.
func (a *answer) retryAt() time.Time {
	for _, name := range []string{"Retry-After", "X-Retry-After", "RateLimit-Reset", "X-RateLimit-Reset"} {
		if d, ok := a.delay(a.header.Get(name)); ok {
			return time.Now().Add(d)
		}
	}
	if d, ok := a.delay(resetIn(a.header.Get("RateLimit"))); ok {
		return time.Now().Add(d)
	}
	return time.Time{}
}

// delay reads seconds, a Unix time or an HTTP date (RFC 9110 section 10.2.3).
func (a *answer) delay(value string) (time.Duration, bool) {
	value = strings.TrimSpace(value)
	if value == "0" {
		return 0, true
	}
	m, ok := momentOfText(value)
	if !ok {
		t, err := http.ParseTime(value)
		if err != nil {
			return 0, false
		}
		m = moment{at: t}
	}
	return min(m.left(a.date), longestPostponement), true
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
