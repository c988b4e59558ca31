package discover

import (
	"fmt"
	"slices"
	"strings"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/endpoint"
)

// A Result is what was found out about a server. The zero value of a field says that nothing was found, or that the
// usual thing was.
type Result struct {
	// BaseURL is the origin of the API.
	BaseURL string
	// Origins are further origins that got the access token.
	Origins []string
	// Settings are for the server's endpoints. A call that was not found has the URL "-".
	Settings endpoint.Settings
	// Attach is how API requests carry the access token.
	Attach auth.Attach
	// RejectedStatus lists the statuses with which the API rejects a token, where it is not 401 alone.
	RejectedStatus []int
	// RejectedIf are rules for other responses by which the API rejects a token: a redirect to its login page, say.
	RejectedIf []auth.ResponseMatch
	// HandOutHeader is the header of API responses that hands out newer tokens.
	HandOutHeader string
	// Ask names the fields that a person fills in at the login; in a JSON body a dotted name is a nested field.
	Ask []string
	// Example is the path of a request to the API that succeeded, without its query; "" if there is none to name.
	Example string
	// Session is what a command line carried. Recordings leave it empty.
	Session auth.Session
	// OAuth is the authorization server to log in at, nil if none was found.
	OAuth *OAuth

	// Findings say what was found, from what, and how sure that is.
	Findings []Finding
	// Missing says what could not be found out, or cannot be said with Settings, and how to go on.
	Missing []string
}

// OAuth names an authorization server (RFC 6749).
type OAuth struct {
	Issuer   string   // as its metadata has it (RFC 8414), or "" where only its client is known
	Resource string   // the resource that names it (RFC 9728), "" if none does
	ClientID string   // the client that a page logs in with, "" if unknown
	Scopes   []string // that the resource asks for
	// Registers reports whether the server registers clients (RFC 7591), so that none is needed beforehand.
	Registers bool
}

// Sure is how sure a finding is.
type Sure string

// The degrees of certainty.
const (
	Certain Sure = "certain" // a value was followed from one place to the other
	Likely  Sure = "likely"  // it fits, and nothing contradicts it
	Guess   Sure = "guess"   // only a name or a habit speaks for it
)

// A Finding is one thing that was found. It never holds a secret.
type Finding struct {
	What string
	From []Entry // what it was found in, the most important first
	Sure Sure
}

// String is the finding in one line.
func (f Finding) String() string {
	var from []string
	for _, e := range f.From {
		from = append(from, e.String())
	}
	text := f.What
	if len(from) > 0 {
		text += ", from " + strings.Join(from, " and ")
	}
	return text + " (" + string(f.Sure) + ")"
}

// An Entry names a request: its place in the recording, from 1, and what it asked for, without a query.
type Entry struct {
	Number int // 0 where there is only one
	Method string
	Path   string
}

// String is "12 POST /login".
func (e Entry) String() string {
	if e.Number == 0 {
		return e.Method + " " + e.Path
	}
	return fmt.Sprintf("%d %s %s", e.Number, e.Method, e.Path)
}

func (r *Result) found(sure Sure, from []Entry, format string, args ...any) {
	r.Findings = append(r.Findings, Finding{What: fmt.Sprintf(format, args...), From: from, Sure: sure})
}

func (r *Result) missing(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(r.Missing, text) {
		r.Missing = append(r.Missing, text)
	}
}
