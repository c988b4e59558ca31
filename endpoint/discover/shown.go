package discover

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// shown are the parts of a request that show a credential: what the settings have names for, and what they have not.
type shown struct {
	refreshField, refreshHeader, accessField, accessHeader string

	refresh   string   // the refresh token itself, normal
	cookies   []string // names of cookies
	unsayable []string // what else was shown, for people
	forgery   []string // fields of the body that protect against forgery
}

// String names what is shown, for people.
func (s shown) String() string {
	var parts []string
	for _, p := range []struct{ what, name string }{
		{"the field ", s.refreshField}, {"the refresh token in ", s.refreshHeader},
		{"the old access token in the field ", s.accessField}, {"the old access token in ", s.accessHeader},
	} {
		if p.name != "" {
			parts = append(parts, p.what+p.name)
		}
	}
	for _, name := range s.cookies {
		parts = append(parts, "the cookie "+name)
	}
	if len(parts) == 0 {
		return "nothing that is known"
	}
	return strings.Join(parts, " and ")
}

// shows finds the credentials that a request shows.
func (l *learner) shows(x *exchange) (s shown) {
	for _, u := range l.uses[x] {
		src, known := l.source(u.value, x)
		fromBefore := !known && opaque(u.value) && refreshName.MatchString(u.name) && x != l.login
		switch {
		case !traceable(u.value), u.place == inQuery && !known, l.showsForgeryHeader(u), isBasic(u.scheme + " -"):
		case u.place == inCookie:
			if opaque(u.value) && !forgeryName.MatchString(u.name) && (l.csrf == nil || !l.repeated(u)) {
				s.cookies = append(s.cookies, u.name)
			}
		case u.place == inBody && (forgeryName.MatchString(u.name) || known && (src.place == inPage || src.place == inMeta)):
			s.forgery = append(s.forgery, u.name)
		case l.showsToken(u, known):
			s.showsAccess(u)
		case known && opaque(u.value), fromBefore:
			s.showsRefresh(u)
		}
	}
	return s
}

// showsToken reports whether u is an access token: one that is known, or what stands where they do.
func (l *learner) showsToken(u use, known bool) bool {
	switch {
	case l.carrier == nil || l.standing(u.value):
		return false
	case u.place == inHeader:
		return l.isToken(u.value) || u.spot == l.carrier.spot && !known
	}
	return l.isToken(u.value) && known
}

func (l *learner) showsForgeryHeader(u use) bool { return l.csrf != nil && u.spot == l.csrf.spot }

// repeated reports whether a header of the same request repeats the cookie u.
func (l *learner) repeated(u use) bool {
	return slices.ContainsFunc(l.uses[u.x], func(o use) bool { return o.place == inHeader && o.value == u.value })
}

func (s *shown) showsAccess(u use) {
	switch u.place {
	case inHeader:
		s.accessHeader = u.name
	case inBody:
		s.accessField = u.name
	default:
		s.unsayable = append(s.unsayable, "the access token in its URL")
	}
}

// showsRefresh takes u for the refresh token, unless something better is known for it.
func (s *shown) showsRefresh(u use) {
	taken := s.refreshField != "" || s.refreshHeader != ""
	if taken && !refreshName.MatchString(u.name) {
		s.unsayable = append(s.unsayable, "a second value from an earlier response, as "+strconv.Quote(u.name))
		return
	}
	switch {
	case u.place == inBody:
		s.refreshField, s.refreshHeader = u.name, ""
	case u.place == inHeader:
		s.refreshHeader, s.refreshField = u.name, ""
	case u.place == inQuery && u.x.method == http.MethodGet:
		s.refreshField, s.refreshHeader = u.name, ""
	default:
		s.unsayable = append(s.unsayable, "a value from an earlier response in its URL")
		return
	}
	s.refresh = u.value
}
