package main

import (
	"fmt"
	"time"
)

// herdLimit is how many times the mean need the server of the simulation grants after the outage.
const herdLimit = 2

// A stretch is one line of the report: some time in one simulated course of events.
type stretch struct {
	name     string
	from, to time.Duration
	course   course
	aim      float64 // what the peak is not to exceed; 0: no aim
	busyAim  float64 // the same where callers wait
	limit    bool    // the peak is given in multiples of the server's limit, not of the mean need
}

// A course is what happens after the start.
type course struct {
	login      bool // they start with a login; else with a session that they have
	forks      int  // so many of them are sessions of one process; 0: each is alone in its own
	outage     bool
	retryAfter time.Duration
	limited    bool
}

var (
	calm   = course{}
	logins = course{login: true}
	forks  = course{login: true, forks: herdForks}
	silent = course{outage: true}
	speaks = says(2 * time.Minute)
)

func says(retryAfter time.Duration) course {
	return course{outage: true, limited: true, retryAfter: retryAfter}
}

var herdStretches = []stretch{
	{name: "started together: while they start", to: herdStart, course: calm},
	{name: "first lifetime after it", from: herdStart, to: herdLife, course: calm, aim: 2},
	{name: "second lifetime", from: herdLife, to: 2 * herdLife, course: calm, aim: 2},
	{name: "tenth lifetime", from: herdRun - herdLife, to: herdRun, course: calm, aim: 2},
	{name: "logged in together, 1,000 in a process: first lifetime", to: herdLife, course: forks, aim: 2, busyAim: 2},
	{name: "second lifetime", from: herdLife, to: 2 * herdLife, course: forks, aim: 2, busyAim: 2},
	{name: "logged in together, each in its own: first lifetime", to: herdLife, course: logins},
	{name: "third lifetime", from: 2 * herdLife, to: 3 * herdLife, course: logins, aim: 2},
	{name: "tenth lifetime", from: herdRun - herdLife, to: herdRun, course: logins, aim: 2},
	{name: "an outage, nothing is said: during it", from: outageFrom, to: outageTo, course: silent, aim: 8, busyAim: 20},
	{name: "after it", from: outageTo, to: outageTo + 2*herdLife, course: silent, aim: 8, busyAim: 20},
	{name: "two lifetimes later", from: outageTo + 2*herdLife, to: herdRun, course: silent, aim: 2},
	{name: "an outage, Retry-After 2 min: during it", from: outageFrom, to: outageTo, course: speaks},
	{name: "after it, times the limit", from: outageTo, to: herdRun, course: speaks, aim: 1.5, limit: true},
	{name: "two lifetimes later", from: outageTo + 2*herdLife, to: herdRun, course: speaks, aim: 2},
	{name: "Retry-After 1 min: times the limit", from: outageTo, to: herdRun, course: says(time.Minute), aim: 1.5, limit: true},
	{name: "Retry-After 30 s: times the limit", from: outageTo, to: herdRun, course: says(30 * time.Second), aim: 1.5, limit: true},
	{name: "Retry-After 5 s: times the limit", from: outageTo, to: herdRun, course: says(5 * time.Second), aim: 1.5, limit: true},
	{name: "Retry-After 1 s: times the limit", from: outageTo, to: herdRun, course: says(time.Second), aim: 1.5, limit: true},
}

