package discover

import (
	"cmp"
	"slices"
	"strings"
)

// findCSRF finds the header that protects against forgery: of those that repeat a cookie or what a response gave, the
// one that most requests show.
func (l *learner) findCSRF() {
	for _, g := range l.groups() {
		if g.place != inHeader || g == l.carrier || l.carrier != nil && g.spot == l.carrier.spot || !l.forgery(g) {
			continue
		}
		if g.known == 0 && !slices.ContainsFunc(g.uses, l.twinned) {
			continue // one that never changes is a fixed header
		}
		if l.csrf == nil || len(g.uses) > len(l.csrf.uses) {
			l.csrf = g
		}
	}
}

// twinned reports whether a cookie of the same request has the same value.
func (l *learner) twinned(u use) bool { return l.twin(u) != "" }

// twin names that cookie.
func (l *learner) twin(u use) string {
	for _, o := range l.uses[u.x] {
		if o.place == inCookie && o.value == u.value {
			return o.name
		}
	}
	return ""
}

// describeCSRF says where tokens against forgery come from, and which header and which field show them.
func (l *learner) describeCSRF() {
	c := &l.result.Settings.CSRF
	if l.csrf != nil {
		u := l.csrf.uses[0]
		if l.takesForgery(u, l.csrfCookie(l.isAuth)) && !strings.EqualFold(l.csrf.name, "X-CSRF-Token") {
			c.Header = l.csrf.name
		}
		if api := l.csrfCookie(func(x *exchange) bool { return !l.isAuth(x) }); c.Cookie != "" && api != c.Cookie {
			c.APICookie = api
		}
	}
	for _, x := range []*exchange{l.login, l.refresh, l.logout} {
		if x == nil || c.Field != "" {
			continue
		}
		for _, u := range l.uses[x] {
			if u.place == inBody && slices.Contains(l.shows(x).forgery, u.name) && l.takesForgery(u, "") {
				c.Field = u.name
				l.fetchesForgery(u)
			}
		}
	}
}

// fetchesForgery makes the page that the login's token came from the one to fetch, if the source that was taken is in it.
func (l *learner) fetchesForgery(u use) {
	c := &l.result.Settings.CSRF
	src, known := l.source(u.value, u.x)
	if c.URL != "" || !known || !src.x.safe() || u.x != l.login {
		return
	}
	for _, s := range src.x.sources() {
		if s.spot == (spot{inMeta, c.ResponseMeta}) || s.spot == (spot{inPage, c.ResponseField}) {
			c.URL = l.reference(src.x)
		}
	}
}

// takesForgery makes the source of u the settings', unless they have one, and reports whether there is one. cookie is
// the one of the same request that has the same value.
func (l *learner) takesForgery(u use, cookie string) bool {
	c := &l.result.Settings.CSRF
	src, known := l.source(u.value, u.x)
	if cookie != "" && src.place != inCookie {
		src.spot = spot{inCookie, cookie}
	}
	switch {
	case c.Cookie+c.ResponseHeader+c.ResponseJSON+c.ResponseField+c.ResponseMeta != "":
		return true
	case !known && cookie == "":
		l.result.missing("%s shows a token against forgery, as %s, and no response gave it", l.entry(u.x), u.name)
		return false
	}
	switch src.place {
	case inCookie:
		c.Cookie = cmp.Or(cookie, src.name)
	case inHeader:
		c.ResponseHeader = src.name
	case inBody:
		c.ResponseJSON = src.name
	case inPage:
		c.ResponseField = src.name
	case inMeta:
		c.ResponseMeta = src.name
	}
	from := l.from(u.x)
	if known {
		from = l.from(src.x, u.x)
		if src.x.safe() && (u.x == l.login || l.login != nil && l.before(src.x, l.login)) {
			c.URL = l.reference(src.x)
		}
	}
	l.result.found(Certain, from, "the %s %s repeats the %s %s, against forgery", u.place, u.name, src.place, src.name)
	return true
}

// csrfCookie is the cookie that the header repeats in requests of that sort, "" if none.
func (l *learner) csrfCookie(sort func(*exchange) bool) (name string) {
	for _, u := range l.csrf.uses {
		if twin := l.twin(u); twin != "" && (name == "" || sort(u.x)) {
			name = twin
			if sort(u.x) {
				return name
			}
		}
	}
	return name
}

// isAuth reports whether x is one of the calls.
func (l *learner) isAuth(x *exchange) bool { return x == l.login || x == l.refresh || x == l.logout }
