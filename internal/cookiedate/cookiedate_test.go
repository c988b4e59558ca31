package cookiedate

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestCookieDate(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z"},
		{"Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37Z"},
		{"Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37Z"},
		{"6 Nov 2026 8:9:7", "2026-11-06T08:09:07Z"},
		{"Thu Jan 01 1970 00:00:00 GMT+0100 (CET)", "1970-01-01T00:00:00Z"},
		{"1 JANUARY 69 23:59:59", "2069-01-01T23:59:59Z"},
		{"1 jan 70 0:0:0", "1970-01-01T00:00:00Z"},
		{"10:20:30x 29th feb,2024", "2024-02-29T10:20:30Z"},
		{"29 Feb 2023 10:20:30", ""},
		{"31 Apr 2024 10:20:30", ""},
		{"0 Jan 2024 10:20:30", ""},
		{"32 Jan 2024 10:20:30", ""},
		{"1 Jan 1600 10:20:30", ""},
		{"1 Jan 2024 24:00:00", ""},
		{"1 Jan 2024 10:60:00", ""},
		{"1 Jan 2024 10:00:60", ""},
		{"1 Jan 2024 10:00", ""},
		{"1 Jan 2024 10x:00:00", ""},
		{"1 Jan 2024 :10:00", ""},
		{"1 Jan 2024", ""},
		{"1 anf 2024 10:00:00", ""},
		{"Jan 2024 10:00:00", ""},
		{"1 Jan 12345 10:00:00", ""},
		{"2024-01-01T10:00:00Z", ""},
		{"soon", ""},
		{"", ""},
		{strings.Repeat(" ", 1024) + "1 Jan 2024 10:00:00", ""},
	} {
		got := ""
		if d := Parse(tt.in); !d.IsZero() {
			got = d.Format(time.RFC3339)
		}
		if got != tt.want {
			t.Errorf("%q is %q, want %q", tt.in, got, tt.want)
		}
	}
}

// Both read the date of RFC 9110 and its two obsolete forms alike.
func TestCookieDateAgreesWithNetHTTP(t *testing.T) {
	for i := range 1000 {
		day := time.Unix(int64(i)*2_345_678, 0).UTC()
		for _, layout := range []string{http.TimeFormat, time.ANSIC, "Mon, 02-Jan-2006 15:04:05 GMT"} {
			if got := Parse(day.Format(layout)); !got.Equal(day) {
				t.Fatalf("%q is %v", day.Format(layout), got)
			}
		}
	}
}