// runHerd simulates a million clients: started together, and held up together by an outage. They follow the
// package's own schedule, without a network. The same code gives the same figures.
func runHerd(b *bench) error {
	defer b.status.clear()
	clients := or(b, 1_000_000, 200_000)
	ours, busy, common := courses{practice: herdOurs, clients: clients}, courses{practice: herdBusy, clients: clients}, courses{practice: herdCommon, clients: clients}
	fmt.Fprintf(b.out, "%d clients with tokens of %v start within %v. How often the refresh endpoint is called in the\n", clients, herdLife, herdStart)
	fmt.Fprintf(b.out, "busiest second, in multiples of the mean need, or of the rate limit where it says so:\n\n")
	rows := [][]string{{"", herdOurs.name, herdBusy.name, herdCommon.name}}
	for _, s := range herdStretches {
		b.status.show("%s", s.name)
		rows = append(rows, []string{s.name, fmt.Sprintf("%.2f", ours.peak(s)), fmt.Sprintf("%.2f", busy.peak(s)), fmt.Sprintf("%.2f", common.peak(s))})
	}
	b.table(rows)
	fmt.Fprintf(b.out, "The mean need is %.0f refreshes a second, or %.0f with a fixed lead of %v. The outage lasts %v. Where\n",
		ours.of(calm).mean(), common.of(calm).mean(), herdLead, outageTo-outageFrom)
	fmt.Fprintf(b.out, "Retry-After is sent, it is sent during the outage and after it, when %d times the mean need is granted. At most\n", herdLimit)
	half := says(30 * time.Second)
	fmt.Fprintf(b.out, "%.0f %% of the clients are without a valid token at a time where it is 30 s; %.0f %% where callers wait; %.0f %% with\n"+
		"the common practice.\n\n", 100*ours.of(half).lacking(), 100*busy.of(half).lacking(), 100*common.of(half).lacking())
	for _, s := range herdStretches {
		if s.aim > 0 {
			b.count(ours.peak(s) <= s.aim, "%s: %.2f, aim %.1f", s.name, ours.peak(s), s.aim)
		}
		if s.busyAim > 0 {
			b.count(busy.peak(s) <= s.busyAim, "%s, callers wait: %.2f, aim %.1f", s.name, busy.peak(s), s.busyAim)
		}
	}
	for _, cs := range []courses{ours, busy} {
		took := cs.of(silent).recovery()
		b.count(took <= herdLife/10, "%s: each client has a token again %.1f s after an outage in which nothing was said, aim %.0f (a tenth of the lifetime)",
			cs.practice.name, took.Seconds(), (herdLife / 10).Seconds())
	}
	b.plots["herd.svg"] = plotHerd(ours.of(speaks), common.of(speaks))
	b.plots["outage.svg"] = plotOutage(ours.of(silent), busy.of(silent), common.of(silent))
	return nil
}

// courses simulates each course once.
type courses struct {
	practice practice
	clients  int
	done     map[course]*herd
}

func (cs *courses) of(c course) *herd {
	if cs.practice.deaf {
		c.retryAfter = 0
	}
	if h := cs.done[c]; h != nil {
		return h
	}
	if cs.done == nil {
		cs.done = map[course]*herd{}
	}
	cs.done[c] = newHerd(cs.practice, cs.clients, c).run()
	return cs.done[c]
}

func (cs *courses) peak(s stretch) float64 {
	h := cs.of(s.course)
	most := float64(h.peak(s.from, s.to))
	if s.limit {
		return most / float64(h.limit)
	}
	return most / h.mean()
}

// plotHerd shows how often the refresh endpoint is called: the busiest second of each 20.
func plotHerd(ours, common *herd) string {
	c := chart{
		title: fmt.Sprintf("%d clients: started together, an outage from minute %.0f to %.0f", len(ours.next), outageFrom.Minutes(), outageTo.Minutes()),
		x:     "minutes since the start", y: "refreshes/s",
		xMax: herdRun.Minutes(), yMin: 100, yMax: 1_000_000, logY: true,
	}
	granted := series{"rate limit", []point{{0, float64(ours.limit)}, {c.xMax, float64(ours.limit)}}}
	c.series = []series{{ours.name, ours.busiest(0, herdRun, 20*time.Second)}, {"common practice", common.busiest(0, herdRun, 20*time.Second)}, granted}
	return c.svg()
}

// plotOutage shows the outage in which the server says nothing from close by: the busiest second of each 5.
func plotOutage(ours, busy, common *herd) string {
	const from, to = outageFrom - 2*time.Minute, outageTo + 8*time.Minute
	c := chart{
		title: fmt.Sprintf("%d clients: an outage from minute 2 to %.0f, in which nothing is said", len(ours.next), (outageTo - from).Minutes()),
		x:     "minutes", y: "refreshes/s",
		xMax: (to - from).Minutes(), yMin: 100, yMax: 1_000_000, logY: true,
	}
	for _, h := range []*herd{ours, busy, common} {
		c.series = append(c.series, series{h.name, h.busiest(from, to, 5*time.Second)})
	}
	c.series[1].name, c.series[2].name = "callers wait", "common practice"
	need := ours.mean()
	c.series = append(c.series, series{"mean need", []point{{0, need}, {c.xMax, need}}})
	return c.svg()
}

// busiest is the busiest second of each step from one time to another, of which the first is minute 0.
func (h *herd) busiest(from, to, step time.Duration) []point {
	var points []point
	for at := from; at < to; at += step {
		points = append(points, point{(at - from).Minutes(), float64(h.peak(at, at+step))})
	}
	return points
}
