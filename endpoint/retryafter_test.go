package endpoint

import (
	"net/http"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

func TestF26_RetryAfter(t *testing.T) {
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
			tr := trading(t, Settings{}, fakes.Respond(status, "text/html", fakes.HTML, "Date", date, tt.name, tt.value))
			tr.setCookie("rt=r1")
			_, err := tr.refresh(auth.Session{})
			re := failure(t, err)
			got := time.Until(re.Until).Round(100 * time.Millisecond)
			if re.Until.IsZero() {
				got = -1
			}
			if !re.Unsent || got != tt.want {
				t.Errorf("%d %s %q: postponed by %s, want %s", status, tt.name, tt.value, got, tt.want)
			}
		}
	}
}
