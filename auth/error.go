package auth

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

var (
	// ErrSessionOver: the auth server has ended the session, another process has logged out or in as somebody else, or the
	// token has ended and nothing can renew it. Only a login helps.
	ErrSessionOver = errors.New("silentrefresh: the session is over: call Login")

	// ErrNotRenewable: the session carries nothing that the refresh endpoint would take. An Exchanger returns it
	// when it is asked to refresh such a session.
	ErrNotRenewable = errors.New("silentrefresh: the session carries nothing to renew it with")
)

// An Error says why a login, a refresh or a logout did not succeed. It never carries bodies, query strings
// or tokens. An Exchanger returns one to say what the auth server meant; other errors of an Exchanger are taken
// for "try again later".
type Error struct {
	// Op is what was tried: KindLogin, KindRefresh or KindLogout. A Client fills it in where an Exchanger leaves it out.
	Op Kind
	// Path is the path of the URL that was called; "": the text names the auth server instead.
	Path string
	// Status is the HTTP status of the response; 0: there was none.
	Status int
	// Code is the error code of the response, for instance invalid_grant (RFC 6749 section 5.2); "": none.
	Code string
	// Refused: a definite no to this very credential; after a refresh, the session is over.
	Refused bool
	// Unsent: the credential never left this machine, or the server said that it did not look at it
	// (429, 503): presenting it again is harmless.
	Unsent bool
	// MaybeSpent: the credential was sent and the response was lost; it may be spent (RFC 9700 section 4.14.2).
	MaybeSpent bool
	// Interrupted: the response to a credential was lost, and presenting the credential again did not bring a new
	// session. Together with Refused the session is over, by an accident and not by anybody's will.
	Interrupted bool
	// At is when it failed, by the wall clock; zero if nothing was tried.
	At time.Time
	// Until is when the next attempt may be made (Retry-After, RFC 9110 section 10.2.3, or a backoff); zero: nobody says.
	Until time.Time
	// Hint says what to do, "" for the usual advice.
	Hint string
	// Err is the cause, nil if the response itself says it all.
	Err error

	// Doubtful: a no that may come from a firewall as well (a bare 403). It counts as Refused if the next attempts, over
	// ten minutes at least, bring the same; whoever schedules the attempts counts.
	Doubtful bool
	// Unrecognized: the auth server refused in words that are not understood, or that may mean several things. Whoever
	// schedules the attempts compares such errors by Status, Code and Said: after three equal ones for the same credential
	// over at least ten minutes, the session is not healthy, its status says what Said and Hint say, and the server is
	// asked at most once an hour, until a response is another one. It never ends the session.
	Unrecognized bool
	// RateLimited: the server wants fewer calls (429, or a response that says so). Without Until, the next attempt waits
	// twice as long as the one before, up to an hour: with a limit that slides, each refused call counts again.
	RateLimited bool
	// Said is what the response tells people, shortened, "" if it says nothing that can be shown. It has only printable
	// characters and nothing that was sent, and is the same in each refusal of the same kind: numbers and identifiers are
	// left out.
	Said string
}

// Error says what failed, why, and what to do.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("silentrefresh: ")
	b.WriteString(e.what())
	if why := e.why(); why != "" {
		b.WriteString(": " + why)
	}
	if e.Interrupted {
		b.WriteString(" (interrupted: the response to an earlier attempt was lost, and the credential may be spent)")
	}
	if do := e.do(); do != "" {
		b.WriteString("; " + do)
	}
	return b.String()
}

func (e *Error) what() string {
	if e.Refused && e.Op == KindRefresh {
		return "the session is over"
	}
	return cmp.Or(e.Op.String(), "exchange") + " failed"
}

func (e *Error) why() string {
	var parts []string
	if e.Status != 0 {
		status := cmp.Or(e.Path, "the auth server") + " returned " + strconv.Itoa(e.Status)
		if e.Code != "" {
			status += " " + e.Code
		} else if t := http.StatusText(e.Status); t != "" {
			status += " " + t
		}
		if e.quotes() {
			status += fmt.Sprintf(": the server says %q", e.Said)
		}
		parts = append(parts, status)
	}
	if e.Err != nil {
		parts = append(parts, strings.TrimPrefix(e.Err.Error(), "silentrefresh: "))
	}
	return strings.Join(parts, ": ")
}

// quotes reports whether Said says more than the status and the code do.
func (e *Error) quotes() bool {
	known := e.Code != "" && !e.Unrecognized
	return e.Said != "" && !known && e.Said != e.Code && e.Said != http.StatusText(e.Status)
}

func (e *Error) do() string {
	switch {
	case e.Hint != "":
		return e.Hint
	case e.Refused && e.Op == KindRefresh:
		return "call Login"
	case !e.Until.IsZero():
		return "postponed until " + e.Until.Format(time.TimeOnly)
	default:
		return ""
	}
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is ErrSessionOver and e is a refused refresh, for errors.Is.
func (e *Error) Is(target error) bool {
	return target == ErrSessionOver && e.Refused && e.Op == KindRefresh
}
