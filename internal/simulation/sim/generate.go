package sim

import (
	"math/rand/v2"
	"time"
)

// A generator makes the plan of a seed.
type generator struct {
	*rand.Rand
	stores  string // "with", "without", "mixed" or "database"
	horizon time.Duration
	steps   []step
	store   bool
	http    bool
	clients int
}

// generate makes the plan of a seed: a world, the people in it, and one or two kinds of trouble.
func generate(seed uint64, stores string) plan {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 0x51e7)), stores: stores}
	g.world()
	g.people()
	if g.stores == "database" {
		for range g.IntN(3) {
			g.interruption()
		}
	}
	for range g.IntN(3) {
		pick(g, g.authTrouble, g.authTrouble, g.storeTrouble, g.crashes, g.clocks, g.userTrouble, g.apiTrouble, g.overtaking, g.overtaking, g.silentServer, g.silly)()
	}
	p := plan{seed: seed, steps: g.steps}
	p.sort()
	return p
}

func pick[T any](g *generator, all ...T) T { return all[g.IntN(len(all))] }

// one reports true once in n times.
func (g *generator) one(in int) bool { return g.IntN(in) == 0 }

// when is an instant at which nothing else happens.
func (g *generator) when() time.Duration {
	return time.Second + time.Duration(g.Int64N(int64(g.horizon)))
}

// upTo is a duration of at least a millisecond.
func (g *generator) upTo(d time.Duration) time.Duration {
	return time.Millisecond + time.Duration(g.Int64N(int64(d)))
}

func (g *generator) add(s step) { g.steps = append(g.steps, s) }

func (g *generator) set(what string, d time.Duration) { g.add(step{do: doSet, what: what, dur: d}) }

// world chooses the settings.
func (g *generator) world() {
	ttl := pick(g, 0, 0, time.Minute, 5*time.Minute, 15*time.Minute, 15*time.Minute, time.Hour, 8*time.Hour)
	if g.one(20) {
		ttl = 10 * time.Second
	}
	g.set("ttl", ttl)
	g.horizon = min(max(time.Duration(1+g.IntN(16))*ttl, 10*time.Minute), 48*time.Hour)
	g.store = g.stores == "with" || g.stores == "database" || g.stores == "mixed" && !g.one(3)
	if g.store {
		g.set("store", 0)
	}
	if g.http = g.one(3); g.http {
		g.set("http", 0)
		if g.one(2) {
			g.set("cookie", 0)
		}
	}
	for _, what := range []string{"yields", "no rotation", "lenient", "in place", "login without token", "memory only", "document", "rejection check", "renewable check"} {
		if g.one(6) {
			g.set(what, 0)
		}
	}
	if g.one(8) {
		g.set("credentials", 0)
	}
	if g.one(3) {
		g.set("grace", pick(g, 2*time.Second, 30*time.Second))
	}
	if g.one(4) {
		g.set("latency", pick(g, time.Millisecond, time.Second, 8*time.Second))
	}
	if g.one(6) {
		g.set("max wait", pick(g, -time.Second, time.Second, time.Minute))
	}
	if g.one(6) {
		g.set("timeout", pick(g, 2*time.Second, 10*time.Second))
	}
	if g.one(10) {
		g.set("margin", pick(g, time.Second, time.Minute))
	}
	if g.one(8) {
		g.set("max age", pick(g, 30*time.Second, 10*time.Minute))
	}
	if g.one(10) {
		g.set("idle stop", pick(g, time.Minute, time.Hour))
	}
}

// people start clients, log in, and use them.
func (g *generator) people() {
	g.clients = 1
	if g.store {
		g.clients += g.IntN(slots)
	}
	for i := range g.clients {
		g.add(step{at: time.Duration(i+1) * 7 * time.Millisecond, do: doStart, who: i})
	}
	g.add(step{at: 100*time.Millisecond + g.upTo(time.Millisecond), do: doLogin, who: 0, what: "ada", dur: time.Minute})
	if g.store && g.clients > 1 && g.one(6) {
		g.add(step{do: doSet, who: 1, what: "realm"})
		g.add(step{at: 200*time.Millisecond + g.upTo(time.Millisecond), do: doLogin, who: 1, what: "ada"})
	}
	for range 5 + g.IntN(40) {
		g.add(step{at: g.when(), do: doGet, who: g.IntN(g.clients), what: pick(g, "good", "good", "good", "stream"), dur: g.deadline(), n: pick(g, 1, 1, 1, 5)})
	}
	for range g.IntN(6) {
		g.add(step{at: g.when(), do: doToken, who: g.IntN(g.clients), dur: g.deadline()})
	}
	if g.one(4) {
		return // and nothing else
	}
	for range g.IntN(6) {
		g.add(step{at: g.when(), do: pick(g, doRenew, doRenew, doReject), who: g.IntN(g.clients), dur: g.deadline()})
	}
	for range g.IntN(4) {
		g.add(step{at: g.when(), do: doGet, who: g.IntN(g.clients), what: pick(g, "elsewhere", "bad")})
	}
	if g.one(2) {
		g.comings()
	}
}

// comings are logins and logouts, close to each other now and then, and restarts.
func (g *generator) comings() {
	for range 1 + g.IntN(5) {
		at, who := g.when(), g.IntN(g.clients)
		name := pick(g, "ada", "ada", "bob")
		switch g.IntN(5) {
		case 0, 1:
			g.add(step{at: at, do: doLogout, who: who, dur: g.deadline()})
			g.add(step{at: at + g.upTo(pick(g, 50*time.Millisecond, time.Second, time.Minute)), do: pick(g, doLogin, doResume), who: who, what: name})
		case 2:
			g.add(step{at: at, do: doLogin, who: who, what: name, n: pick(g, 1, 1, 2)})
		case 3:
			g.add(step{at: at, do: doResume, who: who, what: name})
		case 4:
			g.add(step{at: at, do: doClose, who: who})
			g.add(step{at: at + g.upTo(time.Minute), do: doStart, who: who})
		}
		if g.one(2) { // something else at that very time
			g.add(step{at: at + g.upTo(200*time.Millisecond), do: pick(g, doRenew, doToken, doReject, doLogout, doLogin), who: who, what: "ada"})
		}
	}
}

func (g *generator) deadline() time.Duration {
	return pick(g, 0, 0, time.Minute, 3*time.Second, g.upTo(time.Second))
}
