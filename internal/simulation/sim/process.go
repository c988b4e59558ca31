package sim

import (
	"context"
	"runtime"
	"time"
)

// A process is one Client from its start until it is closed or crashes. All that the Client calls outside itself
// belongs to the process, and stops with it.
type process struct {
	w      *world
	n      int // in the order they were started
	slot   int
	client *client
	host   *Process      // what its Store knows
	conn   chan struct{} // has room for the connections that may be open
	dead   bool          // it has crashed; w.mu guards it
	closed bool          // Close has returned; w.mu guards it
	ops    int           // a user's, under way; w.mu guards it
	saving *fact         // a save under way; w.mu guards it
}

// start starts a process in a slot that has none.
func (w *world) start(slot int) {
	w.mu.Lock()
	if w.slot[slot] != nil || w.halted {
		w.mu.Unlock()
		return
	}
	p := &process{w: w, n: len(w.all), slot: slot, conn: make(chan struct{}, 1)}
	p.host = &Process{Reach: p.reach, Now: w.serverTime}
	w.all = append(w.all, p)
	w.slot[slot] = p
	w.note(fact{who: p.n, what: started, text: w.set.path[slot], status: slot, ok: w.set.store})
	w.mu.Unlock()
	p.op(fact{text: "new"}, func() error {
		c, err := newClient(p)
		w.mu.Lock()
		defer w.mu.Unlock()
		p.client = c
		return err
	})
}

// current is the process in a slot, nil if there is none.
func (w *world) current(slot int) *process {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.slot[slot]
}

// op does something for a user, and notes how it began and ended.
func (p *process) op(f fact, do func() error) {
	f.who, f.what = p.n, opBegan
	f.op = p.w.begin(f)
	p.w.mu.Lock()
	p.ops++
	p.w.mu.Unlock()
	defer func() {
		f.what = opEnded
		if v := recover(); v != nil {
			f.what, f.err = panicked, text(v)
		}
		p.w.mu.Lock()
		defer p.w.mu.Unlock()
		p.ops--
		p.w.note(f)
	}()
	if err := do(); err != nil {
		f.err = err.Error()
	}
}

// pass is called first in all that a Client calls outside itself. It returns errGone to a process that has crashed,
// and only at the end of the world.
func (p *process) pass() error {
	p.w.mu.Lock()
	gone := p.dead || p.w.halted
	p.w.mu.Unlock()
	if gone {
		<-p.w.over
		return errGone
	}
	return nil
}

// crashStep crashes a process at once, or the next time that it comes to a place.
func (w *world) crashStep(s step) {
	if s.what != "" {
		w.arm(s)
		return
	}
	if p := w.current(s.who); p != nil {
		p.crash()
	}
}

// at is where something may happen to a process at a certain step of what it does: a user does something at this
// instant, or something breaks.
func (p *process) at(place string) {
	p.ambush(place)
	p.breakAt(place)
}

// ambush lets users do something at this instant.
func (p *process) ambush(place string) {
	for _, do := range ambushes {
		if !p.known() {
			break // New has not returned: nobody has the client yet
		}
		if s, ok := p.w.strikes(doAmbush, string(do)+" at "+place); ok {
			s.do, s.what = do, "ada"
			p.w.users.Go(func() { p.user(s) })
		}
	}
}

// breakAt is where a process may be cut off, stop, or crash.
func (p *process) breakAt(place string) {
	p.beginAt(place)
	p.stand()
	if _, ok := p.w.hit(doCrash, func(s step) bool { return s.who == p.slot && s.what == place }); ok {
		p.crash()
		p.pass()
	}
}

// stand waits as long as the process is stopped. Its requests for the API and its events go on, lest a token end on the
// way, and an end be told after the login that came next.
func (p *process) stand() {
	p.w.mu.Lock()
	left := p.lasts(doStop)
	if left > 0 {
		p.w.note(fact{who: p.n, what: stopped})
	}
	p.w.mu.Unlock()
	if left > 0 {
		p.w.nap(context.Background(), left)
	}
}

// known reports whether users have the process's client.
func (p *process) known() bool {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	return p.client != nil
}

// ambushes are what users do in the very middle of things.
var ambushes = []action{doLogout, doLogin, doResume, doClose, doRenew, doToken, doReject}

// crash ends the process without a word.
func (p *process) crash() {
	w := p.w
	w.mu.Lock()
	defer w.mu.Unlock()
	if p.dead || p.closed {
		return
	}
	p.dead = true
	w.slot[p.slot] = nil
	if p.saving != nil {
		p.saving.text = "save under way"
		w.note(*p.saving)
	}
	w.note(fact{who: p.n, what: crashed})
	w.shelf.Crash(p.host)
}

// probe calls the Client from another goroutine while it waits for user code, which has to be possible. It does so
// without waiting for time to pass, which a locked mutex would keep from passing.
func (p *process) probe(code string) {
	p.w.mu.Lock()
	c := p.client
	known := p.w.locked
	p.w.mu.Unlock()
	if c == nil || known {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.status()
	}()
	for range 20000 {
		select {
		case <-done:
			return
		default:
			runtime.Gosched()
		}
	}
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.w.locked = true
	p.w.note(fact{who: p.n, what: locked, text: code})
}

// close closes the process as its owner does.
func (p *process) close() {
	p.op(fact{text: "close"}, func() error {
		err := p.client.close()
		p.w.mu.Lock()
		defer p.w.mu.Unlock()
		p.closed = true
		if p.w.slot[p.slot] == p {
			p.w.slot[p.slot] = nil
		}
		p.w.note(fact{who: p.n, what: closed})
		return err
	})
}

// open are the processes that run.
func (w *world) open() []*process {
	w.mu.Lock()
	defer w.mu.Unlock()
	var open []*process
	for _, p := range w.slot {
		if p != nil && p.client != nil {
			open = append(open, p)
		}
	}
	return open
}

// closeAll closes whoever is open.
func (w *world) closeAll() {
	for _, p := range w.open() {
		p.close()
	}
}

// bury stops the timers of those who have crashed. They cannot do anything.
func (w *world) bury() {
	for _, p := range w.all {
		if p.dead && p.client != nil {
			p.client.close()
		}
	}
	time.Sleep(time.Millisecond)
}
