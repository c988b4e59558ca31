package sim

import (
	"fmt"
	"strings"
	"time"
)

// A kind says what a fact is about.
type kind string

const (
	started kind = "started" // a process; text is the identity of its session, ok that it has the Store
	closed  kind = "closed"
	stopped kind = "stopped" // for a while
	crashed kind = "crashed"

	opBegan kind = "began" // something a user does; text is what
	opEnded kind = "ended" // the same

	exchangeBegan kind = "exchange began" // text is the exchange's kind
	committed     kind = "committed"      // the server has exchanged credential for next
	exchangeEnded kind = "exchange ended" // text is the outcome

	sent      kind = "sent"      // an API request reaches the network; text is the endpoint
	responded kind = "responded" // and its response the client

	saved     kind = "saved"          // a record; text says what became of it
	storeFail kind = "store fail"     // text is how
	faulty    kind = "store at fault" // a method of a Store, which text is, fails by itself

	observed kind = "observed" // an event; text is its kind
	standing kind = "standing" // what Status says in the end; text is the state
	checked  kind = "checked"  // what Token gives in the end

	starved kind = "starved" // an auth call had no connection before its context ended

	revoked kind = "revoked" // the account's access tokens
	ended   kind = "ended by the server"
	trouble kind = "trouble" // text is what a step arms
	struck  kind = "struck"  // user code does what it should not; text is what
	calm    kind = "calm"    // the trouble is over
	asleep  kind = "asleep"
	clock   kind = "clock set"

	locked   kind = "locked"   // user code found the client's lock held; text is which code
	panicked kind = "panicked" // a panic reached a caller
	busy     kind = "busy"     // too many steps
	stuck    kind = "stuck"    // goroutines are left
	quietEnd kind = "all closed"
)

// nobody is the process of what no client does.
const nobody = -1

// A fact is one thing that happened in a run. The invariants look at nothing but facts.
type fact struct {
	at   time.Duration // virtual time, as timers see it
	real time.Duration // the same and the time that the laptop slept
	who  int           // the process, in the order they were started; nobody
	what kind

	op         int // pairs a beginning and its end
	text       string
	credential string // ids, in the order that the server made them
	next       string // the credential that came of it
	token      string
	account    string
	login      string // the record's
	key        string // under which the record is
	version    uint64
	record     uint64        // what was saved; a hash
	bases      []uint64      // one of which that was to replace
	since      int           // the index at which the Update began
	life       time.Duration // of the token as the server states it; 0: unknown
	wait       time.Duration // how long an operation was allowed to take; 0: for ever
	status     int           // of an API response; the slot of a process that started
	count      uint64        // the generation
	ok         bool
	err        string
}

// A history is what happened in one run, in order.
type history struct {
	set   settings
	facts []fact

	// What can be derived, made when it is first asked for.
	groups map[int]string // by process
	ops    []*doing
	kinds  map[kind]bool
	wrong  int                     // one more than the index of the first fact that makes the processes unreliable; 0: not looked for
	drawn  map[int][]time.Duration // the exchanges of each process that draw on its budget
	lost   int                     // the same of a login that the Store has lost
}

// String is one line of a history.
func (f fact) String() string {
	var b strings.Builder
	b.WriteString(instant(f.at))
	if f.who != nobody {
		fmt.Fprintf(&b, "  process %d", f.who)
	} else {
		b.WriteString("  world    ")
	}
	fmt.Fprintf(&b, "  %s", f.what)
	for _, part := range []string{f.text, f.credential, arrow(f.next), f.token, f.account} {
		if part != "" {
			fmt.Fprintf(&b, " %s", part)
		}
	}
	if f.version != 0 {
		fmt.Fprintf(&b, " v%d", f.version)
	}
	if f.status != 0 {
		fmt.Fprintf(&b, " %d", f.status)
	}
	if f.op != 0 {
		fmt.Fprintf(&b, " (#%d)", f.op)
	}
	if f.err != "" {
		fmt.Fprintf(&b, ": %.160s", f.err)
	}
	return b.String()
}

func arrow(to string) string {
	if to == "" {
		return ""
	}
	return "-> " + to
}

// tail is the facts up to the one at index, at most n of them.
func (h *history) tail(index, n int) []string {
	index = min(index, len(h.facts)-1)
	var lines []string
	for i := max(0, index+1-n); i <= index; i++ {
		lines = append(lines, h.facts[i].String())
	}
	return lines
}
