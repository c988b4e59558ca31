// Package timeline keeps what has happened to a session, and draws it: as a line of time on a terminal, and for a page.
package timeline

import (
	"sync"
	"time"

	"github.com/silentrefresh/silentrefresh"
)

// How much is kept: more than any picture shows.
const (
	mostMarks  = 500
	mostTokens = 200
)

// A Mark is something that happened.
type Mark struct {
	Time time.Time               `json:"time"`
	Kind silentrefresh.EventKind `json:"kind"`
	Text string                  `json:"text"` // what there is to say of it, in a line
}

// A Token is the time in which there was a token that was good.
type Token struct {
	From  time.Time `json:"from"`
	Until time.Time `json:"until,omitzero"` // zero: unknown
}

// covers reports whether the token is good at the time t.
func (k Token) covers(t time.Time) bool {
	return !t.Before(k.From) && (k.Until.IsZero() || t.Before(k.Until))
}

// A Life is what is known of a session's past, and how it stands now. Its zero value is ready; its methods may be called
// concurrently.
type Life struct {
	mu     sync.Mutex
	tokens []Token
	marks  []Mark
	status silentrefresh.Status
	seen   Token               // the token of status, as it was issued
	retry  silentrefresh.Event // the failure that is waited out; zero: none is
}

// Note keeps an event, with what there is to say of it.
func (l *Life) Note(ev silentrefresh.Event, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.marks = last(append(l.marks, Mark{Time: ev.Time, Kind: ev.Kind, Text: text}), mostMarks)
	switch ev.Kind {
	case silentrefresh.EventRejected, silentrefresh.EventOver, silentrefresh.EventLoggedOut:
		l.endTokenLocked(ev.Time)
	}
	switch ev.Kind {
	case silentrefresh.EventRetrying:
		l.retry = ev
	case silentrefresh.EventWarning, silentrefresh.EventNotSaved, silentrefresh.EventSaved, silentrefresh.EventRejected:
	default:
		l.retry = silentrefresh.Event{}
	}
}

// endTokenLocked notes that the last token is good no longer.
func (l *Life) endTokenLocked(at time.Time) {
	if n := len(l.tokens); n > 0 && l.tokens[n-1].covers(at) {
		l.tokens[n-1].Until = at
	}
}

// See keeps how the session stands now.
func (l *Life) See(st silentrefresh.Status) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status = st
	token := Token{From: st.Issued, Until: st.Expires}
	if !st.State.Healthy() || st.Issued.IsZero() || token == l.seen {
		return // there is none, or it is known
	}
	l.seen = token
	l.tokens = last(append(l.tokens, token), mostTokens)
}

// A Picture is what a page draws.
type Picture struct {
	Tokens []Token `json:"tokens"`
	Marks  []Mark  `json:"marks"`
}

// Picture is the last of what happened: so many marks, and the tokens.
func (l *Life) Picture(marks int) Picture {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Picture{Tokens: append([]Token{}, l.tokens...), Marks: append([]Mark{}, last(l.marks, marks)...)}
}

// last is the end of all: at most n.
func last[T any](all []T, n int) []T { return all[max(len(all)-n, 0):] }
