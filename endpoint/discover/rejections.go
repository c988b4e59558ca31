package discover

import (
	"bytes"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/endpoint"
	"github.com/silentrefresh/silentrefresh/internal/match"
	"github.com/silentrefresh/silentrefresh/internal/origin"
)

// describeRejections finds by what the API rejects a token: by the statuses, redirects and bodies of responses to
// requests that are a success with another token.
func (l *learner) describeRejections() {
	if l.carrier == nil {
		return
	}
	statuses := map[int]bool{}
	for _, u := range l.carrier.uses {
		switch status := u.x.status; {
		case l.isAuth(u.x) || l.typesPassword(u.x) || !l.succeedsOtherwise(u):
		case status >= 400 && status <= 499:
			if !statuses[status] {
				l.result.found(Certain, l.from(u.x), "the API rejects a token with %d", status)
			}
			statuses[status] = true
		case l.deniesInDisguise(u.x):
			l.describeDisguise(u.x)
		}
	}
	delete(statuses, http.StatusUnauthorized)
	if len(statuses) > 0 {
		statuses[http.StatusUnauthorized] = true
		l.result.RejectedStatus = slices.Sorted(maps.Keys(statuses))
	}
	l.describeGreeting()
}

// succeedsOtherwise reports whether the same request was a success with another token: with a later one; or with any,
// where it is a login page that the request got instead.
func (l *learner) succeedsOtherwise(u use) bool {
	return slices.ContainsFunc(l.carrier.uses, func(o use) bool {
		later := l.before(u.x, o.x) && o.value != u.value
		return sameRequest(u.x, o.x) && l.succeeds(o.x) && (later || l.sendsToLogin(u.x))
	})
}

func sameRequest(a, b *exchange) bool { return a.method == b.method && a.url.Path == b.url.Path }

// succeeds reports whether the response of x is what was asked for.
func (l *learner) succeeds(x *exchange) bool { return x.ok() && !l.deniesInDisguise(x) }

// deniesInDisguise reports whether the status of a response does not say that it denies something: it redirects to a
// login page, is one, or says in its body that there is an error.
func (l *learner) deniesInDisguise(x *exchange) bool {
	return l.sendsToLogin(x) || x.status < 300 && l.complains(x)
}

// sendsToLogin reports whether the response to a request that types no password is a login page, or leads to one.
func (l *learner) sendsToLogin(x *exchange) bool {
	switch {
	case l.typesPassword(x) || logoutName.MatchString(x.url.Path):
		return false
	case x.status >= 200 && x.status < 300:
		return l.isLoginPage(x) && !loginPath.MatchString(x.url.Path)
	case x.status < 300 || x.status > 399:
		return false
	}
	to := x.leadsTo()
	return to != nil && (loginPath.MatchString(to.Path) || slices.ContainsFunc(l.all, func(o *exchange) bool {
		return o.url.Path == to.Path && origin.Same(o.url, to) && o.safe() && l.isLoginPage(o)
	}))
}

// loginPath matches the paths of login pages, those of authorization servers (RFC 6749 section 3.1) among them.
var loginPath = regexp.MustCompile(`(?i)(^|[/._-])(log-?_?[io]n|sign-?_?in|authorize|authenticate|auth$|sso|anmelden|connexion|accedi|entrar)([/._;-]|$)`)

// leadsTo is the URL that a redirect leads to, nil if it is none.
func (x *exchange) leadsTo() *url.URL {
	location := x.respHeader.Get("Location")
	to, err := x.url.Parse(location)
	if err != nil || location == "" {
		return nil
	}
	return to
}

// isLoginPage reports whether a response is a page that asks for a password and no new one.
func (l *learner) isLoginPage(x *exchange) bool {
	if !isHTML(x.media, x.body) {
		return false
	}
	return slices.ContainsFunc(readPage(x.body, x.url).forms, func(f form) bool {
		passwords := 0
		for _, i := range f.inputs {
			if i.kind == "password" {
				passwords++
			}
		}
		return passwords == 1 && (f.action == nil || !signUp.MatchString(f.action.Path))
	})
}

// describeDisguise makes a rule that recognises the response of x, and no response that was a success.
func (l *learner) describeDisguise(x *exchange) {
	rule, ok := l.ruleFor(x)
	switch {
	case !ok:
		l.result.missing("%s was rejected with %d, and nothing in that response tells it from a success; "+
			"rejected_if can name what does", l.entry(x), x.status)
	case !slices.Contains(l.result.RejectedIf, rule):
		sure := Certain
		if l.login != nil && l.before(x, l.login) {
			sure = Likely // it is how the server receives who is not logged in
		}
		l.result.RejectedIf = append(l.result.RejectedIf, rule)
		l.result.found(sure, l.from(x), "the API rejects a token with %s", inWords(rule))
		l.refuseLikewise(x, rule)
	}
}

