package discover

import (
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

// describeCSRF says where the header's value comes from.
func (l *learner) describeCSRF() {
	l.describeForgeryFields()
	if l.csrf == nil {
		return
	}
	u := l.csrf.uses[0]
	c := &l.result.Settings.CSRF
	src, known := l.source(u.value, u.x)
	what := ""
	switch cookie := l.csrfCookie(l.isAuth); {
	case cookie != "":
		c.Cookie, what = cookie, "the cookie "+cookie
		if api := l.csrfCookie(func(x *exchange) bool { return !l.isAuth(x) }); api != cookie {
			c.APICookie = api
		}
	case src.place == inHeader:
		c.ResponseHeader, what = src.name, "the response header "+src.name
	case src.place == inBody && src.name != "":
		c.ResponseJSON, what = src.name, src.name+" of a response"
	case src.place == inCookie:
		c.Cookie, what = src.name, "the cookie "+src.name
	default:
		l.result.missing("the header %s shows a token that a page has in its HTML, which settings cannot read", l.csrf.name)
		return
	}
	if !strings.EqualFold(l.csrf.name, "X-CSRF-Token") {
		c.Header = l.csrf.name
	}
	from := []*exchange{u.x}
	if known {
		from = []*exchange{src.x, u.x}
		if src.x.safe() && l.login != nil && l.before(src.x, l.login) && l.showsForgery(l.login) {
			c.URL = l.reference(src.x)
		}
	}
	l.result.found(Certain, l.from(from...), "the header %s repeats %s, against forgery", l.csrf.name, what)
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

func (l *learner) showsForgery(x *exchange) bool {
	return slices.ContainsFunc(l.csrf.uses, func(u use) bool { return u.x == x })
}

// describeForgeryFields says which fields of a form protect against forgery.
func (l *learner) describeForgeryFields() {
	for _, x := range []*exchange{l.login, l.refresh, l.logout} {
		if x == nil {
			continue
		}
		for _, name := range l.shows(x).forgery {
			l.result.missing("the field %s of %s shows a token against forgery that the page before had; "+
				"settings cannot fetch that", name, l.entry(x))
		}
	}
}
