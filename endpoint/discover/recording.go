package discover

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/silentrefresh/silentrefresh/internal/har"
)

// Recording learns from a recording of a browser's traffic, or a proxy's, in HAR 1.2 format, in which somebody logged
// in, used the API and went on beyond the end of an access token; best of all, logged out at last. It follows values,
// not names: what later requests show as their credential came from some response, and that one's request showed what
// renews it.
//
// It reads up to 1 GiB and 20,000 requests, and of each body 1 MiB; what was left out is among Missing, as is what
// the export has left out. An error says that nothing in r could be read. No secret of the recording gets into the
// Result: neither tokens and cookies nor what a person typed.
func Recording(r io.Reader) (Result, error) {
	rec, err := har.Read(r, worthKeeping)
	if err != nil {
		return Result{}, fmt.Errorf("discover: the recording was not read: %w", err)
	}
	l := newLearner(exchangesOf(rec))
	if rec.Cut != nil {
		l.result.missing("the file was not read to its end: %v", rec.Cut)
	}
	l.learn()
	return *l.result, nil
}

// worthKeeping throws away what a browser asks of its own accord, and the bodies of what is only shown.
func worthKeeping(e *har.Entry) bool {
	media := strings.ToLower(e.Response.Content.MimeType)
	for _, kind := range []string{"image/", "font/", "video/", "audio/", "text/css", "javascript", "wasm", "octet-stream"} {
		if strings.Contains(media, kind) {
			e.Response.Content.Text = ""
			e.Response.Content.Size = 0
		}
	}
	return !strings.EqualFold(e.Request.Method, "OPTIONS") && e.Response.Status > 0
}

// exchangesOf are the recording's exchanges in the order of time.
func exchangesOf(rec *har.Recording) (all []*exchange) {
	for i := range rec.Entries {
		if x := newExchange(&rec.Entries[i]); x != nil {
			all = append(all, x)
		}
	}
	slices.SortStableFunc(all, func(a, b *exchange) int {
		if a.at.IsZero() || b.at.IsZero() {
			return 0
		}
		return a.at.Compare(b.at)
	})
	return all
}

// A set holds strings.
type set map[string]bool

// A learner has the exchanges of a recording, and what was concluded from them so far.
type learner struct {
	result    *Result
	all       []*exchange
	place     map[*exchange]int   // in all
	uses      map[*exchange][]use // of values, by the request that carries them
	sources   map[string][]source // of the values that requests carry, in order
	passwords set                 // names of fields that pages do not echo
	visible   set                 // names of the other fields that people fill in beside those
	hidden    set                 // names of fields that pages fill in
	typed     set                 // what people typed into a login: secrets
	secrets   set                 // tokens, session cookies and what else is no setting
	carrier   *group              // what API requests carry; nil: unknown
	csrf      *group              // what protects against forgery; nil: nothing
	login     *exchange           // the calls; nil: unknown
	second    *exchange           // the login's second step, where it has two
	refresh   *exchange
	used      *exchange // a use of the session that is taken for its refresh, where there is none; nil: none is
	logout    *exchange
	tokens    []string       // access tokens, in the order of their use
	nth       map[string]int // of each access token, from 1
	spots     []spot         // where responses had access tokens
}

func newLearner(all []*exchange) *learner {
	l := &learner{
		result: &Result{}, all: all,
		place: map[*exchange]int{}, uses: map[*exchange][]use{}, sources: map[string][]source{},
		passwords: set{}, visible: set{}, hidden: set{}, typed: set{}, secrets: set{}, nth: map[string]int{},
	}
	carried := set{}
	for i, x := range all {
		l.place[x] = i
		l.uses[x] = x.uses()
		for _, u := range l.uses[x] {
			carried[u.value] = carried[u.value] || traceable(u.value)
		}
	}
	for _, x := range all {
		for _, s := range x.sources() {
			if carried[s.value] {
				l.sources[s.value] = append(l.sources[s.value], s)
			}
		}
		if isHTML(x.media, x.body) {
			l.readForms(readPage(x.body, x.url))
		}
	}
	return l
}

// readForms notes what a page says of the fields that go with a password.
func (l *learner) readForms(p *page) {
	for _, f := range p.forms {
		if !slices.ContainsFunc(f.inputs, func(i input) bool { return i.kind == "password" }) {
			continue
		}
		for _, i := range f.inputs {
			switch i.kind {
			case "password":
				l.passwords[i.name] = true
			case "text", "email", "tel", "number":
				l.visible[i.name] = true
			case "hidden", "checkbox", "button", "submit":
				l.hidden[i.name] = true
			}
		}
	}
}

// learn concludes one thing from the other.
func (l *learner) learn() {
	l.findCarrier()
	l.findLogin()
	l.findRefresh()
	l.findLogout()
	l.findCSRF()
	l.collectSecrets()
	l.describeBase()
	l.describeCredential()
	l.describeExample()
	l.describeLogin()
	l.describeRefresh()
	l.describeLogout()
	l.describeCSRF()
	l.describeRejections()
	l.describeGaps()
	l.check()
}

// source is the first source of value before the request of x.
func (l *learner) source(value string, x *exchange) (source, bool) {
	for _, s := range l.sources[value] {
		if l.place[s.x] < l.place[x] {
			return s, true
		}
	}
	return source{}, false
}

// before reports whether a was recorded before b. A nil a was, and a nil b was not.
func (l *learner) before(a, b *exchange) bool { return a == nil || b != nil && l.place[a] < l.place[b] }

// entry is x as a finding names it, without what may be a secret in its path.
func (l *learner) entry(x *exchange) Entry {
	segments := strings.Split(x.url.EscapedPath(), "/")
	for i, s := range segments {
		if l.isSecret(normal(s)) || opaque(s) && strings.ContainsFunc(s, isDigit) {
			segments[i] = "..."
		}
	}
	return Entry{x.number, x.method, cmp.Or(strings.Join(segments, "/"), "/")}
}

func (l *learner) from(all ...*exchange) (entries []Entry) {
	for _, x := range all {
		if x != nil {
			entries = append(entries, l.entry(x))
		}
	}
	return entries
}
