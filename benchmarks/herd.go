package main

import (
	"math/rand/v2"
	"slices"
	"time"

	schedule "github.com/silentrefresh/silentrefresh/internal/pace"
)

const (
	herdLife   = 15 * time.Minute
	herdTick   = 100 * time.Millisecond
	herdRun    = 10 * herdLife // how long a simulation runs
	herdStart  = 10 * time.Second
	herdForks  = 1000 // sessions of a process that has many
	outageFrom = 68 * time.Minute
	outageTo   = outageFrom + 5*time.Minute
	// herdLead is how long before a token's end the common practice renews it: at 70 minutes, among others, which
	// is in the outage.
	herdLead = time.Minute
)

// A practice is how a client decides when to ask for a token.
type practice struct {
	name string
	deaf bool // it does not listen to Retry-After
	// renew is how old a token gets.
	renew func(wide bool, r float64) time.Duration
	// retry is how long to wait after a failure; asked is what the server said, 0 if nothing.
	retry func(asked time.Duration, w woe, r float64) time.Duration
}

// A woe is what a client that has failed knows.
type woe struct {
	lasts time.Duration // since the first failure in a row
	spare time.Duration // that the token is still good for
}

var (
	herdOurs = practice{name: nameOurs, renew: herdRenew, retry: herdRetry}
	herdBusy = practice{name: nameOurs + ", callers wait", renew: herdRenew, retry: herdRetryBusy}
	// At once is after a second here, which flatters it: what fails fast is asked again faster.
	herdCommon = practice{name: "fixed lead, no jitter, retry at once", deaf: true,
		renew: func(bool, float64) time.Duration { return herdLife - herdLead },
		retry: func(time.Duration, woe, float64) time.Duration { return time.Second }}
)

func herdRenew(wide bool, r float64) time.Duration { return schedule.Renewal(herdLife, 0, wide, r) }

// herdRetry is what Client.failed does.
func herdRetry(asked time.Duration, w woe, r float64) time.Duration {
	if asked > 0 {
		return schedule.Postponed(asked, w.spare, w.lasts, r)
	}
	return w.trouble().Wait(r)
}

// herdRetryBusy is herdRetry with callers who wait from when the token has ended, which is what Client.pause does.
func herdRetryBusy(asked time.Duration, w woe, r float64) time.Duration {
	sooner := w.trouble().Demanded(10*time.Second, r)
	if asked > 0 {
		sooner = schedule.PostponedFor(asked, w.lasts, r)
	}
	return min(herdRetry(asked, w, r), max(sooner, w.spare))
}

func (w woe) trouble() schedule.Trouble {
	return schedule.Trouble{Lasts: w.lasts, Spare: w.spare, Life: herdLife}
}

// A herd is many clients of one auth server, simulated event by event. Times are in ticks.
type herd struct {
	practice
	rng *rand.Rand
	// Each client waits in one list, that of the tick of its next attempt: first is the head of each, next goes on.
	first, next []int32
	failures    []uint8
	refusing    []int32 // the first failure in a row
	ends        []int32 // the token's end
	wide        []uint8 // renewals until the one that is spread wide; 0: none will be

	recovered  int           // the tick at which the last client that had failed had its token
	outage     bool          // from outageFrom to outageTo
	retryAfter time.Duration // what the server asks for when it refuses; 0: it says nothing
	limit      int           // refreshes a second that the server grants; 0: any number

	attempts []int   // per second
	granted  []int   // per second
	ended    []int32 // tokens that ended at a tick before they were renewed, less those that were renewed late
}

const nobody = -1

