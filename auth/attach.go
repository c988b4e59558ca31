package auth

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Attach says how requests carry the access token. The zero value is "Authorization: Bearer" (RFC 6750
// section 2.1).
type Attach struct {
	// Header is the request header; "": Authorization.
	Header string `json:"header"`
	// Scheme goes before the token; "": Bearer in Authorization, none in any other header.
	Scheme string `json:"scheme"`
	// Bare sends the token without a scheme, in Authorization too.
	Bare bool `json:"bare"`
	// Cookies sends the session's cookies to the API as well, as a browser would.
	Cookies bool `json:"cookies"`
}

// Value is the header that carries token, and its value.
func (a Attach) Value(token string) (header, value string) {
	header = cmp.Or(a.Header, "Authorization")
	if scheme := a.SchemeName(); scheme != "" {
		return header, scheme + " " + token
	}
	return header, token
}

// SchemeName is the scheme that goes before the token, "" if none does.
func (a Attach) SchemeName() string {
	switch {
	case a.Bare:
		return ""
	case a.Scheme == "" && strings.EqualFold(cmp.Or(a.Header, "Authorization"), "Authorization"):
		return "Bearer"
	default:
		return a.Scheme
	}
}

// written are the headers that net/http writes itself, or that say how a message is to be read.
var written = []string{"Host", "Content-Length", "Transfer-Encoding", "Trailer", "Connection", "Keep-Alive", "Upgrade", "TE",
	"Expect", "Content-Encoding", "Content-Type", "Proxy-Connection"}

// Check reports every mistake in a.
func (a Attach) Check() error {
	var mistakes []error
	switch {
	case a.Header != "" && !httpguts.ValidHeaderFieldName(a.Header):
		mistakes = append(mistakes, fmt.Errorf("attach.header: %q is not a header name", a.Header))
	case slices.ContainsFunc(written, func(name string) bool { return strings.EqualFold(a.Header, name) }):
		mistakes = append(mistakes, fmt.Errorf("attach.header: net/http writes %s itself; name another header", a.Header))
	case strings.EqualFold(a.Header, "Cookie"):
		mistakes = append(mistakes, errors.New("attach.header: for a token that is a cookie, set access_token.cookie to its name"))
	}
	if !httpguts.ValidHeaderFieldValue(a.Scheme) {
		mistakes = append(mistakes, errors.New("attach.scheme: it holds control characters; give a word such as Bearer"))
	}
	if a.Bare && a.Scheme != "" {
		mistakes = append(mistakes, fmt.Errorf("attach: bare contradicts the scheme %q; leave one of the two out", a.Scheme))
	}
	return errors.Join(mistakes...)
}
