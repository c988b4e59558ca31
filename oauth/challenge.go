package oauth

import (
	"net/http"
	"slices"
	"strings"

	"github.com/silentrefresh/silentrefresh/internal/challenge"
)

// A Challenge is what an API says about the token that it wants (RFC 6750 section 3, RFC 9728 section 5.1). Given to
// Client.Login, it makes the login ask for what it names; what the session before had is asked for as well. The zero
// value names nothing.
type Challenge struct {
	// Scopes are what the token has to have.
	Scopes []string
	// ResourceMetadata is the URL of the resource's metadata, "" if the challenge does not say.
	ResourceMetadata string
	// Error is the code, for instance insufficient_scope; "" where no token was sent.
	Error string
	// DPoP says that the API takes tokens that are bound to a key, and no others (RFC 9449 section 7.1).
	DPoP bool

	denied bool // it came with a 401 or a 403
}

// IsZero reports whether c comes from nowhere.
func (c Challenge) IsZero() bool {
	return len(c.Scopes) == 0 && c.ResourceMetadata == "" && c.Error == "" && !c.DPoP && !c.denied
}

// ReadChallenge reads resp. It is not ok unless the status is 401, or 403 with a challenge about the token.
func ReadChallenge(resp *http.Response) (c Challenge, ok bool) {
	bearer := false
	challenge.Each(resp.Header.Values("Www-Authenticate"), func(scheme, name, value string) {
		switch {
		case strings.EqualFold(scheme, "Bearer"):
			bearer = true
		case strings.EqualFold(scheme, "DPoP"):
			c.DPoP = true
		default:
			return
		}
		c.read(name, value)
	})
	tokens := bearer || c.DPoP
	c.DPoP = c.DPoP && !bearer
	switch resp.StatusCode {
	case http.StatusUnauthorized:
		c.denied = true
	case http.StatusForbidden:
		c.denied = tokens && c.Error == insufficientScope
	}
	if !c.denied {
		return Challenge{}, false
	}
	return c, true
}

func (c *Challenge) read(name, value string) {
	switch {
	case name == "scope" && len(c.Scopes) == 0 && len(value) <= 4096:
		c.Scopes = strings.Fields(value)
	case name == "resource_metadata" && c.ResourceMetadata == "":
		c.ResourceMetadata = value
	case name == "error" && c.Error == "":
		c.Error = errorCode(value)
	}
}

// union is a and what b has beyond it.
func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, scope := range b {
		if !slices.Contains(all, scope) {
			all = append(all, scope)
		}
	}
	return all
}
