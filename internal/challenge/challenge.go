// Package challenge reads WWW-Authenticate (RFC 9110 section 11.6.1), and tells a rejected token from other reasons for a 401
// (RFC 6750 section 3.1).
package challenge

import (
	"net/http"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// RejectsToken reports whether a 401 with the header h says that the access token was not taken (RFC 6750
// section 3.1), so that a newer one may help. It does not where the token lacks a scope, where the request itself
// is wrong, or where the server wants nothing but a password.
func RejectsToken(h http.Header) bool {
	bearer, password, other := false, false, false
	scope := false
	Each(h.Values("Www-Authenticate"), func(scheme, name, value string) {
		switch {
		case strings.EqualFold(scheme, "Bearer"):
			bearer = true
			scope = scope || name == "error" && (value == "insufficient_scope" || value == "invalid_request")
		case wantsPassword(scheme):
			password = true
		default:
			other = true
		}
	})
	if bearer {
		return !scope
	}
	return other || !password
}

// LacksScope reports whether a response with the header h says that a newer token would not help: it lacks a scope, or
// the request itself is wrong (RFC 6750 section 3.1).
func LacksScope(h http.Header) (lacks bool) {
	Each(h.Values("Www-Authenticate"), func(scheme, name, value string) {
		lacks = lacks || strings.EqualFold(scheme, "Bearer") && name == "error" && (value == "insufficient_scope" || value == "invalid_request")
	})
	return lacks
}

func wantsPassword(scheme string) bool {
	for _, s := range []string{"Basic", "Digest", "Negotiate", "NTLM"} {
		if strings.EqualFold(scheme, s) {
			return true
		}
	}
	return false
}

// Each reads WWW-Authenticate fields (RFC 9110 section 11.6.1), of which each may hold several challenges. It
// calls found for each challenge with its scheme and no name, and then for each of its parameters, the name in lower
// case. What follows a mistake up to the next comma is passed over.
func Each(fields []string, found func(scheme, name, value string)) {
	for _, field := range fields {
		scheme := ""
		for rest := field; rest != ""; {
			var element string
			element, rest = cutElement(rest)
			scheme = readElement(scheme, strings.Trim(element, " \t"), found)
		}
	}
}

// cutElement cuts s after its first comma that is not in a quoted string.
func cutElement(s string) (element, rest string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case !quoted && s[i] == ',':
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// readElement reads one element of the list: a parameter of the present challenge, or the beginning of the next.
// It returns the scheme that the next element belongs to.
func readElement(scheme, element string, found func(scheme, name, value string)) string {
	if element == "" {
		return scheme
	}
	if name, value, ok := parameter(element); ok {
		if scheme != "" {
			found(scheme, name, value)
		}
		return scheme
	}
	scheme, rest, _ := strings.Cut(element, " ")
	if !isToken(scheme) {
		return ""
	}
	found(scheme, "", "")
	if name, value, ok := parameter(strings.TrimLeft(rest, " \t")); ok { // else it is a token68, or nothing
		found(scheme, name, value)
	}
	return scheme
}

// parameter reads name=value, with space around the equals sign and with the value quoted or not.
func parameter(s string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(s, "=")
	name, value = strings.TrimRight(name, " \t"), strings.TrimLeft(value, " \t")
	if !ok || !isToken(name) || value == "" || value[0] == '=' {
		return "", "", false
	}
	if value[0] == '"' {
		value = unquoted(value[1:])
	}
	return strings.ToLower(name), value, true
}

// unquoted is the text of a quoted string (RFC 9110 section 5.6.4) whose opening mark is cut off.
func unquoted(s string) string {
	end := strings.IndexAny(s, `"\`)
	if end < 0 {
		return s
	}
	if s[end] == '"' {
		return s[:end]
	}
	var b strings.Builder
	for i := 0; i < len(s) && s[i] != '"'; i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// isToken reports whether s is a token (RFC 9110 section 5.6.2).
func isToken(s string) bool { return httpguts.ValidHeaderFieldName(s) }
