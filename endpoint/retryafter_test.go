package endpoint

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// postponed is by how much a refresh is postponed that is refused with status and headers; -1: not at all.
func postponed(t *testing.T, status int, headers ...string) (time.Duration, *auth.Error) {
	t.Helper()
	call := callerOf(t, Settings{}, fakes.Respond(status, "application/json", `{}`, headers...))
	call.setCookie("rt=r1")
	_, err := call.refresh(auth.Session{})
	f := failure(t, err)
	if f.Until.IsZero() {
		return -1, f
	}
	return time.Until(f.Until).Round(100 * time.Millisecond), f
}

func TestF26_RetryAfter(t *testing.T) { synctest.Test(t, retryAfter) }

func retryAfter(t *testing.T) {
	server := time.Now().Add(-3 * time.Hour).Truncate(time.Second) // its clock is wrong
	date := server.UTC().Format(http.TimeFormat)
	for _, tt := range []struct {
		name, value string
		want        time.Duration
	}{
		{"Retry-After", "30", 30 * time.Second}, {"Retry-After", "0", 0}, {"Retry-After", "1.5", 1500 * time.Millisecond},
		{"Retry-After", server.Add(time.Minute).UTC().Format(http.TimeFormat), time.Minute},
		{"Retry-After", server.Add(-time.Minute).UTC().Format(http.TimeFormat), 0},
		{"Retry-After", "86400", time.Hour}, {"Retry-After", "999999999999999999999", time.Hour}, {"Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT", time.Hour},
		{"Retry-After", "-5", -1}, {"Retry-After", "soon", -1}, {"Retry-After", "NaN", -1}, {"Retry-After", "", -1},
		{"X-Retry-After", "30", 30 * time.Second}, {"RateLimit-Reset", "30", 30 * time.Second},
		{"X-RateLimit-Reset", "30", 30 * time.Second}, {"X-RateLimit-Reset", fakes.UnixText(server.Add(time.Minute)), time.Minute},
		{"X-RateLimit-Reset", fakes.UnixText(server.Add(time.Minute)) + "000", time.Minute},
		{"RateLimit", "limit=10, remaining=0, reset=30", 30 * time.Second}, {"RateLimit", `"default";r=0;t=30`, 30 * time.Second},
		{"RateLimit", `"default";r=0`, -1},
	} {
		for _, status := range []int{429, 503} {
			got, f := postponed(t, status, "Date", date, tt.name, tt.value)
			if !f.Unsent || got != tt.want {
				t.Errorf("%d %s %q: postponed by %s, want %s", status, tt.name, tt.value, got, tt.want)
			}
		}
	}
}

func TestF82_RetryAfterCountsWithEveryStatusThatRefuses(t *testing.T) {
	synctest.Test(t, everyStatusThatRefuses)
}

func everyStatusThatRefuses(t *testing.T) {
	server := time.Now().Add(2 * time.Hour).Truncate(time.Second)
	date, then := server.UTC().Format(http.TimeFormat), server.Add(time.Minute).UTC().Format(http.TimeFormat)
	for _, status := range []int{400, 403, 404, 408, 409, 413, 422, 425, 429, 500, 502, 503, 504} {
		for _, value := range []string{"60", then} {
			if got, _ := postponed(t, status, "Date", date, "Retry-After", value); got != time.Minute {
				t.Errorf("%d, %s: postponed by %s, want a minute", status, value, got)
			}
		}
	}
}

func TestF82_AServerThatSaysWhenIsNotAskedAgainAtOnce(t *testing.T) {
	for _, tt := range []struct {
		headers []string
		calls   int
	}{{nil, 2}, {[]string{"Retry-After", "0"}, 2}, {[]string{"Retry-After", "60"}, 1}} {
		call := callerOf(t, Settings{}, fakes.Respond(502, "text/plain", "", tt.headers...))
		call.setCookie("rt=r1")
		call.refresh(auth.Session{})
		if len(call.seen) != tt.calls {
			t.Errorf("%q: %d calls, want %d", tt.headers, len(call.seen), tt.calls)
		}
	}
}

func TestF82_LimitsOfRates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now().Truncate(time.Second)
		date := now.UTC().Format(http.TimeFormat)
		for _, tt := range []struct {
			name    string
			status  int
			headers []string
			want    time.Duration
		}{
			{"Okta", 429, []string{"X-Rate-Limit-Limit", "10", "X-Rate-Limit-Remaining", "0", "X-Rate-Limit-Reset", fakes.UnixText(now.Add(time.Minute))}, time.Minute},
			{"seconds", 429, []string{"X-Rate-Limit-Reset", "60"}, time.Minute},
			{"GitHub, 403", 403, []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", fakes.UnixText(now.Add(time.Minute))}, time.Minute},
			{"Discord", 429, []string{"X-RateLimit-Reset-After", "1.5"}, 1500 * time.Millisecond},
			{"milliseconds", 429, []string{"Retry-After-Ms", "1500"}, 1500 * time.Millisecond},
			{"remains, and another thing refused", 400, []string{"X-RateLimit-Remaining", "9", "X-RateLimit-Reset", "3600"}, -1},
			{"says nothing of what remains", 400, []string{"RateLimit-Reset", "3600"}, -1},
			{"draft, remains", 400, []string{"RateLimit", "limit=10, remaining=9, reset=3600"}, -1},
			{"draft, used up", 400, []string{"RateLimit", "limit=10, remaining=0, reset=60"}, time.Minute},
			{"two policies, one used up", 429, []string{"RateLimit", `"burst";r=0;t=10, "daily";r=7;t=3000`}, 10 * time.Second},
			{"two policies, in two fields", 429, []string{"RateLimit", `"burst";r=0;t=10`, "RateLimit", `"hourly";r=0;t=600`}, 10 * time.Minute},
			{"Retry-After first", 429, []string{"RateLimit", `"daily";r=0;t=3000`, "Retry-After", "5"}, 5 * time.Second},
			{"nonsense", 429, []string{"RateLimit", `;;;,,=,"`, "X-Rate-Limit-Reset", "soon"}, -1},
		} {
			got, f := postponed(t, tt.status, append(tt.headers, "Date", date)...)
			if got != tt.want || f.RateLimited != (tt.status == 429) {
				t.Errorf("%s: postponed by %s, want %s: %+v", tt.name, got, tt.want, f)
			}
		}
	})
}

func TestF82_ARateLimitInWords(t *testing.T) {
	for body, status := range map[string]int{
		`{"error":"slow_down"}`:                            400,
		`{"ok":false,"error":"ratelimited"}`:               200,
		`{"error":{"message":"User Rate Limit Exceeded"}}`: 403,
		`{"message":"Too many requests"}`:                  400,
	} {
		call := callerOf(t, Settings{}, fakes.RespondJSON(status, body))
		call.setCookie("rt=r1")
		_, err := call.refresh(auth.Session{})
		if f := failure(t, err); !f.RateLimited || !f.Unsent || f.Refused || f.Doubtful {
			t.Errorf("%d %s: %+v", status, body, f)
		}
	}
}
