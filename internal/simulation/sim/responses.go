package sim

import (
	"fmt"
	"time"
)

// A reply is how the auth server responds, and what the network makes of it. The zero reply is what it should be.
type reply struct {
	before, after time.Duration // how long it takes, before and after it takes effect; added to the latency

	lost    failing // the network loses the request, or the response
	drops   bool    // the request never takes effect
	kills   bool    // the session is ended
	blank   bool    // a 2xx without a token, that has no effect
	refused bool    // the credential is, for good
	status  int     // of a response that is no success; 0: it is one
	later   bool    // with Retry-After
	body    string
	html    bool

	again  bool   // the same token once more, which has no other effect
	stated string // the lifetime that is stated instead of the true one

	// What only an Exchanger does that is not ours.
	panics  bool
	exits   bool          // by runtime.Goexit
	failing bool          // with the next session and an error
	deaf    time.Duration // it takes that long, whatever its context says
}

// A failing is where a network fails.
type failing string

const (
	noDial   failing = "refused connection"
	noReply  failing = "reset"
	cutReply failing = "cut off"
	silence  failing = "silence" // until the context ends
)

// deafness is how long an Exchanger takes that ignores its context. It is over before the quiet time ends.
const deafness = 15 * time.Minute

const page = "<!DOCTYPE html><html><body>Log in to the Wi-Fi</body></html>"

// replies are all the ways to respond, by name. A plan names them.
var replies = map[string]reply{
	"ok":                   {},
	"slow":                 {before: 4 * time.Second},
	"slow response":        {after: 4 * time.Second},
	"429":                  {drops: true, status: 429},
	"429 later":            {drops: true, status: 429, later: true},
	"503":                  {drops: true, status: 503},
	"503 later":            {drops: true, status: 503, later: true},
	"500":                  {drops: true, status: 500},
	"500 after":            {status: 500},
	"404 page":             {drops: true, status: 404, body: page, html: true},
	"portal":               {drops: true, status: 200, body: page, html: true},
	"garbage":              {status: 200, body: "{{{"},
	"204":                  {blank: true, status: 204},
	"empty":                {blank: true, status: 200, body: "{}"},
	"same token":           {again: true},
	"lifetime -1":          {stated: "-1"},
	"lifetime 0":           {stated: "0"},
	"lifetime huge":        {stated: "9223372036"},
	"lifetime unknown":     {stated: "none"},
	"403 page":             {drops: true, status: 403, body: page, html: true},
	"refused":              {kills: true, refused: true, status: 400, body: `{"error":"invalid_grant"}`},
	"refused 401":          {kills: true, refused: true, status: 401, body: `{"error":"invalid_grant"}`},
	"refused 403":          {kills: true, refused: true, status: 403, body: `{"error":"invalid_grant","error_description":"Unknown or invalid refresh token."}`},
	"client refused":       {drops: true, status: 400, body: `{"error":"invalid_client"}`},
	"busy":                 {drops: true, status: 400, body: `{"error":"temporarily_unavailable"}`},
	"no connection":        {lost: noDial},
	"dropped":              {lost: noReply, drops: true},
	"lost":                 {lost: noReply},
	"cut off":              {lost: cutReply},
	"silent":               {lost: silence, drops: true},
	"silent after":         {lost: silence},
	"panic":                {panics: true, drops: true},
	"panic after":          {panics: true},
	"goexit":               {exits: true},
	"session and error":    {failing: true, status: 500},
	"deaf":                 {deaf: deafness},
	"deaf, loses response": {deaf: deafness, lost: noReply},
}

// onlyOwn reports whether a reply needs an Exchanger of the simulation's own.
func (r reply) onlyOwn() bool { return r.panics || r.exits || r.failing || r.deaf > 0 }

// means is what a failed exchange says about its credential.
type means string

const (
	meansNothing means = ""          // it succeeded
	meansUnsent  means = "not taken" // the same credential again is harmless
	meansUnknown means = "lost"      // it may be spent
	meansRefused means = "refused"
	meansFailed  means = "failed" // for a reason that is not the credential's
	meansBlank   means = "no token"
)

// meaning is what r says to a client that reads it right.
func (r reply) meaning() means {
	switch {
	case r.refused:
		return meansRefused
	case r.lost == noDial, r.status == 429, r.status == 503:
		return meansUnsent
	case r.lost != "", r.status >= 500, r.body == "{{{", r.panics, r.exits:
		return meansUnknown
	case r.blank:
		return meansBlank
	case r.status != 0:
		return meansFailed
	}
	return meansNothing
}

// lifetime is how r states the lifetime of t, in seconds; "" if it does not.
func (r reply) lifetime(t *token) string {
	switch {
	case r.stated == "none", r.stated == "" && t.life == 0:
		return ""
	case r.stated != "":
		return r.stated
	}
	return fmt.Sprintf("%d", int64(t.life/time.Second))
}

// life is how long t lives as r states it; 0 if that is unknown, or absurd.
func (r reply) life(t *token) time.Duration {
	switch r.stated {
	case "":
		return t.life
	case "9223372036":
		return 9223372036 * time.Second
	}
	return 0
}
