package sim

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A plan is everything that is going to happen in one run, made before the run begins. The steps are independent of
// each other, so that any of them can be left out to find the few that matter.
type plan struct {
	seed  uint64 // of what the steps leave open: latencies and the engine's jitter
	steps []step // in the order of their instants
}

// An action is what a step does.
type action string

const (
	doSet    action = "set" // a setting of the world or of the clients, before anything starts
	doStart  action = "start"
	doClose  action = "close"
	doCrash  action = "crash"
	doLogin  action = "login"
	doLogout action = "logout"
	doResume action = "resume"
	doRenew  action = "renew"
	doToken  action = "token"
	doReject action = "reject"
	doGet    action = "get"

	doSleep  action = "sleep"  // the laptop is asleep: wall clocks go on, timers stand still
	doClock  action = "clock"  // somebody sets the laptop's wall clock
	doRevoke action = "revoke" // the server revokes the account's access tokens
	doEnd    action = "end"    // the server ends the account's sessions

	// What is armed by these hits the next calls of its kind.
	doRespond action = "respond" // by the auth server
	doOutage  action = "outage"  // by the auth server, for some time
	doCut     action = "cut"     // by what is between a client and the database of its Store, for some time
	doStop    action = "stop"    // by a client whose process is stopped, for some time
	doAPI     action = "api"     // by the API
	doStore   action = "store"
	doUser    action = "user"   // by code of the user's that the engine calls
	doAmbush  action = "ambush" // by a user, at the very instant at which a client comes to a place; what is both
)

// A step is one thing that happens at one virtual instant.
type step struct {
	at   time.Duration // since the beginning
	do   action
	who  int           // whose client: a slot
	what string        // which variant
	dur  time.Duration // how long, how late, or until when
	n    int           // how often, or how many at once; 0 is 1
}

// String is one line of a plan.
func (s step) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s", instant(s.at), s.do)
	if s.do.byClient() {
		fmt.Fprintf(&b, " client %d", s.who)
	}
	if s.what != "" {
		fmt.Fprintf(&b, " %s", s.what)
	}
	if s.dur != 0 {
		fmt.Fprintf(&b, " %s", s.dur)
	}
	if s.n > 1 {
		fmt.Fprintf(&b, " x%d", s.n)
	}
	return b.String()
}

// byClient reports whether an action is one client's.
func (a action) byClient() bool {
	switch a {
	case doStart, doClose, doCrash, doLogin, doLogout, doResume, doRenew, doToken, doReject, doGet, doCut, doStop:
		return true
	}
	return false
}

// instant writes a virtual time with milliseconds, and with the day where there is one.
func instant(d time.Duration) string {
	day := d / (24 * time.Hour)
	d -= day * 24 * time.Hour
	s := fmt.Sprintf("%02d:%02d:%06.3f", d/time.Hour, d%time.Hour/time.Minute, (d % time.Minute).Seconds())
	if day > 0 {
		s = fmt.Sprintf("%dd %s", day, s)
	}
	return s
}

// keep is the plan with only the steps of these indexes.
func (p plan) keep(indexes []int) plan {
	kept := plan{seed: p.seed}
	for _, i := range indexes {
		if i >= 0 && i < len(p.steps) {
			kept.steps = append(kept.steps, p.steps[i])
		}
	}
	return kept
}

// hurry is the plan with no more than most between one step and the next.
func (p plan) hurry(most time.Duration) plan {
	hurried := plan{seed: p.seed}
	var saved, before time.Duration
	for _, s := range p.steps {
		saved += max(s.at-before-most, 0)
		before = s.at
		s.at -= saved
		hurried.steps = append(hurried.steps, s)
	}
	return hurried
}

// sort puts the steps in the order of their instants.
func (p plan) sort() {
	slices.SortStableFunc(p.steps, func(a, b step) int { return cmp.Compare(a.at, b.at) })
}
