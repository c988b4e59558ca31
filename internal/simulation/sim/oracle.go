package sim

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// An invariant is something that holds in every run. It looks at a finished history, and so can be shown one that was
// made up.
type invariant struct {
	name string
	says string
	find func(*history) []violation
}

// A violation is a fact by which an invariant does not hold.
type violation struct {
	Invariant string `json:"invariant"`
	Fact      int    `json:"fact"` // the index in the history
	Text      string `json:"text"`
}

// invariants are all of them.
var invariants = []invariant{
	{"spent-once", "no credential is presented again after its process, or its Store, has got what it was exchanged for", spentOnce},
	{"refused-once", "no credential is presented again after it was refused for good", refusedOnce},
	{"lives", "a session ends only if the server ended it, or a person did", lives},
	{"returns", "what the server has alive is usable once the trouble is over", returns},
	{"budget", "exchanges stay within the governor's budget", budget},
	{"economy", "where nothing is wrong, a token is renewed once in three quarters of its life", economy},
	{"rejected-token", "no request is sent with a token that the API is known to have rejected", rejectedToken},
	{"ended-token", "no request is sent with a token that is known to have ended", endedToken},
	{"account", "no request is sent with another account's token", foreignToken},
	{"carried", "a request that waits is not sent for another account than it was asked for", carried},
	{"origin", "no token goes to an origin that is not listed", origins},
	{"own-credential", "a request carries one credential: the caller's own, or the token", credentialHeaders},
	{"context", "nobody waits past the end of a context", contexts},
	{"patience", "nobody waits longer than MaxWait and one exchange", patience},
	{"starved", "auth calls get a connection, or New has said that they may not", starvation},
	{"token", "Token gives a usable token or an error", usableTokens},
	{"needless-401", "a rejection reaches a caller only if a refresh did not help", needless401},
	{"last-event", "the last event agrees with Status", lastEvent},
	{"store-order", "a record is not replaced by an older one", storeOrder},
	{"store-account", "the Store has the session of whoever logged in last", storeAccount},
	{"overwritten", "a save replaces the record that was read, and no other", overwritten},
	{"store-works", "a Store does not fail by itself, but for a save whose lock was lost", storeWorks},
	{"stays-out", "a session that was logged out does not come back", staysOut},
	{"document", "a response's document is told with its own session", documents},
	{"closed", "a client that is closed makes no exchange", afterClose},
	{"mistakes", "New names settings that nobody can mean", mistakes},
	{"leak", "no goroutine is left once all is closed", of(stuck)},
	{"lock", "no lock is held while user code runs", of(locked)},
	{"panic", "no panic reaches a caller", of(panicked)},
	{"trace", "a panic of user code leaves a trace", panicTrace},
	{"busy", "there is no busy loop", of(busy)},
}

// These two are found by whoever watches the process that runs the simulation.
const (
	stalls = "stall" // virtual time stands still, or a lock is never free
	dies   = "crash" // the process ends
)

// of finds every fact of a kind that must not be.
func of(what kind) func(*history) []violation {
	return func(h *history) (found []violation) {
		for i, f := range h.facts {
			if f.what == what {
				found = append(found, violation{nameOf(what), i, f.String()})
			}
		}
		return found
	}
}

func nameOf(what kind) string {
	return map[kind]string{stuck: "leak", locked: "lock", panicked: "panic", busy: "busy"}[what]
}

// An attempt is one exchange from its beginning to its end.
type attempt struct {
	fact          // how it began
	i         int // its index
	committed *fact
	end       *fact // nil if its process did not see one
	endIndex  int
}

// gave reports whether the process got something new for the credential.
func (a *attempt) gave() bool {
	return a.end != nil && a.end.ok && a.committed != nil && a.committed.next != a.credential
}

