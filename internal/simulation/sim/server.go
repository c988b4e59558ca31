package sim

import (
	"fmt"
	"time"
)

// A server is the auth server's memory: sessions, the credentials that renew them, and access tokens. It has no lock
// of its own; the world's is held.
type server struct {
	w           *world
	families    []*family
	credentials map[string]*credential
	tokens      map[string]*token
}

// A family is one login and all that was made of it.
type family struct {
	id      string
	account string
	dead    bool
	good    *credential
	current *token
}

// A credential renews a session.
type credential struct {
	id     string
	family *family
	spent  time.Duration // when it was traded, by the server's clock
	next   *issue        // for what; nil while it is good
}

// A token is an access token.
type token struct {
	id      string
	family  *family
	issued  time.Duration // by the server's clock
	life    time.Duration // as it was stated; 0: not stated
	lasts   time.Duration // as it is; 0: until it is revoked
	revoked bool
}

// An issue is what a login or a refresh gives.
type issue struct {
	credential *credential
	token      *token // nil: none
}

func newServer(w *world) *server {
	return &server{w: w, credentials: map[string]*credential{}, tokens: map[string]*token{}}
}

// login begins a session.
func (s *server) login(account string) issue {
	f := &family{id: fmt.Sprintf("f%d", len(s.families)+1), account: account}
	s.families = append(s.families, f)
	return s.issue(f, !s.w.set.bareName)
}

// refresh trades a credential. ok is false if it is refused.
func (s *server) refresh(id string) (given issue, ok bool) {
	c := s.credentials[id]
	switch {
	case c == nil || c.family.dead:
		return issue{}, false
	case c.next == nil:
		return s.trade(c), true
	case s.w.real()-c.spent <= s.w.set.grace && c.next.credential.next == nil:
		return *c.next, true // the same again
	}
	if !s.w.set.lenient {
		s.w.note(fact{who: nobody, what: ended, text: "reuse of", credential: id, account: c.family.account})
		c.family.dead = true
	}
	return issue{}, false
}

// trade gives the next token for c, which is good.
func (s *server) trade(c *credential) issue {
	f := c.family
	if t := f.current; s.w.set.inPlace && t != nil && !t.revoked {
		t.issued = s.w.real()
		return issue{credential: c, token: t}
	}
	given := s.issue(f, true)
	if given.credential != c {
		c.spent, c.next = s.w.real(), &given
	}
	return given
}

// issue makes a token, if withToken, and the credential for the one after it.
func (s *server) issue(f *family, withToken bool) issue {
	if f.good == nil || !s.w.set.noRotate {
		f.good = &credential{id: fmt.Sprintf("r%d", len(s.credentials)+1), family: f}
		s.credentials[f.good.id] = f.good
	}
	if !withToken {
		return issue{credential: f.good}
	}
	f.current = &token{id: fmt.Sprintf("a%d", len(s.tokens)+1), family: f, issued: s.w.real(), life: s.w.set.ttl, lasts: s.w.set.ttl}
	s.tokens[f.current.id] = f.current
	return issue{credential: f.good, token: f.current}
}

// logout ends the session of a credential, whichever of its credentials that is.
func (s *server) logout(id string) {
	if c := s.credentials[id]; c != nil {
		c.family.dead = true
	}
}

// revoke makes the account's access tokens bad.
func (s *server) revoke(account string) {
	for _, t := range s.tokens {
		t.revoked = t.revoked || t.family.account == account
	}
}

// end ends the account's sessions.
func (s *server) end(account string) {
	for _, f := range s.families {
		f.dead = f.dead || f.account == account
	}
}

// live reports whether the API takes t.
func (s *server) live(t *token) bool {
	return !t.revoked && !t.family.dead && (t.lasts == 0 || s.w.real() < t.issued+t.lasts)
}

// accountOf is whose session a credential or a token belongs to.
func (s *server) accountOf(id string) string {
	switch {
	case s.credentials[id] != nil:
		return s.credentials[id].family.account
	case s.tokens[id] != nil:
		return s.tokens[id].family.account
	}
	return ""
}
