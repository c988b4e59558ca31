package discover

import (
	"net/http"
	"regexp"
	"slices"
)

var (
	refreshName = regexp.MustCompile(`(?i)refresh|renew|rotat|extend|keep-?alive`)
	logoutName  = regexp.MustCompile(`(?i)log-?_?(out|off)|sign-?_?(out|off)|revo[ck]|blacklist|end-?session|invalidate`)
)

// findRefresh finds the request that brought a newer credential for an older one.
func (l *learner) findRefresh() {
	best := 0
	for _, x := range l.all {
		if points := l.refreshPoints(x); points > best {
			best, l.refresh = points, x
		}
	}
}

// refreshPoints say how much speaks for x as the refresh; 0: it is none.
func (l *learner) refreshPoints(x *exchange) int {
	if x == l.second || tradesCode(x) || !l.follows(x) || l.sendsToLogin(x) || l.isLoginPage(x) {
		return 0
	}
	if l.carrier == nil { // nothing can be followed, so only its name speaks for it
		if refreshName.MatchString(x.url.Path) && !x.safe() {
			return 1
		}
		return 0
	}
	points := 0
	if x.document != nil {
		points = 1 // what ends a session is better understood in JSON than in a page
	}
	gives := l.givesToken(x)
	if gives == "" && l.extends(x) {
		return points + 5
	}
	if gives == "" || !l.presents(x) && !l.carriesUnknown(x) {
		return 0
	}
	points += 10
	if nth := l.nth[gives]; nth > 1 || nth == 1 && l.login == nil {
		points += 20
	}
	if !x.safe() {
		points += 10
	}
	if refreshName.MatchString(x.url.Path) || l.hasLeaf(x, refreshName) {
		points += 10
	}
	if l.handsOut(x) || logoutName.MatchString(x.url.Path) || l.deletesCredential(x) {
		return 0
	}
	return points
}

// follows reports whether x is a success after the login that a person did nothing for.
func (l *learner) follows(x *exchange) bool {
	return x != l.login && l.before(l.login, x) && x.ok() && !l.typesPassword(x) && !l.complains(x)
}

// extends reports whether the response gives the session's cookie a later end, and is to a request that only reads.
func (l *learner) extends(x *exchange) bool {
	if l.carrier.place != inCookie || !x.safe() {
		return false
	}
	sent, _ := x.cookie(l.carrier.name)
	return slices.ContainsFunc(x.setCookies, func(c *http.Cookie) bool {
		return c.Name == l.carrier.name && c.Value == sent && (c.MaxAge > 0 || !c.Expires.IsZero()) && !x.deletes(c)
	})
}

// carriesUnknown reports whether a request carries a cookie from before the recording.
func (l *learner) carriesUnknown(x *exchange) bool {
	return slices.ContainsFunc(l.uses[x], func(u use) bool { return u.place == inCookie && opaque(u.value) })
}

// hasLeaf reports whether a name or a short text of the request's body matches.
func (l *learner) hasLeaf(x *exchange, name *regexp.Regexp) bool {
	found := false
	eachLeaf(x.fields, func(path string, v any) {
		text, _ := v.(string)
		found = found || name.MatchString(path) || len(text) < 2000 && name.MatchString(text)
	})
	return found
}

// givesToken is the access token that the response gives for the first time, "" if it gives none: one that requests
// carried later, or one that stands where the login's stood.
func (l *learner) givesToken(x *exchange) string {
	for _, s := range x.sources() {
		first := l.sources[s.value]
		fresh := len(first) == 0 || first[0].x == x
		if !fresh || !traceable(s.value) || l.carrier.place == inCookie && s.spot != l.carrier.spot {
			continue
		}
		if l.isToken(s.value) || slices.Contains(l.spots, s.spot) && opaque(s.value) {
			return s.value
		}
	}
	return ""
}

// handsOut reports whether x is a request to the API that happened to bring a newer token.
func (l *learner) handsOut(x *exchange) bool {
	return l.carrier.place == inHeader && x.safe() && l.carriesToken(x) && !refreshName.MatchString(x.url.Path) &&
		slices.ContainsFunc(x.sources(), func(s source) bool { return s.place == inHeader && l.isToken(s.value) })
}

// findLogout finds the request that ended it all.
func (l *learner) findLogout() {
	best := 0
	for _, x := range l.all {
		if points := l.logoutPoints(x); points > 0 && points >= best {
			best, l.logout = points, x
		}
	}
}

func (l *learner) logoutPoints(x *exchange) int {
	if x == l.refresh || !l.follows(x) {
		return 0
	}
	points := 0
	if l.deletesCredential(x) {
		points += 20
	}
	if logoutName.MatchString(x.url.Path) || l.hasLeaf(x, logoutName) && l.presents(x) || sessionDeleted(x) {
		points += 15
	}
	if points > 0 && l.isLast(x) {
		points += 5
	}
	return points
}

var sessionPath = regexp.MustCompile(`(?i)session|token|auth`)

// sessionDeleted reports whether x is a DELETE, of a session.
func sessionDeleted(x *exchange) bool {
	return x.method == http.MethodDelete && sessionPath.MatchString(x.url.Path)
}

// deletesCredential reports whether the response takes back a cookie that was a credential.
func (l *learner) deletesCredential(x *exchange) bool {
	for _, c := range x.setCookies {
		sent, ok := x.cookie(c.Name)
		if x.deletes(c) && ok && opaque(normal(sent)) && !forgeryName.MatchString(c.Name) {
			return x.status < 400
		}
	}
	return false
}

// isLast reports whether no later request carried a credential.
func (l *learner) isLast(x *exchange) bool {
	for _, later := range l.all[l.place[x]+1:] {
		if later.ok() && l.carriesToken(later) {
			return false
		}
	}
	return true
}
