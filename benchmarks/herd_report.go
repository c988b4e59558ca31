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
	limit    bool    // the peak is given in multiples of the server's limit, not of the mean need
}

// A course is what happens after the start.
type course struct {
	login      bool // they start with a login; else with a session that they have
	outage     bool
	retryAfter time.Duration
	limited    bool
}

var (
	calm   = course{}
	logins = course{login: true}
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
	{name: "logged in together: first lifetime", to: herdLife, course: logins},
	{name: "third lifetime", from: 2 * herdLife, to: 3 * herdLife, course: logins, aim: 2},
	{name: "tenth lifetime", from: herdRun - herdLife, to: herdRun, course: logins, aim: 2},
	{name: "an outage, nothing is said: during it", from: outageFrom, to: outageTo, course: silent},
	{name: "after it", from: outageTo, to: outageTo + 2*herdLife, course: silent},
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
	}
	b.plots["herd.svg"] = plotHerd(ours.of(speaks), common.of(speaks))
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
	h := newHerd(cs.practice, cs.clients, c.login)
	h.outage, h.retryAfter = c.outage, c.retryAfter
	if c.limited {
		h.limit = int(herdLimit * h.mean())
	}
	if cs.done == nil {
		cs.done = map[course]*herd{}
	}
	cs.done[c] = h.run()
	return h
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
	c.series = []series{{ours.name, ours.busiest()}, {"common practice", common.busiest()}, granted}
	return c.svg()
}

func (h *herd) busiest() []point {
	const step = 20 * time.Second
	var points []point
	for at := time.Duration(0); at < herdRun; at += step {
		points = append(points, point{at.Minutes(), float64(h.peak(at, at+step))})
	}
	return points
}
