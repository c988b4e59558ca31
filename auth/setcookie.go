package auth

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/cookiedate"
)

// ReadSetCookies reads the Set-Cookie fields of a response's header as RFC 6265bis section 5.6 does, for
// Jar.SetCookies. It differs from http.Response.Cookies in two ways:
//
// A name or value may hold whatever that RFC allows, such as quotation marks, backslashes and brackets, where net/http
// leaves the cookie out. And the end of a cookie counts by the server's clock: where a Date field says what that clock
// shows, Expires is turned into a Max-Age, so that a wrong clock here neither ends a cookie nor keeps it.
func ReadSetCookies(h http.Header) []*http.Cookie {
	date, _ := http.ParseTime(h.Get("Date"))
	var cookies []*http.Cookie
	for _, line := range h["Set-Cookie"] {
		if c := readSetCookie(line, date); c != nil {
			cookies = append(cookies, c)
		}
	}
	return cookies
}

// ClearsCookie reports whether a response with this header deletes the cookie of that name, or empties it. Of several
// fields about one cookie the last counts, as in a jar.
func ClearsCookie(h http.Header, name string) bool {
	clears := false
	for _, c := range ReadSetCookies(h) {
		if c.Name == name {
			ended := !c.Expires.IsZero() && !c.Expires.After(time.Now()) // without a Date there is only this clock
			clears = c.Value == "" || c.MaxAge < 0 || c.MaxAge == 0 && ended
		}
	}
	return clears
}

// readSetCookie reads one field; nil if no cookie is to be made of it.
func readSetCookie(line string, date time.Time) *http.Cookie {
	pair, attributes, _ := strings.Cut(line, ";")
	name, value, ok := strings.Cut(pair, "=")
	name, value = trimBlanks(name), trimBlanks(value)
	if !ok || name == "" || strings.ContainsFunc(line, isControl) {
		return nil
	}
	c := &http.Cookie{Name: name, Value: value, Raw: line}
	if n := len(value); n > 1 && value[0] == '"' && value[n-1] == '"' {
		c.Value, c.Quoted = value[1:n-1], true
	}
	for attribute := range strings.SplitSeq(attributes, ";") {
		name, value, _ := strings.Cut(attribute, "=")
		setAttribute(c, strings.ToLower(trimBlanks(name)), trimBlanks(value))
	}
	if c.MaxAge == 0 && !c.Expires.IsZero() && !date.IsZero() {
		c.MaxAge = secondsLeft(c.Expires, date)
	}
	return c
}

// setAttribute applies one attribute (RFC 6265bis sections 5.6.1 to 5.6.6). The last one of a name counts.
func setAttribute(c *http.Cookie, name, value string) {
	switch name {
	case "expires":
		if end := cookiedate.Parse(value); !end.IsZero() {
			c.Expires, c.RawExpires = end, value
		}
	case "max-age":
		if age, ok := maxAge(value); ok {
			c.MaxAge = age
		}
	case "domain":
		c.Domain = value
	case "path":
		c.Path = value
	case "secure":
		c.Secure = true
	case "httponly":
		c.HttpOnly = true
	case "samesite":
		c.SameSite = sameSite(value)
	}
}

// maxAge reads a Max-Age as http.Cookie has it: negative where the cookie ends at once.
func maxAge(value string) (seconds int, ok bool) {
	digits := strings.TrimPrefix(value, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(value, 10, 32)
	switch {
	case value[0] == '-' || err == nil && n == 0:
		return -1, true
	case err != nil: // too large
		return int(maxLifetime / time.Second), true
	}
	return int(n), true
}

// secondsLeft is a Max-Age for what ends at end when the server's clock shows date.
func secondsLeft(end, date time.Time) int {
	left := min(end.Sub(date), maxLifetime)
	if left < time.Second {
		return -1
	}
	return int(left / time.Second)
}

func sameSite(value string) http.SameSite {
	switch strings.ToLower(value) {
	case "lax":
		return http.SameSiteLaxMode
	case "strict":
		return http.SameSiteStrictMode
	case "none":
		return http.SameSiteNoneMode
	}
	return http.SameSiteDefaultMode
}

func trimBlanks(s string) string { return strings.Trim(s, " \t") }

// isControl reports whether r is a control character that makes a cookie invalid (RFC 6265bis section 5.6).
func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
