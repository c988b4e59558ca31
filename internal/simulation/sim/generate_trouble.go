package sim

import (
	"slices"
	"time"
)

// replyNames are the names of what may go wrong with an exchange, in an order that does not change.
var replyNames = func() (names []string) {
	for name := range replies {
		if name != "ok" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}()

// outageNames are those of replies that a server gives to everybody for a while.
var outageNames = []string{"429", "429 later", "503", "503 later", "500", "500 after", "portal", "404 page", "garbage", "204", "empty",
	"same token", "lifetime -1", "lifetime 0", "lifetime unknown", "403 page", "busy", "client refused", "no connection", "dropped", "lost",
	"silent", "slow", "slow response"}

// authTrouble is what an auth server does wrong.
func (g *generator) authTrouble() {
	for range 1 + g.IntN(5) {
		switch at := g.when(); g.IntN(6) {
		case 0, 1, 2:
			g.add(step{at: at, do: doRespond, what: pick(g, replyNames...), n: pick(g, 1, 1, 2, 3)})
			g.provoke(at)
		case 3:
			g.add(step{at: at, do: doOutage, what: pick(g, outageNames...), dur: pick(g, g.upTo(time.Minute), g.upTo(time.Hour))})
			g.provoke(at)
		case 4:
			g.add(step{at: at, do: doRevoke, what: "ada"})
		case 5:
			g.add(step{at: at, do: doEnd, what: "ada"})
		}
	}
}

// provoke makes the engine exchange something soon after at, perhaps while people do this and that.
func (g *generator) provoke(at time.Duration) {
	if g.one(3) {
		return // whatever comes by itself
	}
	for range 1 + g.IntN(4) {
		at += g.upTo(pick(g, 100*time.Millisecond, 2*time.Second))
		s := step{at: at, do: pick(g, doRenew, doReject, doGet, doToken, doLogin, doLogout, doResume), who: g.IntN(g.clients), dur: g.deadline()}
		switch s.do {
		case doGet:
			s.what = pick(g, "good", "stream")
		case doLogin, doResume:
			s.what = "ada"
		}
		g.add(s)
	}
}

// overtaking is what happens while an exchange takes its time, or at the very instant of one of its steps.
func (g *generator) overtaking() {
	at, who := g.when(), g.IntN(g.clients)
	g.add(step{at: at, do: doRespond, what: pick(g, "slow", "slow response", "204", "empty", "silent", "ok"), n: pick(g, 1, 2)})
	if g.one(2) {
		place := pick(g, "response", "receipt", "receipt", "before save", "after save", "event")
		g.add(step{at: at + 1, do: doAmbush, what: string(pick(g, ambushes...)) + " at " + place})
		g.set("yields", 0)
	}
	for range 2 + g.IntN(4) {
		at += g.upTo(2 * time.Second)
		s := step{at: at, do: pick(g, doReject, doReject, doToken, doRenew, doGet, doLogin, doLogout), who: who, what: "ada", dur: pick(g, 0, time.Minute)}
		if s.do == doGet {
			s.what = pick(g, "good", "stream")
		} else if s.do == doToken || s.do == doReject {
			s.what = ""
		}
		g.add(s)
	}
}

var storeFaults = []string{"load takes long", "load fails", "load panics", "update takes long", "update fails", "update panics",
	"update does nothing", "update panics after", "update fails after", "save takes long", "save panics", "save panics after",
	"save fails", "save fails late", "save conflicts", "save is lost"}

// storeTrouble is what a Store does wrong.
func (g *generator) storeTrouble() {
	for range 1 + g.IntN(4) {
		at := g.when()
		s := step{at: at, do: doStore, what: pick(g, storeFaults...), n: pick(g, 1, 1, 2, 4)}
		if s.what[len(s.what)-4:] == "long" {
			s.dur = g.upTo(20 * time.Second)
		}
		g.add(s)
		g.provoke(at)
	}
}

// interruption is a client that does not reach the database for a while, stands still, or crashes on the way there, at a
// certain step of what it does, while another one wants the same.
func (g *generator) interruption() {
	at, who := g.when(), g.IntN(g.clients)
	place := pick(g, "", "response", "receipt", "before save", "before statement", "after statement")
	g.add(step{at: at, do: pick(g, doCut, doStop), who: who, what: place, dur: pick(g, g.upTo(time.Second), g.upTo(40*time.Second))})
	if g.one(3) {
		g.add(step{at: at, do: doCrash, who: who, what: pick(g, "before statement", "after statement")})
		g.add(step{at: at + g.upTo(time.Minute), do: doStart, who: who})
	}
	g.add(step{at: at + g.upTo(time.Millisecond), do: pick(g, doRenew, doRenew, doLogin), who: who, what: "ada"})
	g.add(step{at: at + g.upTo(10*time.Second), do: pick(g, doRenew, doRenew, doLogin, doLogout), who: g.IntN(g.clients), what: "ada", dur: time.Minute})
	g.provoke(at)
}

// crashes are processes that end, at any step.
func (g *generator) crashes() {
	for range 1 + g.IntN(2) {
		at, who := g.when(), g.IntN(g.clients)
		g.add(step{at: at, do: doCrash, who: who, what: pick(g, "", "response", "before save", "after save")})
		g.provoke(at)
		g.add(step{at: at + g.upTo(10*time.Minute), do: doStart, who: who})
	}
}

// clocks are machines that sleep, and clocks that are wrong.
func (g *generator) clocks() {
	for range 1 + g.IntN(3) {
		switch g.IntN(4) {
		case 0, 1:
			g.add(step{at: g.when(), do: doSleep, dur: g.upTo(10 * time.Hour)})
		case 2:
			g.add(step{at: g.when(), do: doClock, dur: pick(g, time.Duration(-1), 1) * g.upTo(26*time.Hour)})
		case 3:
			g.add(step{do: doSet, what: "skew", who: g.IntN(g.clients), dur: pick(g, time.Duration(-1), 1) * g.upTo(2*time.Hour)})
		}
	}
}

var userFaults = []string{"observer panics", "observer takes long", "logger panics", "logger takes long", "rejection check panics",
	"rejection check takes long", "credentials panics", "credentials takes long", "credentials says no", "renewable check panics",
	"renewable check takes long", "renewable check says no"}

// userTrouble is what code of the user's does wrong.
func (g *generator) userTrouble() {
	g.set(pick(g, "renewable check", "rejection check", "credentials"), 0)
	for range 1 + g.IntN(3) {
		at := g.when()
		g.add(step{at: at, do: doUser, what: pick(g, userFaults...), dur: g.upTo(5 * time.Second)})
		g.provoke(at)
	}
}

// silentServer is an auth server that does not say a word, while people send what can be sent only once.
func (g *generator) silentServer() {
	at, who := g.when(), g.IntN(g.clients)
	long := g.upTo(10 * time.Minute)
	g.add(step{at: at, do: doOutage, what: pick(g, "silent", "silent", "silent after", "slow"), dur: long})
	for range 8 {
		g.add(step{at: at + g.upTo(long), do: doGet, who: who, what: pick(g, "stream", "stream", "good")})
	}
}

// apiTrouble is an API that is at fault itself: it polls an endpoint that refuses everybody, and loses requests.
func (g *generator) apiTrouble() {
	switch at := g.when(); g.IntN(4) {
	case 3: // connections are few, and used for long
		g.set("one connection", 0)
		g.set("http", 0)
		for range 2 + g.IntN(4) {
			at += g.upTo(10 * time.Minute)
			g.add(step{at: at, do: doGet, who: g.IntN(g.clients), what: "download"})
			g.add(step{at: at + g.upTo(2*time.Second), do: doRenew, who: g.IntN(g.clients)})
		}
	case 0:
		for range 3 {
			g.add(step{at: g.when(), do: doAPI, what: pick(g, "reset", "nothing", "slow", "401"), dur: g.upTo(3 * time.Second)})
		}
	case 1:
		if g.one(3) {
			g.set("x-token", 0)
		}
		g.add(step{at: at, do: doGet, who: g.IntN(g.clients), what: pick(g, "own", "basic")})
		g.add(step{at: at + 1, do: doToken, who: g.IntN(g.clients), what: "elsewhere"})
		for range 20 + g.IntN(100) {
			at += g.upTo(4 * time.Second)
			g.add(step{at: at, do: doGet, who: g.IntN(g.clients), what: pick(g, "bad", "bad", "bad", "good")})
		}
	case 2: // and a real revocation among it
		who := g.IntN(g.clients)
		for i := range 10 {
			at += g.upTo(10 * time.Second)
			g.add(step{at: at, do: doGet, who: who, what: "bad"})
			if i == 6 {
				g.add(step{at: at + g.upTo(time.Second), do: doRevoke, what: "ada"})
				g.add(step{at: at + 7*time.Second + g.upTo(2*time.Second), do: doGet, who: who, what: "good"})
			}
		}
	}
}

// silly is what people write who forget the unit, and renewals that somebody asks for in a loop.
func (g *generator) silly() {
	switch g.IntN(6) {
	case 5:
		g.set("silly header", 0)
	case 0:
		g.set("silly max age", 300)
		g.set("ttl", 0)
	case 1:
		g.set("silly timeout", 30)
	case 2:
		g.set("silly margin", 60)
	case 3:
		at, who := g.when(), g.IntN(g.clients)
		for range 30 {
			at += g.upTo(2 * time.Second)
			g.add(step{at: at, do: doRenew, who: who, dur: time.Minute})
		}
	case 4:
		g.set("max age", pick(g, 2*time.Second, time.Minute))
		g.set("ttl", 0)
		g.add(step{at: g.when(), do: doOutage, what: "204", dur: time.Hour})
	}
}
