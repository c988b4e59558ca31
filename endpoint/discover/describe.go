package discover

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/silentrefresh/silentrefresh/endpoint"
	"github.com/silentrefresh/silentrefresh/internal/bearer"
	"github.com/silentrefresh/silentrefresh/internal/origin"
)

// describeBase finds the API's origin: the one that most requests with the credential went to.
func (l *learner) describeBase() {
	count := map[string]int{}
	add := func(x *exchange, n int) {
		if x != nil {
			count[x.url.Scheme+"://"+x.url.Host] += n
		}
	}
	if l.carrier != nil {
		for _, u := range l.carrier.uses {
			if !l.isAuth(u.x) {
				add(u.x, 2)
			}
		}
	}
	if len(count) == 0 {
		for _, x := range []*exchange{l.login, l.refresh, l.logout} {
			add(x, 1)
		}
	}
	bySize := func(a, b string) int { return cmp.Or(count[b]-count[a], strings.Compare(a, b)) }
	origins := slices.SortedFunc(maps.Keys(count), bySize)
	if len(origins) == 0 {
		return
	}
	l.result.BaseURL = origins[0]
	if l.carrier != nil && l.carrier.place == inHeader && len(origins) > 1 {
		l.result.Origins = origins[1:]
	}
	for _, o := range origins {
		if u, err := url.Parse(o); err == nil && u.Scheme == "http" && !origin.Loopback(u.Hostname()) {
			l.result.missing("%s is plain http, which shows the token to everybody on the way; "+
				"use https, or list it in origins", o)
		}
	}
}

// describeExample names a request that read something with the credential, for a first try.
func (l *learner) describeExample() {
	if l.carrier == nil {
		return
	}
	for _, u := range l.carrier.uses {
		at := l.entry(u.x).Path
		if x := u.x; x.safe() && x.document != nil && l.succeeds(x) && x.status < 300 && !l.isAuth(x) && !strings.Contains(at, "...") &&
			l.result.BaseURL == x.url.Scheme+"://"+x.url.Host {
			l.result.Example = at
			return
		}
	}
}

// describeCredential says what API requests carry.
func (l *learner) describeCredential() {
	g := l.carrier
	if g == nil {
		return
	}
	last := g.uses[len(g.uses)-1]
	sure, from := Certain, l.from(last.x)
	if src, ok := l.source(last.value, last.x); ok {
		from = l.from(last.x, src.x)
	} else {
		sure = Likely
	}
	if g.place == inCookie {
		l.result.Settings.AccessToken.Cookie = g.name
		l.result.found(sure, from, "API requests carry the cookie %s", g.name)
		return
	}
	l.result.Attach = g.attach()
	header, value := l.result.Attach.Value("TOKEN")
	l.result.found(sure, from, "API requests carry %s: %s", header, value)
	l.describeHandOut()
}

// describeHandOut says whether API responses bring newer tokens.
func (l *learner) describeHandOut() {
	for _, token := range l.tokens {
		all := l.sources[token]
		if len(all) == 0 || all[0].place != inHeader || l.isAuth(all[0].x) || !l.handsOut(all[0].x) {
			continue
		}
		l.result.HandOutHeader = all[0].name
		l.result.found(Certain, l.from(all[0].x), "API responses hand out newer tokens in the header %s", all[0].name)
		return
	}
}

// describeLogin makes the settings of the login.
func (l *learner) describeLogin() {
	s := &l.result.Settings
	if l.login == nil {
		s.Login.URL = "-"
		return
	}
	x := l.login
	if l.second != nil {
		x = l.second
	}
	ask := l.people(x)
	var shown shown
	s.Login, shown = l.call(x, ask)
	s.Login.RefreshTokenField, s.Login.RefreshTokenHeader = "", ""
	s.Login.AccessTokenField, s.Login.AccessTokenHeader = "", ""
	ask = append(l.describeFirst(&s.Login, x), ask...)
	l.result.Ask = ask
	if x.status >= 300 {
		s.Login.AcceptedStatus = []int{x.status}
	}
	sure := Certain
	if len(ask) == 0 || !l.typesPassword(l.login) {
		sure = Guess
	} else if first := l.firstGiver(); first != l.login && !l.givesFor(l.login, first) {
		sure = Likely
	}
	asks := cmp.Or(strings.Join(ask, " and "), "nothing")
	l.result.found(sure, l.from(x), "login: %s, asks for %s", describe(s.Login), asks)
	l.describeLoginGaps(shown)
}

// describeLoginGaps says what of the login is not in the settings.
func (l *learner) describeLoginGaps(s shown) {
	missing := l.result.missing
	for _, what := range s.unsayable {
		missing("the login shows %s, which settings cannot say", what)
	}
	if isBasic(l.login.header.Get("Authorization")) && !l.typesPassword(l.login) {
		missing("the login sends user and password in a header (Basic); put it into login.headers yourself: " +
			`{"Authorization": "Basic ..."}`)
	}
	if l.login.encoding == "multipart" {
		missing("the login is a multipart form; the settings send an ordinary one, which most servers take as well")
	}
	if signUp.MatchString(l.login.url.Path) {
		missing("what was recorded is a registration and not a login; record a login")
	}
}

