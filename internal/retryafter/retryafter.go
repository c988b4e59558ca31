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

// At is when a response that refuses with status and the header h asks to be called again, by this machine's clock;
// zero if it does not say. What the server counts by its own clock is compared with its Date.
//
// Retry-After (RFC 9110 section 10.2.3) counts with every status. What limits of rates say is on every response of many
// servers: it counts where the limit is what refused, with 429 and 503, or where nothing remains.
func At(status int, h http.Header) time.Time {
	now := time.Now()
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		date = now
	}
	limited := status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
	for _, wait := range []func(http.Header, time.Time, bool) (time.Duration, bool){asked, reset, policies} {
		if d, ok := wait(h, date, limited); ok {
			return now.Add(min(d, Longest))
		}
	}
	return time.Time{}
}

// asked is what the server asks for, whatever limits it has.
func asked(h http.Header, date time.Time, _ bool) (time.Duration, bool) {
	for _, name := range []string{"Retry-After-Ms", "X-Ms-Retry-After-Ms"} {
		if ms, err := strconv.ParseFloat(h.Get(name), 64); err == nil && ms >= 0 {
			return time.Duration(min(ms, float64(Longest.Milliseconds())) * float64(time.Millisecond)), true
		}
	}
	for _, name := range []string{"Retry-After", "X-Retry-After"} {
		if d, ok := delay(h.Get(name), date); ok {
			return d, true
		}
	}
	return 0, false
}

// reset is when a limit begins anew, in one of the headers that have only that.
func reset(h http.Header, date time.Time, limited bool) (time.Duration, bool) {
	for _, prefix := range []string{"RateLimit-", "X-RateLimit-", "X-Rate-Limit-"} {
		if remaining := h.Get(prefix + "Remaining"); !limited && strings.TrimSpace(remaining) != "0" {
			continue
		}
		for _, name := range []string{"Reset", "Reset-After"} {
			if d, ok := delay(h.Get(prefix+name), date); ok {
				return d, true
			}
		}
	}
	return 0, false
}

// policies is when the last of the used up limits of a RateLimit header begins anew: "limit=10, remaining=0, reset=30",
// or "burst";r=0;t=10, "daily";r=7;t=3600 (both forms of draft-ietf-httpapi-ratelimit-headers). Where none says that
// it is used up, any may be the one that refused.
func policies(h http.Header, date time.Time, limited bool) (time.Duration, bool) {
	var all, used []time.Duration
	for _, policy := range split(strings.Join(h.Values("RateLimit"), ",")) {
		parameters := map[string]string{}
		for part := range strings.FieldsFuncSeq(policy, func(r rune) bool { return r == ',' || r == ';' || r == ' ' }) {
			name, value, _ := strings.Cut(part, "=")
			parameters[strings.ToLower(name)] = value
		}
		d, ok := delay(parameters["reset"]+parameters["t"], date)
		if ok {
			all = append(all, d)
		}
		if ok && parameters["remaining"]+parameters["r"] == "0" {
			used = append(used, d)
		}
	}
	if len(used) == 0 && limited {
		used = all
	}
	longest := time.Duration(0)
	for _, d := range used {
		longest = max(longest, d)
	}
	return longest, len(used) > 0
}

// split splits a RateLimit header into its policies. The older form has one, whose parts are separated as policies are.
func split(value string) []string {
	if !strings.Contains(value, ";") {
		return []string{value}
	}
	return strings.Split(value, ",")
}

// delay reads seconds, a Unix time or an HTTP date.
func delay(value string, date time.Time) (time.Duration, bool) {
	value = strings.TrimSpace(value)
	if n, err := strconv.ParseFloat(value, 64); err == nil && n == 0 {
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
	return m.Left(date), true
}