// attempts are the exchanges of one kind, in the order they began; of every kind if it is "".
func (h *history) attempts(kind string) []*attempt {
	var all []*attempt
	byOp := map[int]*attempt{}
	for i := range h.facts {
		f := &h.facts[i]
		switch f.what {
		case exchangeBegan:
			a := &attempt{fact: *f, i: i}
			byOp[f.op] = a
			if kind == "" || f.text == kind {
				all = append(all, a)
			}
		case committed:
			if a := byOp[f.op]; a != nil && f.ok {
				a.committed = f
			}
		case exchangeEnded:
			if a := byOp[f.op]; a != nil {
				a.end, a.endIndex = f, i
			}
		}
	}
	return all
}

// group is the session that a process has: with a Store, it is everybody's who has the same server in it.
func (h *history) group(who int) string {
	if h.groups == nil {
		h.groups = map[int]string{}
		for _, f := range h.facts {
			switch {
			case f.what == started && f.ok:
				h.groups[f.who] = "store" + f.text
			case f.what == started:
				h.groups[f.who] = fmt.Sprintf("process %d", f.who)
			}
		}
	}
	return h.groups[who]
}

// unreliable reports whether something went wrong before i that keeps one process from knowing what another did.
func (h *history) unreliable(i int) bool {
	return h.first(&h.wrong, func(f fact) bool {
		return f.what == crashed || f.what == stopped || f.what == storeFail || f.what == saved && f.text != ""
	}) < i
}

// first is the index of the first fact that fits, len(h.facts) if there is none. It is looked for once.
func (h *history) first(index *int, fits func(fact) bool) int {
	if *index == 0 {
		*index = len(h.facts) + 1
		if i := slices.IndexFunc(h.facts, fits); i >= 0 {
			*index = i + 1
		}
	}
	return *index - 1
}

// misled reports whether the Store has lost a login before i without saying so. Nobody can tell then what it has.
func (h *history) misled(i int) bool {
	return h.first(&h.lost, func(f fact) bool {
		return f.what == saved && f.text == "save is lost" && f.version == 1 || f.what == storeFail && f.text == "update does nothing"
	}) < i
}

// any reports whether there is a fact of one of the kinds.
func (h *history) any(kinds ...kind) bool {
	if h.kinds == nil {
		h.kinds = map[kind]bool{}
		for _, f := range h.facts {
			h.kinds[f.what] = true
		}
	}
	return slices.ContainsFunc(kinds, func(k kind) bool { return h.kinds[k] })
}

// A doing is an operation of a user's from its beginning to its end.
type doing struct {
	fact        // how it began
	i    int    // its index
	end  *fact  // nil if it never ended
	last int    // the index of its end
	sent []fact // the requests that it sent
	got  []fact // and their responses
}

// doings are the operations of users whose text fits, in the order they began. Of those that were under way when
// their process crashed there was nobody left to see the end.
func (h *history) doings(fits func(string) bool) []*doing {
	if h.ops == nil {
		h.ops = h.readOps()
	}
	var all []*doing
	for _, d := range h.ops {
		if fits(d.text) {
			all = append(all, d)
		}
	}
	return all
}

func (h *history) readOps() []*doing {
	var all []*doing
	byOp := map[int]*doing{}
	dead := map[int]bool{}
	for i := range h.facts {
		f := &h.facts[i]
		d := byOp[f.op]
		switch {
		case dead[f.who]:
		case f.what == crashed:
			dead[f.who] = true
			maps.DeleteFunc(byOp, func(_ int, d *doing) bool { return d.who == f.who })
		case f.op == 0:
		case f.what == opBegan:
			byOp[f.op] = &doing{fact: *f, i: i}
			all = append(all, byOp[f.op])
		case d == nil:
		case f.what == opEnded || f.what == panicked:
			d.end, d.last = f, i
		case f.what == sent:
			d.sent = append(d.sent, *f)
		case f.what == responded:
			d.got = append(d.got, *f)
		}
	}
	return all
}

// entries are what replaces or ends a session: logins, resumed sessions and logouts.
func (h *history) entries() []*doing {
	return h.doings(func(text string) bool { return text == "login" || text == "resume" || text == "logout" })
}

// took is how long an operation took; 0 if it never ended.
func (d *doing) took() time.Duration {
	if d.end == nil {
		return 0
	}
	return d.end.at - d.at
}
