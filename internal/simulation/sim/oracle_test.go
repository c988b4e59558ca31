package sim

import (
	"testing"
	"time"
)

// happened makes a history of facts, one second after the other where they do not say when.
func happened(set settings, facts ...fact) *history {
	for i := range facts {
		f := &facts[i]
		if f.at == 0 {
			f.at = time.Duration(i) * time.Second
		}
		if f.real == 0 {
			f.real = f.at
		}
	}
	return &history{set: set, facts: facts}
}

// exchanged is a refresh of process 0, which gave token for credential, and the credential after it.
func exchanged(op int, credential, next, token string, at time.Duration) []fact {
	return []fact{
		{what: exchangeBegan, op: op, text: "refresh", credential: credential, at: at},
		{what: committed, op: op, text: "refresh", credential: credential, next: next, token: token, account: "ada", login: "f1", ok: true, at: at, life: time.Minute},
		{what: exchangeEnded, op: op, credential: credential, token: token, ok: true, at: at, life: time.Minute},
	}
}

func join(parts ...[]fact) (all []fact) {
	for _, part := range parts {
		all = append(all, part...)
	}
	return all
}

// loggedIn is a login of process 0 that took no time.
func loggedIn(op int, account string, at time.Duration) []fact {
	return []fact{{what: opBegan, op: op, text: "login", account: account, at: at}, {what: opEnded, op: op, text: "login", account: account, at: at}}
}

// asked is a request to an endpoint with a token, and the status of its response.
func asked(op int, endpoint, token string, status int, why string, at time.Duration) []fact {
	return []fact{
		{what: opBegan, op: op, text: "get " + endpoint, at: at},
		{what: sent, op: op, text: endpoint, token: token, ok: true, at: at},
		{what: responded, op: op, text: endpoint, token: token, status: status, err: why, at: at},
		{what: opEnded, op: op, text: "get " + endpoint, status: status, at: at},
	}
}

var begin = fact{what: started}

