package discover

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/bearer"
)

// A group is all that requests carry in one header, or in one cookie.
type group struct {
	spot
	uses  []use // in the order of time
	known int   // how many of them have values that a response before gave
}

// forgeryName matches what protections against forgery are called.
var forgeryName = regexp.MustCompile(`(?i)csrf|xsrf|forgery|requestverification`)

// findCarrier finds what API requests carry as their credential, and what protects against forgery.
func (l *learner) findCarrier() {
	best := 0
	for _, g := range l.groups() {
		if points := l.points(g); points > best {
			best, l.carrier = points, g
		}
	}
	if l.carrier == nil {
		return
	}
	l.tokens = l.tokensOf(l.carrier)
	for i, token := range l.tokens {
		l.nth[token] = i + 1
		if all := l.sources[token]; len(all) > 0 && !slices.Contains(l.spots, all[0].spot) {
			l.spots = append(l.spots, all[0].spot)
		}
	}
}

// isToken reports whether a value is one of the access tokens that are known.
func (l *learner) isToken(value string) bool { return l.nth[value] > 0 }

// groups are the headers and cookies of all requests, in the order in which they are first seen. What goes to a host
// without ever being a value that some response gave stays apart: it is somebody else's.
func (l *learner) groups() (all []*group) {
	type at struct {
		spot
		host string
	}
	byHost := map[at]*group{}
	for _, x := range l.all {
		for _, u := range l.uses[x] {
			if u.place != inHeader && u.place != inCookie || !traceable(u.value) {
				continue
			}
			key := at{u.spot, x.url.Host}
			if byHost[key] == nil {
				byHost[key] = &group{spot: u.spot}
				all = append(all, byHost[key])
			}
			byHost[key].add(u, l)
		}
	}
	return l.merged(all)
}

func (g *group) add(u use, l *learner) {
	g.uses = append(g.uses, u)
	if _, ok := l.source(u.value, u.x); ok {
		g.known++
	}
}

// merged makes one group of those with the same spot whose values are known.
func (l *learner) merged(all []*group) (groups []*group) {
	known := map[spot]*group{}
	for _, g := range all {
		first := known[g.spot]
		if g.known == 0 || first == nil {
			groups = append(groups, g)
			if g.known > 0 {
				known[g.spot] = g
			}
			continue
		}
		first.uses, first.known = append(first.uses, g.uses...), first.known+g.known
	}
	for _, g := range groups {
		slices.SortStableFunc(g.uses, func(a, b use) int { return l.place[a.x] - l.place[b.x] })
	}
	return groups
}

// points say how much speaks for a group as the credential; 0: it is none.
func (l *learner) points(g *group) int {
	last := g.uses[len(g.uses)-1]
	points := 0
	switch {
	case l.forgery(g), strings.EqualFold(last.scheme, "Basic"), strings.EqualFold(last.scheme, "Digest"):
		return 0
	case g.place == inCookie:
		points = l.cookiePoints(g)
	case g.name == "Authorization" && g.known > 0:
		points = 1000
	case g.known > 0 && opaque(last.value):
		points = 800
	case g.name == "Authorization" && opaque(last.value) && slices.ContainsFunc(l.all, l.logsIn):
		points = 400 // what the login gave would be known
	case g.name == "Authorization" && opaque(last.value):
		points = 600
	case bearer.Parse(last.value) != nil && g.known == 0:
		points = 400
	}
	if points > 0 && !l.covers(g) {
		points /= 10 // the refresh token's own place, most likely
	}
	if points > 0 {
		points += min(len(g.uses), 9)
	}
	return points
}

// cookiePoints say how much speaks for a cookie: that responses set it, that scripts cannot read it, that the login
// set it.
func (l *learner) cookiePoints(g *group) int {
	last := g.uses[len(g.uses)-1]
	if !opaque(last.value) {
		return 0
	}
	set, hidden, atLogin := 0, 0, 0
	for _, u := range g.uses {
		for _, s := range l.sources[u.value] {
			if s.spot != g.spot {
				continue
			}
			set = 150
			if l.typesPassword(s.x) || s.x.method == http.MethodPost {
				atLogin = 200
			}
			if slices.ContainsFunc(s.x.setCookies, func(c *http.Cookie) bool { return c.Name == g.name && c.HttpOnly }) {
				hidden = 50
			}
		}
	}
	points := 100 + set + hidden + atLogin
	if bearer.Parse(last.value) != nil {
		points += 100
	}
	return points
}

