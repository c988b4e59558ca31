package sim

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/wall"
)

const (
	// afterwards is how long after the last step what is armed still hits.
	afterwards = time.Minute
	// quiet is how long everything works again before it is looked at. It is longer than deafness and a backoff.
	quiet = 25 * time.Minute
	// settling is how long goroutines may take to end after everything was closed: longer than a reply that is deaf.
	settling = 3 * time.Hour
	// tooMany facts in an hour are more than any run without a busy loop has: the governor allows every process 120
	// exchanges, of half a dozen facts each.
	tooMany = 12000
)

// errGone is what a call gets that the world will not serve any more: of a process that has crashed, or at the end.
var errGone = errors.New("simulation: nobody is there any more")

// A world is one run of a plan. It lives in a bubble.
type world struct {
	plan  plan
	set   settings
	epoch time.Time
	trace bool // write facts to stderr as they happen
	shelf Shelf

	mu       sync.Mutex // guards all that follows; never held while anybody waits
	slept    time.Duration
	shifted  time.Duration // by which the laptop's clock was set
	facts    []fact
	hour     time.Duration // of the last fact
	before   int           // how many facts there were before that hour
	server   *server
	slot     [slots]*process
	all      []*process
	armed    map[action][]step
	outages  []step
	lasting  []step // cuts and stops that have begun
	ops      int
	locked   bool // user code was found to run under a Client's lock
	rolledAt time.Duration
	rolls    uint64

	over   chan struct{} // closed at the end: whoever is parked goes on
	halt   chan struct{} // closed when the run is given up
	halted bool
	users  sync.WaitGroup
}

func newWorld(p plan, stores Stores) *world {
	w := &world{plan: p, set: settingsOf(p), epoch: time.Now(), armed: map[action][]step{},
		over: make(chan struct{}), halt: make(chan struct{})}
	w.set.lease = stores.Lease
	w.server = newServer(w)
	var err error
	if w.shelf, err = stores.New(); err != nil {
		panic(err) // without it, there is nothing to run
	}
	return w
}

// live is the whole run.
func (w *world) live() {
	go w.beat()
	for _, s := range w.plan.steps {
		if !w.sleepUntil(s.at) {
			break
		}
		w.apply(s)
	}
	w.sleepUntil(w.now() + afterwards)
	w.calmDown()
	if w.sleepUntil(w.now() + quiet) {
		w.inspect()
	}
	w.closeAll()
	close(w.over)
	w.users.Wait()
	w.bury()
	time.Sleep(settling)
	if err := w.shelf.Close(); err != nil {
		panic(err)
	}
	w.tell(fact{who: nobody, what: quietEnd})
}

// beat shows that virtual time goes on while no fact is noted: what crashed long ago, and waits for a lock ever since, may
// keep a machine that is busy for seconds.
func (w *world) beat() {
	minutes := time.NewTicker(time.Minute)
	defer minutes.Stop()
	for {
		select {
		case <-minutes.C:
			moves.Add(1)
		case <-w.over:
			return
		}
	}
}

// sleepUntil waits for an instant. It reports false if the run was given up.
func (w *world) sleepUntil(at time.Duration) bool {
	timer := time.NewTimer(at - w.now())
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-w.halt:
		return false
	}
}

// now is the virtual time since the beginning.
func (w *world) now() time.Duration { return time.Since(w.epoch) }

// real is the time by the server's clock, which goes on while the laptop sleeps. w.mu is held.
func (w *world) real() time.Duration { return w.now() + w.slept }

// serverTime is the time by the server's clock.
func (w *world) serverTime() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.epoch.Add(w.real())
}

// note writes f down. w.mu is held.
func (w *world) note(f fact) {
	moves.Add(1)
	f.at, f.real = w.now(), w.real()
	if f.at/time.Hour != w.hour {
		w.hour, w.before = f.at/time.Hour, len(w.facts)
	}
	if len(w.facts)-w.before == tooMany && !w.halted {
		f = fact{at: f.at, real: f.real, who: f.who, what: busy}
		w.halted = true
		close(w.halt)
	}
	if w.trace {
		fmt.Fprintln(os.Stderr, f)
	}
	if len(w.facts)-w.before <= tooMany || f.what == quietEnd {
		w.facts = append(w.facts, f)
	}
}

// tell is note for those who do not hold w.mu.
func (w *world) tell(f fact) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.note(f)
}

// count is how many facts there are.
func (w *world) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.facts)
}

// begin numbers an operation.
func (w *world) begin(f fact) (op int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ops++
	f.op = w.ops
	w.note(f)
	return f.op
}

// yield lets other goroutines go first, now and then, after the engine has unlocked a mutex.
func (w *world) yield() {
	if w.set.yields && w.roll() < 0.3 {
		for range 5 {
			runtime.Gosched()
		}
	}
}

// roll is a number in [0, 1) that depends on nothing but the seed, the instant, and how often it was asked for there.
// So leaving out a step leaves the luck of the others as it was.
func (w *world) roll() float64 {
	w.mu.Lock()
	if now := w.now(); now != w.rolledAt {
		w.rolledAt, w.rolls = now, 0
	}
	w.rolls++
	n := w.rolls
	w.mu.Unlock()
	return w.luck(n)
}

// luck is a number in [0, 1) that depends on the seed, the instant and key.
func (w *world) luck(key uint64) float64 {
	h := fnv.New64a()
	var b [24]byte
	binary.LittleEndian.PutUint64(b[0:], w.plan.seed)
	binary.LittleEndian.PutUint64(b[8:], uint64(w.now()))
	binary.LittleEndian.PutUint64(b[16:], key)
	h.Write(b[:])
	x := h.Sum64() // spread over all bits, which FNV does not do for the last bytes
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return float64(x>>11) / (1 << 53)
}

// between is a duration in [0, most).
func (w *world) between(most time.Duration) time.Duration {
	return time.Duration(w.roll() * float64(most))
}

// nap waits for d, or until ctx ends: then it returns its error.
func (w *world) nap(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-w.over:
		return errGone
	}
}

// apply makes a step happen.
func (w *world) apply(s step) {
	switch s.do {
	case doSet:
	case doStart:
		w.start(s.who)
	case doSleep, doClock:
		w.setClock(s)
	case doRevoke, doEnd:
		w.authority(s)
	case doRespond, doAPI, doStore, doUser, doOutage, doCut, doStop, doAmbush:
		w.arm(s)
	case doCrash:
		w.crashStep(s)
	default:
		w.act(s)
	}
}

func (w *world) setClock(s step) {
	wall.Sleep(s.dur)
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.do == doSleep {
		w.slept += s.dur
		w.note(fact{who: nobody, what: asleep, text: s.dur.String()})
		return
	}
	w.shifted += s.dur
	w.note(fact{who: nobody, what: clock, text: s.dur.String()})
}

// authority is what the people who run the server do.
func (w *world) authority(s step) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.do == doRevoke {
		w.server.revoke(s.what)
		w.note(fact{who: nobody, what: revoked, account: s.what})
		return
	}
	w.server.end(s.what)
	w.note(fact{who: nobody, what: ended, account: s.what})
}