// Each invariant finds what it is there for: none is one that cannot fail.
func TestInvariantsFind(t *testing.T) {
	const s = time.Second
	refused := []fact{{what: exchangeBegan, op: 9, text: "refresh", credential: "r1"}, {what: exchangeEnded, op: 9, text: string(meansRefused), credential: "r1"}}
	often := []fact{begin}
	for i := range 40 {
		often = append(often, exchanged(i+1, "r1", "r1", "a1", time.Duration(i+1)*s)...)
	}
	tales := map[string]*history{
		"spent-once":     happened(settings{}, join([]fact{begin}, exchanged(1, "r1", "r2", "a2", s), exchanged(2, "r1", "", "", 2*s))...),
		"refused-once":   happened(settings{}, join([]fact{begin}, refused, exchanged(2, "r1", "r2", "a2", 5*s))...),
		"lives":          happened(settings{}, join([]fact{begin}, loggedIn(1, "ada", s), []fact{{what: observed, text: "logged in"}, {what: observed, text: "over"}})...),
		"returns":        happened(settings{}, join([]fact{begin}, loggedIn(1, "ada", s), []fact{{what: opBegan, op: 2, text: "token", wait: time.Hour}, {what: opEnded, op: 2, text: "token", err: "offline"}, {what: standing, text: "offline", account: "ada"}})...),
		"budget":         happened(settings{}, often...),
		"economy":        happened(settings{ttl: time.Hour}, often...),
		"rejected-token": happened(settings{}, join([]fact{begin}, asked(1, "/good", "a1", 401, "not valid", s), asked(2, "/good", "a1", 401, "not valid", 9*s))...),
		"ended-token":    happened(settings{}, join([]fact{begin}, exchanged(1, "r1", "r2", "a2", s), asked(2, "/good", "a2", 401, "", 90*s))...),
		"account":        happened(settings{}, join([]fact{begin}, exchanged(1, "r1", "r2", "a2", s), loggedIn(2, "bob", 3*s), asked(3, "/good", "a2", 200, "", 5*s))...),
		"carried": happened(settings{}, join([]fact{begin}, exchanged(1, "r1", "r2", "a2", s), loggedIn(2, "bob", 3*s), asked(3, "/good", "a2", 200, "", 5*s)[:1],
			loggedIn(4, "ada", 6*s), asked(3, "/good", "a2", 200, "", 7*s)[1:])...),
		"origin":         happened(settings{}, begin, fact{what: sent, text: "/", token: "a1"}),
		"own-credential": happened(settings{}, begin, fact{what: sent, text: "/own", count: 2, ok: true}),
		"context":        happened(settings{}, begin, fact{what: opBegan, op: 1, text: "renew", wait: s}, fact{what: opEnded, op: 1, text: "renew", at: 9 * s}),
		"patience":       happened(settings{}, begin, fact{what: opBegan, op: 1, text: "token"}, fact{what: opEnded, op: 1, text: "token", at: 900 * s}),
		"starved":        happened(settings{}, begin, fact{what: starved, text: "refresh"}),
		"token":          happened(settings{}, begin, fact{what: opBegan, op: 1, text: "token"}, fact{what: opEnded, op: 1, text: "token", ok: true}),
		"needless-401":   happened(settings{}, join([]fact{begin}, asked(1, "/good", "a1", 401, "not valid", s))...),
		"last-event":     happened(settings{}, begin, fact{what: observed, text: "logged out"}, fact{what: standing, text: "logged in"}),
		"store-order":    happened(settings{}, begin, fact{what: saved, login: "l", version: 2, ok: true}, fact{what: saved, login: "l", version: 1, ok: true}),
		"store-account": happened(settings{store: true}, join([]fact{{what: started, ok: true}}, exchanged(1, "r1", "r2", "a2", s), loggedIn(2, "bob", 3*s),
			[]fact{{who: nobody, what: checked, credential: "r2", account: "ada", at: 9 * s}})...),
		"stays-out":   happened(settings{}, begin, fact{what: saved, login: "l", version: 1, ok: true}, fact{what: saved}, fact{what: saved, login: "l", version: 2, ok: true}),
		"overwritten": happened(settings{}, begin, fact{what: saved, record: 1, bases: []uint64{0}}, fact{what: saved, record: 2, bases: []uint64{0}}),
		"store-works": happened(settings{}, begin, fact{what: faulty, text: "save conflicts"}),
		"document":    happened(settings{}, begin, fact{what: observed, text: "logged in", account: "ada", next: "bob"}),
		"closed":      happened(settings{}, join([]fact{begin, {what: closed}}, exchanged(1, "r1", "r2", "a2", 5*s))...),
		"mistakes":    happened(settings{maxAge: 300}, begin, fact{what: opEnded, text: "new"}),
		"leak":        happened(settings{}, begin, fact{what: stuck}),
		"lock":        happened(settings{}, begin, fact{what: locked}),
		"panic":       happened(settings{}, begin, fact{what: panicked}),
		"trace":       happened(settings{}, begin, fact{what: struck, text: "observer panics"}),
		"busy":        happened(settings{}, begin, fact{what: busy}),
	}
	for _, inv := range invariants {
		h := tales[inv.name]
		if h == nil {
			t.Errorf("%s: nothing shows that it can fail", inv.name)
			continue
		}
		found := inv.find(h)
		if len(found) == 0 {
			t.Errorf("%s does not find what was made up for it", inv.name)
		}
		for _, v := range found {
			if v.Invariant != inv.name || v.Fact < 0 || v.Fact >= len(h.facts) || v.Text == "" {
				t.Errorf("%s finds %+v", inv.name, v)
			}
		}
	}
}

// A run in which nothing is wrong is one in which nothing is found.
func TestInvariantsAreSilent(t *testing.T) {
	const s = time.Second
	h := happened(settings{ttl: time.Minute}, join([]fact{begin}, loggedIn(1, "ada", s), []fact{{what: observed, text: "logged in"}}, exchanged(2, "r1", "r2", "a2", 50*s),
		[]fact{{what: observed, text: "renewed", at: 50 * s}}, asked(3, "/good", "a2", 200, "", 55*s), exchanged(4, "r2", "r3", "a3", 98*s), []fact{{what: standing, text: "logged in", at: 99 * s}})...)
	for _, v := range h.violations(nil) {
		t.Errorf("%+v", v)
	}
}

// Nobody can tell which end of a token a process knows that was first given without one, and then with.
func TestEndUnknown(t *testing.T) {
	const s = time.Second
	first, again := exchanged(1, "r1", "r1", "a1", s), exchanged(2, "r1", "r1", "a1", 2*s)
	for i := range first {
		first[i].who, first[i].life = 1, 0
	}
	late := asked(3, "/good", "a1", 401, "", 90*s)
	late[1].who = 1
	for _, v := range endedToken(happened(settings{store: true}, join([]fact{begin, {what: started, who: 1}}, first, again, late)...)) {
		t.Errorf("%+v", v)
	}
}
