package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// A spread is a median with its quartiles.
type spread struct{ q1, median, q3 float64 }

func spreadOf(v []float64) spread {
	v = slices.Clone(v)
	slices.Sort(v)
	return spread{quantile(v, 0.25), quantile(v, 0.5), quantile(v, 0.75)}
}

// quantile interpolates linearly between the values of sorted; NaN if there are none.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := q * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}

// String writes the median, and the quartiles where they differ from it.
func (s spread) String() string {
	if figure(s.q1) == figure(s.q3) {
		return figure(s.median)
	}
	return fmt.Sprintf("%s [%s..%s]", figure(s.median), figure(s.q1), figure(s.q3))
}

// figure writes v with three digits that mean something.
func figure(v float64) string {
	switch {
	case math.IsNaN(v):
		return "-"
	case v == math.Trunc(v) || math.Abs(v) >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case math.Abs(v) >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
}

// each takes one figure out of every result.
func each[R any](results []R, f func(R) float64) []float64 {
	v := make([]float64, len(results))
	for i, r := range results {
		v[i] = f(r)
	}
	return v
}

// medianOf is the spread of one figure.
func medianOf[R any](results []R, f func(R) float64) spread { return spreadOf(each(results, f)) }

// ratio is the spread of the ratios of one figure, round by round.
func ratio[R any](of, to []R, f func(R) float64) spread {
	v := make([]float64, min(len(of), len(to)))
	for i := range v {
		v[i] = f(of[i]) / f(to[i])
	}
	return spreadOf(v)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