// refuseLikewise makes the response of x a refusal of the refresh as well, if that is the same request, or one like those
// to the API.
func (l *learner) refuseLikewise(x *exchange, rule auth.ResponseMatch) {
	refresh := &l.result.Settings.Refresh
	if refresh.Touch || l.refresh != nil && sameRequest(x, l.refresh) {
		refresh.Refused = append(refresh.Refused, endpoint.RefusedBy{Status: rule.Status, Location: rule.Location, Body: rule.Body})
	}
}

func inWords(rule auth.ResponseMatch) string {
	if rule.Location != "" {
		return "a redirect to " + rule.Location
	}
	return "a success whose body has " + rule.Body
}

// ruleFor is the first rule for the response of x that recognises no success.
func (l *learner) ruleFor(x *exchange) (auth.ResponseMatch, bool) {
	var rules []auth.ResponseMatch
	if x.status >= 300 {
		for _, location := range l.places(x) {
			rules = append(rules, auth.ResponseMatch{Status: x.status, Location: location})
		}
	} else {
		for _, body := range l.marks(x) {
			rules = append(rules, auth.ResponseMatch{Status: x.status, Body: body})
		}
	}
	for _, r := range rules {
		rs := match.Rules{r}
		mistaken := slices.ContainsFunc(l.carrier.uses, func(o use) bool {
			return l.succeeds(o.x) && !l.isAuth(o.x) && rs.Match(replay{o.x}.response(nil))
		})
		if rs.Check() == nil && !mistaken && rs.Match(replay{x}.response(nil)) {
			return r, true
		}
	}
	return auth.ResponseMatch{}, false
}

// places are the parts of a redirect's target that say where it leads, without what may be of this one request: up to
// the query or the first secret. A bare "/" is in every target.
func (l *learner) places(x *exchange) (all []string) {
	location := x.respHeader.Get("Location")
	if end := strings.IndexAny(location, "?#;"); end >= 0 {
		location = location[:end]
	}
	kept := strings.Split(location, "/")
	for i, segment := range kept {
		if opaque(segment) && !strings.Contains(segment, ":") && strings.ContainsFunc(segment, isDigit) || l.isSecret(normal(segment)) {
			kept = kept[:i]
			break
		}
	}
	if place := strings.Join(kept, "/"); strings.Trim(place, "/") != "" {
		all = append(all, place)
	}
	return all
}

// errorNames are the fields of a JSON document that say what is wrong, codes before texts.
var errorNames = strings.Fields(`code error_code errorCode error reason message msg errmsg error_description`)

var passwordInput = regexp.MustCompile(`(?i)type\s*=\s*["']?password["']?`)

// marks are parts of a body, as it is written, by which it may be told from that of a success, the best first.
func (l *learner) marks(x *exchange) (all []string) {
	if x.document == nil {
		for _, f := range readPage(x.body, x.url).forms {
			if f.action != nil && bytes.Contains(x.body, []byte(`action="`+f.action.Path+`"`)) {
				all = append(all, `action="`+f.action.Path+`"`)
			}
		}
		if found := passwordInput.Find(x.body); found != nil {
			all = append(all, string(found))
		}
	}
	for _, name := range errorNames {
		eachLeaf(x.document, func(path string, v any) {
			text, _ := v.(string)
			last := path[strings.LastIndexByte(path, '.')+1:]
			if last == name && len(text) >= 4 && len(text) <= 200 && !l.isSecret(text) && !variableText.MatchString(text) {
				all = append(all, text)
			}
		})
	}
	if x.document != nil {
		for _, number := range errorNumber.FindAll(x.body, 1) {
			all = append(all, string(number))
		}
	}
	return slices.DeleteFunc(all, l.isSecret)
}

// errorNumber matches a field of a JSON document that has an error code in digits.
var errorNumber = regexp.MustCompile(`"(code|errcode|error_code|errorCode|status)"\s*:\s*-?[0-9]{3,6}`)

// variableText matches texts that have something of one request in them: a number, an address.
var variableText = regexp.MustCompile(`[0-9]{3}|[@"\\]`)

// describeGreeting takes the way to the login page that the server shows to those who bring no token for its way of
// rejecting one, where no token was rejected in the recording.
func (l *learner) describeGreeting() {
	if l.login == nil || len(l.result.RejectedStatus)+len(l.result.RejectedIf) > 0 {
		return
	}
	for _, x := range l.all[:l.place[l.login]] {
		if l.sendsToLogin(x) && l.succeedsOtherwise(use{x: x}) {
			l.describeDisguise(x)
		}
	}
}