// covers reports whether most requests carry the group's values once they are known, and not one or two of them.
func (l *learner) covers(g *group) bool {
	first, carries := l.place[g.uses[0].x], map[*exchange]bool{}
	hosts := map[string]bool{}
	for _, u := range g.uses {
		carries[u.x], hosts[u.x.url.Host] = true, true
	}
	with, all := 0, 0
	for _, x := range l.all[first:] {
		if !hosts[x.url.Host] || l.typesPassword(x) || isPageOrAsset(x) {
			continue
		}
		all++
		if carries[x] {
			with++
		}
	}
	return with*3 >= all && with > 0
}

// isPageOrAsset reports whether a browser asked for x by itself, so that no script added a header.
func isPageOrAsset(x *exchange) bool {
	switch {
	case !x.safe():
		return false
	case x.header.Get("Sec-Fetch-Mode") == "navigate", strings.Contains(x.media, "html"):
		return true
	}
	return assetMedia.MatchString(x.media)
}

var assetMedia = regexp.MustCompile(`image|css|javascript|font`)

// forgery reports whether a header is a protection against forgery and no credential: it is called so, repeats a
// cookie, or comes with a session cookie and with unsafe methods alone. A cookie is, if a header repeats it.
func (l *learner) forgery(g *group) bool {
	if forgeryName.MatchString(g.name) {
		return true
	}
	if g.place == inHeader && g.name == "Authorization" {
		return false
	}
	twin := inCookie
	if g.place == inCookie {
		twin = inHeader
	}
	onlyUnsafe, besideCookie := true, false
	for _, u := range g.uses {
		onlyUnsafe = onlyUnsafe && !u.x.safe()
		besideCookie = besideCookie || len(u.x.cookies) > 0
		if slices.ContainsFunc(l.uses[u.x], func(o use) bool {
			return o.place == twin && o.value == u.value && o.name != "Authorization"
		}) {
			return true
		}
	}
	return g.place == inHeader && g.known > 0 && onlyUnsafe && besideCookie && l.readsWithout(g)
}

// readsWithout reports whether the API was read without the header after its value was known.
func (l *learner) readsWithout(g *group) bool {
	first := l.place[g.uses[0].x]
	for _, x := range l.all[first:] {
		if x.safe() && x.url.Host == g.uses[0].x.url.Host && x.document != nil && len(x.cookies) > 0 {
			return true
		}
	}
	return false
}

// tokensOf are the values of the credential in the order of their use. In a header that carries the refresh token
// too, those that are shown for nothing but a new one are left out.
func (l *learner) tokensOf(g *group) (tokens []string) {
	gives := map[*exchange]bool{}
	for _, u := range g.uses {
		if s, ok := l.source(u.value, u.x); ok && !(s.place == inHeader && s.x.safe()) {
			gives[s.x] = true
		}
	}
	seen := map[string]bool{}
	add := func(value string) {
		if !seen[value] {
			seen[value] = true
			tokens = append(tokens, value)
		}
	}
	for _, u := range g.uses {
		if (!gives[u.x] || g.place == inCookie) && !l.typesPassword(u.x) {
			add(u.value)
		}
	}
	if len(tokens) == 0 {
		for _, u := range g.uses {
			add(u.value)
		}
	}
	return tokens
}

// attach is how a header of that group carries a token.
func (g *group) attach() auth.Attach {
	a := auth.Attach{}
	if g.name != "Authorization" {
		a.Header = g.name
	}
	scheme := g.uses[len(g.uses)-1].scheme
	switch {
	case scheme == "" && a.Header == "":
		a.Bare = true
	case a.Header != "" || !strings.EqualFold(scheme, "Bearer"):
		a.Scheme = scheme
	}
	return a
}
