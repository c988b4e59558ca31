package refusal

import "strings"

// A statement is one text or code of a response, and what it says.
type statement struct {
	text string
	code bool // it is an error code, by its form and its place

	strong  bool    // it says that the credential is dead
	weak    bool    // it says so of a token, or of whose it is
	access  bool    // it speaks of the access token
	foreign Meaning // what else it blames; Unrecognized: nothing
}

// syntax are phrases of parsers, whose tokens are others.
var syntax = []string{"syntax", "at line", "at position", "in json", "parse body", "parse json"}

// newStatement reads a text.
func newStatement(text string, code bool) statement {
	s := statement{text: text, code: code}
	words := wordsOf(text)
	s.foreign = foreign(words)
	s.weak = signInAgain.in(spaced(words))
	for _, c := range clauses(words) {
		s.read(c)
	}
	if phrase(words, syntax...) {
		s.weak = false
	}
	if code && definite.has(squeezed(text)) {
		s.strong = true
	}
	return s
}

// read takes in what a clause says.
func (s *statement) read(c clause) {
	for _, t := range c.things {
		s.access = s.access || t.class == accessToken
	}
	for i := range c.words {
		d, ok := c.claimAt(i)
		if !ok {
			continue
		}
		t, ok := c.about(d)
		if !ok {
			continue
		}
		s.claim(d, t)
	}
}

// claim takes in what is said of t.
func (s *statement) claim(d claim, t thing) {
	onlyOfPeople := d.word == "disabled" || d.word == "deactivated"
	switch t.class {
	case strongToken, session:
		s.strong = s.strong || !onlyOfPeople
	case weakToken, accessToken:
		s.weak = s.weak || !onlyOfPeople
	case person:
		s.weak = s.weak || gone.has(d.word) || onlyOfPeople
	case signIn:
		s.weak = s.weak || endings.has(d.word)
	case foreignToken:
		if s.foreign == Unrecognized {
			s.foreign = Other
		}
	}
}

// squeezed is a code as it is compared: INVALID_GRANT, "Invalid grant" and invalid_grant are one.
func squeezed(code string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("_- .!", r) {
			return -1
		}
		return r
	}, strings.ToLower(code))
}
