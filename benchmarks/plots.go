package main

import (
	"slices"
	"time"
)

// plotRollover shows the slowest request of each 50 ms through two rollovers: tokens of 2 s, renewed 500 ms ahead.
func plotRollover(got map[string][]watch) string {
	c := chart{
		title: "The slowest request of each 50 ms while two tokens end (2,000 requests a second)",
		x:     "seconds since the login", y: "ms",
		xMax: 5, yMin: 0.1, yMax: 1000, logY: true,
	}
	for _, name := range []string{nameOurs, oauth2Transport.name, mutexRecheck.name, cloudAuth.name, azcorePolicy.name, nameLimit} {
		if len(got[name]) > 0 {
			c.series = append(c.series, series{name, slowest(got[name][0].moments, 50*time.Millisecond)})
		}
	}
	return c.svg()
}

func slowest(moments []moment, bucket time.Duration) []point {
	worst := map[time.Duration]time.Duration{}
	for _, m := range moments {
		at := m.due.Truncate(bucket)
		worst[at] = max(worst[at], m.took)
	}
	points := make([]point, 0, len(worst))
	for at, took := range worst {
		points = append(points, point{at.Seconds(), ms(took)})
	}
	slices.SortFunc(points, func(a, b point) int { return int(1e6 * (a.x - b.x)) })
	return points
}

// plotStorm shows how many of the requests were answered with success, over time.
func plotStorm(got map[string][]outcome) string {
	c := chart{
		title: "2,000 requests whose token was revoked: answered with success",
		x:     "ms since the start; a refresh takes 100 ms", y: "requests",
		xMax: 500, yMax: stormSize,
	}
	for _, name := range []string{nameOurs, mutexRecheck.name, mutexOnly.name, azcorePolicy.name, clientGo.name} {
		if len(got[name]) > 0 {
			c.series = append(c.series, series{name, answered(got[name][0].done)})
		}
	}
	return c.svg()
}

// answered counts up; it keeps every 20th point and the last.
func answered(done []time.Duration) []point {
	slices.Sort(done)
	points := []point{{}}
	for i, d := range done {
		if i%20 == 0 || i == len(done)-1 {
			points = append(points, point{ms(d), float64(i + 1)})
		}
	}
	return points
}