// newHerd makes a herd that starts within herdStart: with a login, or with a session whose token has ended, which is
// refreshed at once. The schedule spreads the first renewal after that refresh wide; and so after a login that is one of
// many in its process, else the second.
func newHerd(p practice, clients int, c course) *herd {
	h := &herd{
		practice: p, rng: rand.New(rand.NewPCG(1, 2)),
		first: make([]int32, herdRun/herdTick), next: make([]int32, clients),
		failures: make([]uint8, clients), refusing: make([]int32, clients), ends: make([]int32, clients), wide: make([]uint8, clients),
		attempts: make([]int, herdRun/time.Second), granted: make([]int, herdRun/time.Second),
		ended: make([]int32, herdRun/herdTick+1), outage: c.outage, retryAfter: c.retryAfter,
	}
	for i := range h.first {
		h.first[i] = nobody
	}
	processes := make([]schedule.Crowd, clients)
	for i := range h.next {
		start := int(h.rng.Float64() * float64(herdStart/herdTick))
		h.wide[i], h.ends[i] = 1, int32(start)
		switch {
		case !c.login:
			h.attempts[start/int(time.Second/herdTick)]++
		case !processes[i/max(c.forks, 1)].Join(time.Unix(0, 0).Add(time.Duration(start)*herdTick), herdLife):
			h.wide[i] = 2
		}
		h.renewed(int32(i), start)
	}
	if c.limited {
		h.limit = int(herdLimit * h.mean())
	}
	return h
}

// run simulates it all.
func (h *herd) run() *herd {
	for now := range h.first {
		for client := h.first[now]; client != nobody; {
			following := h.next[client] // its attempt puts it into another list
			h.attempt(client, now)
			client = following
		}
	}
	return h
}

func (h *herd) attempt(client int32, now int) {
	second := now / int(time.Second/herdTick)
	h.attempts[second]++
	if h.down(now) || h.limit > 0 && h.granted[second] == h.limit {
		h.refuse(client, now)
		return
	}
	h.granted[second]++
	if h.failures[client] > 0 {
		h.failures[client], h.recovered = 0, now
	}
	h.renewed(client, now)
}

func (h *herd) refuse(client int32, now int) {
	if h.failures[client] == 0 {
		h.refusing[client] = int32(now)
	}
	h.failures[client] = min(h.failures[client]+1, 200)
	h.wide[client] = 1
	w := woe{
		lasts: time.Duration(int32(now)-h.refusing[client]) * herdTick,
		spare: time.Duration(max(0, h.ends[client]-int32(now))) * herdTick,
	}
	h.at(client, now, h.retry(h.retryAfter, w, h.rng.Float64()))
}

func (h *herd) down(now int) bool {
	return h.outage && now >= int(outageFrom/herdTick) && now < int(outageTo/herdTick)
}

func (h *herd) renewed(client int32, now int) {
	if end := h.ends[client]; int(end) < now {
		h.ended[end]++
		h.ended[now]--
	}
	h.ends[client] = int32(now + int(herdLife/herdTick))
	h.at(client, now, h.renew(h.wide[client] == 1, h.rng.Float64()))
	h.wide[client] = max(h.wide[client], 1) - 1
}

// at puts client down for an attempt after d, if that is still of interest.
func (h *herd) at(client int32, now int, d time.Duration) {
	due := now + max(1, int(d/herdTick))
	if due < len(h.first) {
		h.next[client], h.first[due] = h.first[due], client
	}
}

// peak is how many attempts there were in the busiest second between two times.
func (h *herd) peak(from, to time.Duration) int {
	return slices.Max(h.attempts[from/time.Second : to/time.Second])
}

// recovery is how long it took after the outage until each client had a token again.
func (h *herd) recovery() time.Duration {
	return time.Duration(h.recovered)*herdTick - outageTo
}

// lacking is the largest share of clients that had no valid token at the same time.
func (h *herd) lacking() float64 {
	var now, most int32
	for _, change := range h.ended {
		now += change
		most = max(most, now)
	}
	return float64(most) / float64(len(h.next))
}

// mean is how many refreshes a second a fleet needs that renews its tokens at this age.
func (h *herd) mean() float64 {
	var age time.Duration
	for i := range 1000 {
		age += h.renew(false, (float64(i)+0.5)/1000)
	}
	return float64(len(h.next)) / (age / 1000).Seconds()
}
