package refusal

import (
	"slices"
	"strings"
)

// A class says what a noun of a clause stands for.
type class int

const (
	nothing      class = iota
	strongToken        // a refresh token: the credential without a doubt
	session            // a session or a grant, likewise
	weakToken          // a "token", which may be another
	accessToken        // named as such
	foreignToken       // named as one of another kind, or a session of another kind
	person             // a user or an account
	signIn             // a login, an authorization
	other              // anything else that has a name
)

// A thing is a noun of a clause: words[start:end].
type thing struct {
	class      class
	start, end int
}

// A clause is words without a pause in them, and the things in it, in their order.
type clause struct {
	words  []string
	things []thing
	of     []int // for each word, the index of its thing, or -1
}

// clauses are the clauses of a text.
func clauses(words []string) []clause {
	var all []clause
	for len(words) > 0 {
		end := slices.Index(words, pause)
		if end < 0 {
			end = len(words)
		}
		if end > 0 {
			c := newClause(words[:end])
			if n := len(all); n > 0 && all[n-1].isName() { // "session: expired"
				all[n-1] = newClause(append(slices.Clip(all[n-1].words), c.words...))
			} else {
				all = append(all, c)
			}
		}
		words = words[min(end+1, len(words)):]
	}
	return all
}

// isName reports whether a clause is nothing but a thing.
func (c *clause) isName() bool {
	return len(c.things) == 1 && c.things[0].start == 0 && c.things[0].end == len(c.words)
}

func newClause(words []string) clause {
	c := clause{words: words}
	for i := 0; i < len(words); {
		t, ok := thingAt(words, i)
		if !ok {
			i++
			continue
		}
		for n := len(c.things); n > 0 && c.things[n-1].end > t.start; n = len(c.things) {
			c.things = c.things[:n-1] // a qualifier, and no thing of its own
		}
		c.things = append(c.things, t)
		i = t.end
	}
	c.of = slices.Repeat([]int{-1}, len(words))
	for n, t := range c.things {
		for i := t.start; i < t.end; i++ {
			c.of[i] = n
		}
	}
	return c
}

// thingAt is the thing whose noun is words[i].
func thingAt(words []string, i int) (thing, bool) {
	t := thing{start: i, end: i + 1}
	switch word := words[i]; {
	case tokens.has(word):
		t.class = weakToken
		t.qualify(words)
	case sessions.has(word):
		t.class = session
		for t.start > 0 && (qualifiers.has(words[t.start-1]) || otherSessions.has(words[t.start-1])) {
			t.start--
			if otherSessions.has(words[t.start]) {
				t.class = foreignToken
			}
		}
	case word == "cookie":
		t.class = weakToken
		t.qualify(words)
		if t.class == weakToken {
			return thing{}, false
		}
		return t, true
	case people.has(word):
		t.class = person
		return t, true
	case signIns.has(word), word == "refresh" && endings.has(words[len(words)-1]): // "refresh expired"
		t.class = signIn
		return t, true
	case otherNouns.has(word):
		t.class = other
		return t, true
	default:
		return thing{}, false
	}
	t.extend(words)
	return t, true
}

// qualify takes the words before a token that say which one it is; the nearest counts.
func (t *thing) qualify(words []string) {
	for ; t.start > 0; t.start-- {
		word := words[t.start-1]
		kind := nothing
		switch {
		case strongQualifiers.has(word):
			kind = strongToken
		case word == "access":
			kind = accessToken
		case otherTokens.has(word):
			kind = foreignToken
		case !weakQualifiers.has(word):
			return
		}
		if t.class == weakToken && kind != nothing {
			t.class = kind
		}
	}
}

// extend takes the words after a credential's noun that belong to it: a "session id" is the session, a "session store"
// is none.
func (t *thing) extend(words []string) {
	for t.end < len(words) && tails.has(words[t.end]) {
		t.end++
	}
	if t.end < len(words) && otherNouns.has(words[t.end]) {
		t.class = other
		t.end++
	}
}

// at is the thing that words[i] belongs to.
func (c *clause) at(i int) (thing, bool) {
	if i < 0 || i >= len(c.of) || c.of[i] < 0 {
		return thing{}, false
	}
	return c.things[c.of[i]], true
}

// A claim is that something is of no use any more: words[start:end], of which word is the last.
type claim struct {
	word       string
	start, end int
}

