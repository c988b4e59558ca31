package endpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/refusal"
	"github.com/silentrefresh/silentrefresh/internal/response"
)

// A RefusedBy is a rule by which a response refuses the credential for good. A response fits if it fits every field that
// is set.
type RefusedBy struct {
	// Status is the HTTP status, from 200 to 599; a redirect (302) counts, followed or not.
	Status int `json:"status,omitempty"`
	// Location is a part of the URL that a redirect leads to, as it is written: "/login", say, or "error=".
	Location string `json:"location,omitempty"`
	// Code is an error code in the response. Upper and lower case, underscores and hyphens make no difference.
	Code string `json:"code,omitempty"`
	// Body is a part of the body as it is written, up to 1000 bytes long. It is looked for in the first MiB.
	Body string `json:"body,omitempty"`
}

// RefusedRules are rules of which one has to fit. In JSON a single rule may stand for the list.
type RefusedRules []RefusedBy

// UnmarshalJSON implements json.Unmarshaler. A field that is not known is an error: a rule without it would refuse more
// than was meant.
func (r *RefusedRules) UnmarshalJSON(document []byte) error {
	d := json.NewDecoder(bytes.NewReader(document))
	d.DisallowUnknownFields()
	if document = bytes.TrimSpace(document); len(document) > 0 && document[0] == '[' {
		return ruleError(d.Decode((*[]RefusedBy)(r)))
	}
	if string(document) == "null" {
		return nil
	}
	var rule RefusedBy
	if err := d.Decode(&rule); err != nil {
		return ruleError(err)
	}
	*r = RefusedRules{rule}
	return nil
}

func ruleError(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(`refused: give rules such as {"status": 400, "code": "TOKEN_DEAD", "body": "..."}: ` + strings.TrimPrefix(err.Error(), "json: "))
}

// Bounds of a rule's texts, in bytes.
const (
	longestCode = 64
	longestPart = 1000
)

// check reports every mistake in the rules of the call.
func (c Call) checkRefused(m *mistakes) {
	if len(c.Refused) > 0 && c.kind == auth.KindLogout {
		m.add("%s.refused: a logout is not refused for good, so that it has no effect; leave it out", c.kind)
	}
	for _, rule := range c.Refused {
		switch {
		case rule == RefusedBy{}:
			m.add("%s.refused: a rule without status, location, code and body would refuse every response; set one of them", c.kind)
		case rule.Status != 0 && (rule.Status < 200 || rule.Status > 599):
			m.add("%s.refused: %d is not the status of a response", c.kind, rule.Status)
		case rule == RefusedBy{Status: rule.Status} && (rule.Status == http.StatusTooManyRequests || rule.Status == http.StatusServiceUnavailable):
			m.add("%s.refused: %d alone says nothing of the credential; set code or body as well", c.kind, rule.Status)
		}
		if len(rule.Code) > longestCode || strings.ContainsFunc(rule.Code, func(r rune) bool { return !unicode.IsPrint(r) }) {
			m.add("%s.refused: a code has up to %d printable characters", c.kind, longestCode)
		}
		if len(rule.Body) > longestPart || len(rule.Location) > longestPart {
			m.add("%s.refused: a part of a body or a location has up to %d bytes", c.kind, longestPart)
		}
	}
}

// refusedBy reports whether a response fits one of the call's rules.
func (c *Call) refusedBy(a *response.Response, reading refusal.Reading) bool {
	return slices.ContainsFunc(c.Refused, func(rule RefusedBy) bool {
		return (rule.Status == 0 || rule.Status == a.Status) && (rule.Code == "" || reading.HasCode(rule.Code)) &&
			(rule.Body == "" || bytes.Contains(a.Body, []byte(rule.Body))) &&
			(rule.Location == "" || strings.Contains(a.Header.Get("Location"), rule.Location))
	})
}

// redirect reports whether a redirect with this status may fit the rule, which is then to be looked at, not followed.
func (r RefusedBy) redirect(status int) bool {
	return r.Status == status || r.Status == 0 && r.Location != ""
}

// refusedByStatus reports whether a status alone refuses, for a response whose body nobody has.
func (c *Call) refusedByStatus(status int) bool {
	return slices.Contains(c.Refused, RefusedBy{Status: status})
}

// ruleFor is the rule, as settings have it, that a response like that of f would fit.
func ruleFor(f *auth.Error) string {
	rule := RefusedBy{Status: f.Status, Code: f.Code}
	if rule.Code == "" && !strings.Contains(f.Said, "...") {
		rule.Body = f.Said
	}
	b, _ := json.Marshal(rule) // a number and two strings
	return string(b)
}
