package lifetime

import (
	"encoding/json"
	"math"
	"testing"
	"time"
)

func TestReadMoment(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	for _, tt := range []struct {
		value any
		want  time.Duration
	}{
		{json.Number("900"), 15 * time.Minute}, {"900", 15 * time.Minute}, {" 900 ", 15 * time.Minute}, {900.5, 900500 * time.Millisecond},
		{json.Number("9e2"), 15 * time.Minute}, {json.Number("1700000060"), time.Minute}, {json.Number("1700000060000"), time.Minute},
		{json.Number("1700000060.5"), 60500 * time.Millisecond}, {"1700000060", time.Minute},
		{"15m", 15 * time.Minute}, {"3600s", time.Hour}, {"1h30m", 90 * time.Minute}, {"7d", 7 * 24 * time.Hour}, {"2 weeks", 14 * 24 * time.Hour},
		{"10 minutes", 10 * time.Minute}, {"1 hour", time.Hour}, {"30 secs", 30 * time.Second}, {"1 Day", 24 * time.Hour},
		{"2023-11-14T22:14:20Z", time.Minute}, {"2023-11-14T23:14:20+01:00", time.Minute}, {"2023-11-14T22:14:20.000Z", time.Minute},
		{"2023-11-14T22:14:20", time.Minute}, {"2023-11-14 22:14:20", time.Minute}, {"Tue, 14 Nov 2023 22:14:20 GMT", time.Minute},
		{json.Number("0"), 0}, {json.Number("-1"), 0}, {math.NaN(), 0}, {math.Inf(-1), 0}, {"", 0}, {"m", 0}, {"-15m", 0}, {"5 parsecs", 0},
		{true, 0}, {nil, 0}, {[]any{1.0}, 0}, {"2023-11-14T22:12:20Z", 0},
		{math.Inf(1), Longest}, {json.Number("9223372036854775807"), Longest}, {json.Number("1e999"), Longest}, {"1e999", Longest},
		{"99999999999999d", Longest}, {json.Number("400000000"), Longest}, {json.Number("999999999"), 0}, {"9999-12-31T23:59:59Z", Longest}, {math.MaxFloat64, Longest},
	} {
		m, _ := Read(tt.value)
		if got := m.Left(now); got != tt.want {
			t.Errorf("%v leaves %s, want %s", tt.value, got, tt.want)
		}
	}
}

func TestF88_ReadIn(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	for _, tt := range []struct {
		value any
		unit  time.Duration
		want  time.Duration
	}{
		{json.Number("300000"), time.Millisecond, 5 * time.Minute}, {"300000", time.Millisecond, 5 * time.Minute}, {"0.5", time.Hour, 30 * time.Minute},
		{json.Number("1700000060000"), time.Millisecond, time.Minute}, {json.Number("1700000060"), time.Minute, time.Minute},
		{"15m", time.Millisecond, 15 * time.Minute}, {"2023-11-14T22:14:20Z", time.Hour, time.Minute}, {json.Number("1e999"), time.Hour, Longest},
		{json.Number("-5"), time.Hour, 0}, {math.NaN(), time.Hour, 0},
	} {
		m, _ := ReadIn(tt.value, tt.unit)
		if got := m.Left(now); got != tt.want {
			t.Errorf("%v in %s leaves %s, want %s", tt.value, tt.unit, got, tt.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{"3600", "PT1H", "1e999", "15m", "2 weeks", "/Date(1700000000000)/", "Tue Nov 14 2023 22:14:20 GMT+0000 (UTC)", "20231114T221420Z"} {
		f.Add(s, int64(0))
		f.Add(s, int64(time.Millisecond))
	}
	f.Fuzz(func(t *testing.T, s string, unit int64) {
		m, ok := ReadIn(s, time.Duration(unit%int64(48*time.Hour)))
		if left := m.Left(time.Now()); left < 0 || left > Longest || !ok && left != 0 {
			t.Errorf("%q leaves %s, %t", s, left, ok)
		}
	})
}
