package discover

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
)

// collectSecrets notes every value that must not get out: what responses gave and requests showed, cookies, and what
// a person typed.
func (l *learner) collectSecrets() {
	for _, x := range l.all {
		for _, u := range l.uses[x] {
			if u.value != "" && l.mustStay(u) {
				l.secrets[u.value] = true
			}
		}
		if x != l.login && x != l.refresh {
			continue
		}
		for _, s := range x.sources() {
			if opaque(s.value) && s.place != inPage && s.place != inMeta && !automatic(s.name) {
				l.secrets[s.value] = true
			}
		}
	}
	for _, token := range l.tokens {
		l.secrets[token] = l.secrets[token] || !l.standing(token)
	}
	if l.login == nil {
		return
	}
	for _, name := range l.people(l.login) {
		if v, ok := leafAt(l.login.fields, name).(string); ok {
			l.typed[v] = true
		}
	}
}

// standing reports whether a value was there before the login, and is still shown after it: an API key, which is no
// session's. What the login alone shows is left over from an earlier session.
func (l *learner) standing(value string) bool {
	if l.login == nil || len(l.sources[value]) > 0 {
		return false
	}
	carries := func(x *exchange) bool {
		return slices.ContainsFunc(l.uses[x], func(u use) bool { return u.place == inHeader && u.value == value })
	}
	return carries(l.login) && slices.ContainsFunc(l.all[l.place[l.login]+1:], carries)
}

// mustStay reports whether what a request carries must not get out.
func (l *learner) mustStay(u use) bool {
	_, known := l.source(u.value, u.x)
	switch {
	case known && (opaque(u.value) || forgeryName.MatchString(u.name)):
		return true
	case u.place == inCookie:
		return len(u.value) >= minValue
	case u.place == inHeader:
		return u.name == "Authorization" && !strings.EqualFold(u.scheme, "Basic") && !l.standing(u.value)
	}
	return u.place == inBody && (passwordName.MatchString(u.name) || l.passwords[u.name])
}

// leafAt is the value at a path that eachLeaf gave.
func leafAt(document any, path string) (found any) {
	eachLeaf(document, func(p string, v any) {
		if p == path {
			found = v
		}
	})
	return found
}

// isSecret reports whether text is, or holds, a value that must not get out.
func (l *learner) isSecret(text string) bool {
	for _, form := range []string{text, normal(text), basicText(text)} {
		_, bare := cutScheme(form)
		if l.secrets[form] || l.secrets[bare] || l.typed[form] || l.typed[bare] {
			return form != ""
		}
		for s := range l.secrets {
			if len(s) >= minValue && len(form) > len(s) && strings.Contains(form, s) {
				return true
			}
		}
	}
	return false
}

// basicText is what a header "Basic ..." says (RFC 7617), "" if text is none.
func basicText(text string) string {
	r := http.Request{Header: http.Header{"Authorization": {text}}}
	user, password, ok := r.BasicAuth()
	if !ok {
		if raw, err := base64.StdEncoding.DecodeString(text); err == nil && len(raw) < 1000 {
			return string(raw)
		}
		return ""
	}
	return user + ":" + password
}
