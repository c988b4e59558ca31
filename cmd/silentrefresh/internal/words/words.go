// Package words says times and spans as people read them.
package words

import (
	"fmt"
	"time"
)

// Clock is a time as people read it: with the date where it is not today.
func Clock(t time.Time) string {
	t = t.Local()
	now := time.Now()
	switch {
	case t.YearDay() == now.YearDay() && t.Year() == now.Year():
		return t.Format(time.TimeOnly)
	case t.Sub(now).Abs() < 300*24*time.Hour:
		return t.Format("2 Jan 15:04")
	}
	return t.Format("2 Jan 2006")
}

// Span is a length of time in one unit, or in two where one would be too coarse.
func Span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < 0:
		return "0 s"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 100*time.Second:
		return fmt.Sprintf("%.3g s", d.Round(100*time.Millisecond).Seconds())
	case d < 100*time.Minute:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 2*day:
		return two(d.Round(time.Minute), time.Hour, "h", time.Minute, "min")
	}
	return two(d.Round(time.Hour), day, "days", time.Hour, "h")
}

func two(d, unit time.Duration, name string, small time.Duration, smallName string) string {
	text := fmt.Sprintf("%d %s", d/unit, name)
	if rest := d % unit / small; rest > 0 {
		text += fmt.Sprintf(" %d %s", rest, smallName)
	}
	return text
}

// Left is what is left of a countdown, which has to change once a second and no more often.
func Left(d time.Duration) string {
	switch {
	case d <= 0:
		return "0 s"
	case d < 100*time.Second:
		return fmt.Sprintf("%d s", (d+time.Second-1)/time.Second)
	}
	return Span(d)
}
