// Package refusal says what a response means that brought no session: whether the credential is dead, or somebody else
// is to blame. It judges by what the words of a response say, in its codes and its texts, and by how far each can be
// trusted; a list of codes would never be complete.
//
// The order of trust: a code that blames the client or the server for the moment; a code that says that the credential
// is dead; a text that says so; a text that blames something else; and last the status.
package refusal

import (
	"net/http"
	"slices"
	"strings"

	"github.com/silentrefresh/silentrefresh/internal/challenge"
	"github.com/silentrefresh/silentrefresh/internal/response"
)

// A Meaning is what a response says.
type Meaning int

const (
	Unrecognized Meaning = iota // no, in words that are not understood
	Refused                     // the credential is refused for good
	Doubtful                    // perhaps so: believe it if it repeats
	Client                      // this client is refused: its id, key, license, certificate or request
	CSRF                        // a CSRF token is missing or wrong
	Blocked                     // somebody before the server, or a place or an address, is in the way
	Locked                      // the account is locked, or wants something of its owner: that may pass
	Clock                       // the clocks are apart
	Busy                        // too many calls
	Fault                       // the server has a fault, or is away for the moment
	Elsewhere                   // the URL, the method or the form of the request is wrong, as far as one can tell
	Page                        // a page for people
	Other                       // another token than the credential is dead
)

// A Call is what the refused request was about.
type Call struct {
	// Refresh: it was a refresh, so that a "token" is the credential.
	Refresh bool
	// AccessToken: it carried the access token; Other: it carried another credential.
	AccessToken, Other bool
	// Scheme is the authentication scheme that API requests use, beside Bearer.
	Scheme string
}

// A Reading is what a response was found to say.
type Reading struct {
	Meaning Meaning
	// Unsure: the words blame something else, and may mean the credential all the same.
	Unsure     bool
	statements []statement
}

// Read reads a response with a status from 400 on, or one that Complains.
func Read(r *response.Response, call Call) Reading {
	return read(r, call, false)
}

// Definite reads a 2xx response that does not complain, and has no token: its meaning is Refused if its messages say
// so, or if it has null where the session was.
func Definite(r *response.Response, call Call) Reading {
	got := read(r, call, true)
	if nullSession(r) {
		got.Meaning = Refused
	}
	return got
}

func read(r *response.Response, call Call, brief bool) Reading {
	j := judge{response: r, call: call, status: r.Status}
	if r.Status < 300 {
		j.status = max(statusIn(r), r.Status)
	}
	for _, text := range textsOf(r, brief) {
		j.take(text)
	}
	meaning := j.meaning()
	return Reading{Meaning: meaning, Unsure: j.unsure(meaning), statements: j.statements}
}

// A judge weighs what a response says.
type judge struct {
	response   *response.Response
	call       Call
	status     int
	statements []statement
}

func (j *judge) take(t labelled) {
	code := t.rank < len(codeNames) && isCode(t.text)
	s := newStatement(t.text, code)
	if misplaced(j.status) && !code && strings.Contains(t.text, "/") {
		s = statement{text: t.text} // with the path that was asked for
	}
	if named := credentials[squeezed(t.label)]; named != "" && !s.strong && s.foreign == Unrecognized {
		labelled := newStatement(named+" "+t.text, false)
		s.strong, s.weak = labelled.strong, labelled.weak
	}
	j.statements = append(j.statements, s)
}

// credentials are what the names of fields stand for that carry the credential: a message about one may not name it.
var credentials = map[string]string{"refresh": "refresh token", "refreshtoken": "refresh token", "token": "token",
	"jwt": "token", "session": "session", "sessionid": "session", "sessiontoken": "session", "grant": "grant"}

// isCode reports whether a text can be an error code by its form.
func isCode(text string) bool {
	return len(text) <= longestWord && !strings.ContainsFunc(text, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		return !letter && (r < '0' || r > '9') && !strings.ContainsRune("_.-:/#", r)
	})
}

// misplaced are statuses of a request that went to a wrong place, or in a wrong form: what is not found, say, is more
// often the URL than the session.
func misplaced(status int) bool {
	return slices.Contains([]int{404, 405, 406, 408, 411, 413, 414, 415, 417, 421, 426, 431, 505}, status)
}

