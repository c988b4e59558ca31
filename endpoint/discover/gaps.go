package discover

import (
	"slices"
	"strings"
)

const (
	howToExport = "In Chrome: DevTools, Settings, Preferences, Network, \"Allow to generate HAR with sensitive data\"; " +
		"then, in the Network panel, keep \"Preserve log\" on and export with sensitive data. " +
		"In Firefox: the Network panel, \"Persist Logs\", \"Save All As HAR\""
	howToRefresh  = "record on until after the access token has ended, or reload the page"
	noIdleTimeout = "nothing says how long the session lives without use, so that nothing keeps it alive; add that, " +
		`shorter rather than longer: "session": {"idle_timeout": "15m"}`
)

// describeGaps says what the recording lacks.
func (l *learner) describeGaps() {
	r := l.result
	l.describeProvider()
	if l.sanitised() {
		r.missing("the recording has no cookies and no Authorization headers: the export left them out. %s", howToExport)
	}
	if l.withheld() {
		r.missing("bodies of responses are missing; a browser forgets them when the page changes. %s", howToExport)
	}
	l.describeElsewhere()
	if l.carrier == nil && !l.sanitised() {
		r.missing("no request carries a credential that could be followed; log in, use the page, and record that")
	}
	if l.login == nil && r.OAuth == nil {
		r.missing("there is no login in it; it begins after the login, or that is elsewhere. " +
			"Record from before the login, or bring a session with login --cookie-file or --refresh-token")
	}
	if l.refresh == nil && l.used == nil {
		r.missing("there is no refresh in it: %s", howToRefresh)
	}
	if l.logout == nil {
		r.missing("there is no logout in it: the session is only forgotten here")
	}
	l.describeStanding()
}

// sanitised reports whether the export left out all that could be a credential, or put something else in its place.
func (l *learner) sanitised() bool {
	return len(l.all) > 0 && l.carrier == nil && !slices.ContainsFunc(l.all, func(x *exchange) bool {
		there := x.header["Authorization"]
		for _, c := range slices.Concat(x.cookies, x.setCookies) {
			there = append(there, c.Value)
		}
		return slices.ContainsFunc(there, func(value string) bool { return !masked(value) })
	})
}

// withheld reports whether a response of the calls, or all JSON, is without its body.
func (l *learner) withheld() bool {
	for _, x := range []*exchange{l.login, l.refresh} {
		if x != nil && x.withheld {
			return true
		}
	}
	missing, there := 0, 0
	for _, x := range l.all {
		switch {
		case x.withheld && strings.Contains(x.media, "json"):
			missing++
		case x.document != nil:
			there++
		}
	}
	return missing > there
}

const enough = 50 // requests to tell a habit by

// describeStanding names headers that all API requests carry beside the credential: they are the caller's to send.
func (l *learner) describeStanding() {
	if l.carrier == nil || l.carrier.place != inHeader {
		return
	}
	count, api := map[string]int{}, 0
	for _, u := range l.carrier.uses {
		if l.isAuth(u.x) || api == enough {
			continue
		}
		api++
		for name := range l.fixedHeaders(u.x) {
			count[name]++
		}
	}
	var names []string
	for name, n := range count {
		if n == api && name != "Origin" && name != "Referer" && name != "X-Requested-With" {
			names = append(names, name)
		}
	}
	if slices.Sort(names); len(names) > 0 {
		l.result.missing("API requests also carry %s, always the same; send it yourself with each request",
			strings.Join(names, " and "))
	}
}

// describeProvider notes a login at an identity provider: a code that is exchanged for tokens (RFC 6749 section 4.1.3).
func (l *learner) describeProvider() {
	for _, x := range l.all {
		if !tradesCode(x) || !x.ok() {
			continue
		}
		client, _ := leafAt(x.fields, "client_id").(string)
		l.result.OAuth = &OAuth{ClientID: client, Issuer: l.issuer(x)}
		l.result.found(Certain, l.from(x), "the login is at an identity provider, with an authorization code")
		l.result.missing(`settings cannot log in there; give "oauth" with the provider's issuer and a client of your own`)
		return
	}
}

// issuer is what the ID token of a response names.
func (l *learner) issuer(x *exchange) string {
	token, _ := leafAt(x.document, "id_token").(string)
	iss, _ := claims(token)["iss"].(string)
	return iss
}

// describeElsewhere notes credentials that travel where no setting says it: in a query, or in a cookie that a script
// makes.
func (l *learner) describeElsewhere() {
	if l.carrier != nil && l.carrier.place == inCookie {
		for _, token := range l.tokens {
			if all := l.sources[token]; len(all) > 0 && all[0].place == inBody && !l.setsCarrier(all) {
				l.result.missing("a script of the page puts the token of %s into the cookie %s, which settings cannot say",
					l.entry(all[0].x), l.carrier.name)
				return
			}
		}
	}
	if l.carrier != nil {
		return
	}
	for _, x := range l.all {
		for _, u := range l.uses[x] {
			if _, known := l.source(u.value, x); u.place == inQuery && known && opaque(u.value) {
				l.result.missing("requests show the token in their query, as %q, which settings cannot say; "+
					"many servers take it in a header as well", u.name)
				return
			}
		}
	}
}

func (l *learner) setsCarrier(all []source) bool {
	return slices.ContainsFunc(all, func(s source) bool { return s.spot == l.carrier.spot })
}