// claimAt is the claim that words[i] makes.
func (c *clause) claimAt(i int) (claim, bool) {
	word := c.words[i]
	start, negated := c.negation(i)
	next := ""
	if i+1 < len(c.words) {
		next = c.words[i+1]
	}
	switch {
	case c.conditional(i):
		return claim{}, false
	case deadWords.has(word):
		return claim{word, i, i + 1}, !negated
	case liveWords.has(word):
		early := slices.Contains(c.words[start:i], "yet") // a clock's fault
		return claim{word, start, i + 1}, negated && !early
	case reuseWords.has(word):
		return claim{word, i, i + 1}, !negated && c.onceBefore(i)
	case word == "no":
		t, ok := c.at(i + 1)
		return claim{word, i, i + 1}, ok && t.class == session || next == "such"
	case word == "in" && kept.has(c.words[len(c.words)-1]): // "not in our database"
		return claim{word, start, i + 1}, negated
	case word == "available" || word == "open":
		return claim{word, start, i + 1}, negated && slices.Contains(c.words[start:i], "longer")
	case word == "timed" && next == "out":
		return claim{word, i, i + 2}, true
	case word == "over":
		return claim{word, i, i + 1}, i > 0 && c.words[i-1] == "is" && i+1 == len(c.words)
	}
	return claim{}, false
}

// negation is where a negation of words[i] begins, and whether there is one.
func (c *clause) negation(i int) (start int, negated bool) {
	for start = i - 1; start >= 0; start-- {
		if negations.has(c.words[start]) {
			return start, true
		}
		if _, within := c.at(start); !between.has(c.words[start]) && !(within && liveWords.has(c.words[i])) {
			return i, false
		}
	}
	return i, false
}

// conditional reports whether words[i] is said of what may be, not of what is.
func (c *clause) conditional(i int) bool {
	return slices.ContainsFunc(c.words[max(i-6, 0):i], func(word string) bool { return conditions.has(word) })
}

// onceBefore reports whether what words[i] says happened before, and so must not happen again.
func (c *clause) onceBefore(i int) bool {
	before, after := c.words[max(i-3, 0):i], c.words[i+1:min(i+4, len(c.words))]
	if phrase(before, "already", "been", "previously") || phrase(after, "already", "more than once", "twice", "before") {
		return true
	}
	_, ok := c.at(i - 1)
	return ok && i+1 == len(c.words)
}

// about is what a claim is about: what it is an attribute of ("invalid token"), what it is said of right before ("token
// is invalid"), or else what the clause is about.
func (c *clause) about(d claim) (thing, bool) {
	for i := d.start; i < d.end; i++ { // "no session found"
		if t, ok := c.at(i); ok {
			missing := c.words[d.start] == "no" && t.class != session // it did not arrive
			return t, !missing
		}
	}
	attribute := attributes.has(d.word) || liveWords.has(d.word) || d.word == "no"
	_, said := c.at(d.start - 1)
	if t, ok := c.at(d.end); ok && attribute && !said {
		return t, true
	}
	if t, ok := c.following(d.end); ok && c.active(d) && t.class <= foreignToken {
		return t, true // "the user revoked the grant"
	}
	if t, ok := c.saidOf(d.start); ok {
		return c.subject(t), true
	}
	if t, ok := c.following(d.end); ok && attribute {
		return t, true
	}
	for i := len(c.things) - 1; i >= 0; i-- {
		if c.things[i].end <= d.start {
			return c.subject(c.things[i]), true
		}
	}
	return thing{}, false
}

// active reports whether a claim is the verb of a subject that does it to something.
func (c *clause) active(d claim) bool {
	passive := d.start > 0 && passives.has(c.words[d.start-1])
	return !passive && d.end < len(c.words) && articles.has(c.words[d.end])
}

// saidOf is the thing that ends before words[end], with nothing between but links.
func (c *clause) saidOf(end int) (thing, bool) {
	for i := end - 1; i >= 0; i-- {
		if t, ok := c.at(i); ok {
			return t, true
		}
		word := c.words[i]
		if !links.has(word) && !deadWords.has(word) && !attributes.has(word) && !strings.ContainsAny(word, "0123456789") {
			break
		}
	}
	return thing{}, false
}

// following is the thing that begins after words[begin-1], with nothing between but joints.
func (c *clause) following(begin int) (thing, bool) {
	for i := begin; i < len(c.words); i++ {
		if t, ok := c.at(i); ok {
			return t, true
		}
		if word := c.words[i]; !joints.has(word) && !deadWords.has(word) && !attributes.has(word) {
			break
		}
	}
	return thing{}, false
}

// subject is what a clause speaks of where t may only say more of it: in "the certificate for this session", the
// certificate.
func (c *clause) subject(t thing) thing {
	for i := c.of[t.start] - 1; i >= 0 && c.afterPreposition(t); i-- {
		t = c.things[i]
	}
	return t
}

func (c *clause) afterPreposition(t thing) bool {
	for i := t.start - 1; i >= 0; i-- {
		if prepositions.has(c.words[i]) {
			return true
		}
		if !joints.has(c.words[i]) && !attributes.has(c.words[i]) && !links.has(c.words[i]) {
			return false
		}
	}
	return false
}