func (j *judge) meaning() Meaning {
	switch {
	case j.status == http.StatusTooManyRequests || j.status == http.StatusTooEarly:
		return Busy
	case j.status >= 500:
		return Fault
	case j.response.Err == response.ErrHTML:
		return j.page()
	}
	if m, ok := j.protected(); ok {
		return m
	}
	codes, texts := j.sum(true), j.sum(false)
	blame := firstOf(codes.foreign, texts.foreign)
	passing := blame == Busy || blame == Fault || blame == Clock
	switch {
	case codes.strong && (passing || blame == Blocked):
		return blame
	case texts.strong && passing:
		return Unrecognized
	case codes.strong:
		return Refused
	case codes.foreign != Unrecognized:
		return codes.foreign
	case texts.strong:
		return Refused
	case blame != Unrecognized:
		return blame
	case (codes.access || texts.access) && j.call.AccessToken && j.call.Other:
		return Unrecognized // what was sent beside the credential
	case codes.weak || texts.weak:
		return Refused
	}
	return j.byStatus()
}

// unsure reports whether words that say that a token is dead were outweighed by others, and not by a code that nothing
// overrides.
func (j *judge) unsure(meaning Meaning) bool {
	if _, ok := j.protected(); ok {
		return false
	}
	codes, texts := j.sum(true), j.sum(false)
	return slices.Contains([]Meaning{Client, Blocked, Locked, Other}, meaning) &&
		(codes.weak || codes.strong || texts.weak || texts.strong)
}

// protected is what a code says that nothing overrides. A client that is not allowed something may be one whose token
// is dead, if a text says so.
func (j *judge) protected() (Meaning, bool) {
	for _, s := range j.statements {
		m, ok := protective()[squeezed(s.text)]
		if !ok || !s.code {
			continue
		}
		if texts := j.sum(false); squeezed(s.text) == "unauthorizedclient" && (texts.strong || texts.weak) && j.call.Refresh {
			return Refused, true
		}
		return m, true
	}
	return Unrecognized, false
}

// sum is what all codes, or all texts, say together.
func (j *judge) sum(code bool) statement {
	var all statement
	for _, s := range j.statements {
		if s.code != code {
			continue
		}
		all.strong = all.strong || s.strong
		all.weak = all.weak || s.weak
		all.access = all.access || s.access
		all.foreign = firstOf(all.foreign, s.foreign)
	}
	return all
}

func firstOf(a, b Meaning) Meaning {
	if a != Unrecognized {
		return a
	}
	return b
}

// page is what an HTML page means: never the end of a session.
func (j *judge) page() Meaning {
	head := string(j.response.Body[:min(len(j.response.Body), longestPage)])
	if j.status == 419 || foreign(wordsOf(tag().ReplaceAllString(head, " "))) == CSRF {
		return CSRF
	}
	return Page
}

// byStatus is for a response whose words say nothing.
func (j *judge) byStatus() Meaning {
	switch {
	case j.status == 419: // Laravel's "page expired"
		return CSRF
	case j.status == http.StatusProxyAuthRequired, j.status == http.StatusUnavailableForLegalReasons:
		return Blocked
	case misplaced(j.status):
		return Elsewhere
	case j.response.Err == response.ErrXML:
		return Elsewhere // the words of a gateway or a store of files
	case !j.call.Refresh:
		return Unrecognized
	case j.status == 440 || j.status == 498: // "login time-out" and "invalid token"
		return Refused
	case j.status == http.StatusUnauthorized && j.foreignChallenge():
		return Blocked
	case j.status == http.StatusUnauthorized,
		j.response.Status < 300 && j.says("unauthenticated", "unauthorized", "notauthenticated"):
		return j.unauthorized()
	case j.status == http.StatusForbidden, j.says("accessdenied", "forbidden"):
		return Doubtful
	default:
		return Unrecognized
	}
}

// unauthorized is what a bare 401 means: the credential is refused, unless a gateway says so in its own words.
func (j *judge) unauthorized() Meaning {
	denied := func(s statement) bool { return s.code && squeezed(s.text) == "accessdenied" }
	if slices.ContainsFunc(j.statements, denied) {
		return Doubtful
	}
	if j.says("invalidauthenticationcredentials") && len(j.response.Header.Values("Www-Authenticate")) == 0 {
		return Blocked // Kong's words, and FastAPI's, which gives a challenge with them
	}
	return Refused
}

// says reports whether a code or a whole text is one of words, squeezed.
func (j *judge) says(words ...string) bool {
	return slices.ContainsFunc(j.statements, func(s statement) bool { return slices.Contains(words, squeezed(s.text)) })
}

// schemes are those that ask for a session's token.
var schemes = set(`bearer dpop jwt token oauth session cookie`)

// foreignChallenge reports whether a response asks for credentials, and only for such as a session has nothing to do
// with: a password of a proxy or of a gateway.
func (j *judge) foreignChallenge() bool {
	ours, foreign := false, false
	challenge.Each(j.response.Header.Values("Www-Authenticate"), func(scheme, name, _ string) {
		known := schemes.has(strings.ToLower(scheme)) || strings.EqualFold(scheme, j.call.Scheme)
		ours, foreign = ours || known, foreign || !known
	})
	return foreign && !ours
}