func describe(c endpoint.Call) string {
	path, _, _ := strings.Cut(c.URL, "?")
	return cmp.Or(c.Method, http.MethodPost) + " " + path + map[string]string{"form": " with a form"}[c.Encoding]
}

// describeRefresh makes the settings of the refresh.
func (l *learner) describeRefresh() {
	s := &l.result.Settings
	if l.refresh == nil {
		s.Refresh.URL = "-"
		l.describeUse()
		return
	}
	var shown shown
	s.Refresh, shown = l.call(l.refresh, nil)
	sure := Likely
	if shown.refresh+shown.accessHeader+shown.accessField != "" || l.knowsCookie(shown.cookies) {
		sure = Certain
	}
	if l.carrier == nil {
		sure = Guess
	}
	if s.Refresh.Touch = l.touches(shown); s.Refresh.Touch {
		l.result.found(sure, l.from(l.refresh), "the session lives on by use: %s is a use of it", describe(s.Refresh))
		return
	}
	from := l.from(l.refresh, l.sourceOf(shown.refresh))
	l.result.found(sure, from, "refresh: %s, shows %s", describe(s.Refresh), shown.String())
	l.describeUnsayable(l.refresh, shown)
	l.placeRefreshToken(shown)
}

// describeUse makes a request that reads something the refresh of a session that is one cookie, where the recording shows
// none: most of these sessions live on by use.
func (l *learner) describeUse() {
	if l.carrier == nil || l.carrier.place != inCookie || l.login == nil || l.keepsAnother() {
		return
	}
	for _, u := range slices.Backward(l.carrier.uses) {
		if x := u.x; x.safe() && l.succeeds(x) && x.document != nil && bearer.Parse(u.value) == nil && l.before(l.login, x) {
			l.used = x
			refresh, _ := l.call(x, nil)
			refresh.Touch = true
			l.result.Settings.Refresh = refresh
			l.result.found(Guess, l.from(x), "the session lives on by use: %s is a use of it", describe(refresh))
			return
		}
	}
}

// keepsAnother reports whether a response set a cookie that is called a refresh token.
func (l *learner) keepsAnother() bool {
	return slices.ContainsFunc(l.all, func(x *exchange) bool {
		return slices.ContainsFunc(x.setCookies, func(c *http.Cookie) bool { return refreshName.MatchString(c.Name) })
	})
}

// touches reports whether the refresh is no more than a use of the session: it reads something, with the session's cookie
// alone, which the response sets anew.
func (l *learner) touches(s shown) bool {
	return l.carrier != nil && l.carrier.place == inCookie && l.refresh.safe() && !refreshName.MatchString(l.refresh.url.Path) &&
		len(s.cookies) == 1 && s.cookies[0] == l.carrier.name
}

// knowsCookie reports whether a response set one of the cookies.
func (l *learner) knowsCookie(names []string) bool {
	for _, all := range l.sources {
		for _, s := range all {
			if s.place == inCookie && slices.Contains(names, s.name) {
				return true
			}
		}
	}
	return false
}

// sourceOf is what gave value first, nil if nothing did.
func (l *learner) sourceOf(value string) *exchange {
	if all := l.sources[value]; value != "" && len(all) > 0 {
		return all[0].x
	}
	return nil
}

func (l *learner) describeUnsayable(x *exchange, s shown) {
	for _, what := range s.unsayable {
		l.result.missing("%s shows %s, which settings cannot say", l.entry(x), what)
	}
}

// placeRefreshToken says where responses have the refresh token, where that is not to be guessed.
func (l *learner) placeRefreshToken(s shown) {
	all := l.sources[s.refresh]
	if s.refresh == "" || len(all) == 0 {
		return
	}
	switch at := all[0]; at.place {
	case inBody:
		l.result.Settings.RefreshToken.JSON = at.name
	case inHeader:
		l.result.Settings.RefreshToken.Header = at.name
	case inCookie:
		l.result.missing("%s shows the value of the cookie %s outside of a cookie, which settings cannot say",
			l.entry(l.refresh), at.name)
	}
}

// describeLogout makes the settings of the logout.
func (l *learner) describeLogout() {
	s := &l.result.Settings
	if l.logout == nil {
		s.Logout.URL = "-"
		return
	}
	var shown shown
	s.Logout, shown = l.call(l.logout, nil)
	sure := Likely
	if l.deletesCredential(l.logout) || logoutName.MatchString(l.logout.url.Path) && l.isLast(l.logout) {
		sure = Certain
	}
	l.result.found(sure, l.from(l.logout), "logout: %s, shows %s", describe(s.Logout), shown.String())
	l.describeUnsayable(l.logout, shown)
}
