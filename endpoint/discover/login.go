package discover

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

var (
	passwordName = regexp.MustCompile(`(?i)passw|passphrase|passcode|^pass$|^pwd$|[._\[-]pwd|[._\[-]pass\]?$|kennwort|mot_?de_?passe|contrase|senha`)
	codeName     = regexp.MustCompile(`(?i)otp|totp|mfa|2fa|one.?time|^pin$|(verification|security|auth).?code|captcha`)
	personName   = regexp.MustCompile(`(?i)e-?mail|user.?name|^user$|^login$|[._\[](login|user)\]?$|identifier|identity|account|phone|mobile|userid|^uid$`)
	signUp       = regexp.MustCompile(`(?i)regist|sign-?_?up|create-?account|reset|forgot|change-?password`)
)

// typesPassword reports whether the request brings a password.
func (l *learner) typesPassword(x *exchange) bool {
	if x == nil || x.safe() {
		return false
	}
	found := false
	eachLeaf(x.fields, func(path string, v any) {
		if text, ok := v.(string); ok && text != "" {
			found = found || passwordName.MatchString(path) || l.passwords[path]
		}
	})
	return found
}

// logsIn reports whether x may be a login.
func (l *learner) logsIn(x *exchange) bool { return l.typesPassword(x) && x.ok() && !l.complains(x) }

// findLogin finds the request with which a person logged in: the one that gave the first credential, or led to it.
func (l *learner) findLogin() {
	first := l.firstGiver()
	var candidates []*exchange
	for _, x := range l.all {
		if l.logsIn(x) && !l.carriesToken(x) {
			candidates = append(candidates, x)
		}
	}
	if slices.Contains(candidates, first) && !signUp.MatchString(first.url.Path) {
		l.login = first
		return
	}
	for _, x := range candidates {
		better := l.login == nil || signUp.MatchString(l.login.url.Path) && !signUp.MatchString(x.url.Path)
		if better || !signUp.MatchString(x.url.Path) && l.before(x, first) && l.givesFor(x, first) {
			l.login = x
		}
	}
	if l.login == nil && first != nil && !l.presents(first) && !tradesCode(first) &&
		(!first.safe() && first.fields != nil || isBasic(first.header.Get("Authorization"))) {
		l.login = first
	}
	if first != nil && l.login != nil && l.login != first && l.givesFor(l.login, first) && l.typesCode(first) {
		l.second = first
	}
}

// tradesCode reports whether x is the end of a login at an identity provider (RFC 6749 section 4.1.3).
func tradesCode(x *exchange) bool {
	kind, _ := leafAt(x.fields, "grant_type").(string)
	return kind == "authorization_code"
}

// typesCode reports whether a person typed something into the body of x that is no password: a code.
func (l *learner) typesCode(x *exchange) (typed bool) {
	eachLeaf(x.fields, func(path string, v any) {
		text, ok := v.(string)
		_, known := l.source(normal(text), x)
		if ok && !known && text != "" && !l.settled(x, path, text) {
			typed = typed || codeName.MatchString(path) || number(text)
		}
	})
	return typed
}

// firstGiver is what gave the first credential that API requests carry, nil if nothing did.
func (l *learner) firstGiver() *exchange {
	if l.carrier == nil {
		return nil
	}
	for _, u := range l.carrier.uses {
		if s, ok := l.source(u.value, u.x); ok && l.isToken(u.value) {
			return s.x
		}
	}
	return nil
}

// givesFor reports whether the request of x shows what the response to login gave.
func (l *learner) givesFor(login, x *exchange) bool {
	return slices.ContainsFunc(l.uses[x], func(u use) bool {
		s, ok := l.source(u.value, x)
		return ok && s.x == login
	})
}

// carriesToken reports whether the request carries an access token.
func (l *learner) carriesToken(x *exchange) bool {
	return l.carrier != nil && l.carrier.place != inCookie && slices.ContainsFunc(l.uses[x], func(u use) bool {
		return u.spot == l.carrier.spot && traceable(u.value)
	})
}

// presents reports whether the request shows a credential that it need not have from a person.
func (l *learner) presents(x *exchange) bool {
	return slices.ContainsFunc(l.uses[x], func(u use) bool {
		_, known := l.source(u.value, x)
		switch {
		case !opaque(u.value), forgeryName.MatchString(u.name), u.place == inQuery, u.place == inPath,
			u.place == inBody && oauthName(u.name):
			return false
		case u.place == inCookie && !known:
			return refreshName.MatchString(u.name)
		}
		return known || refreshName.MatchString(u.name)
	})
}

// complains reports whether a response with a good status says that it is an error, as GraphQL has it.
func (l *learner) complains(x *exchange) bool {
	root, ok := x.document.(map[string]any)
	if !ok {
		return false
	}
	list, _ := root["errors"].([]any)
	text, _ := root["error"].(string)
	code, _ := root["code"].(json.Number)
	number, _ := code.Int64()
	return len(list) > 0 || text != "" || number >= 400 && number <= 599 || root["success"] == false || root["ok"] == false
}

// people are the fields of the login that a person fills in: passwords, what stands before the first of them, what
// has the form of an address or a code, and what the response repeats.
func (l *learner) people(x *exchange) (ask []string) {
	var names []string
	values := map[string]string{}
	eachLeaf(x.fields, func(path string, v any) {
		if text, ok := v.(string); ok && text != "" {
			names = append(names, path)
			values[path] = text
		}
	})
	slices.SortStableFunc(names, func(a, b string) int { return x.position(a) - x.position(b) })
	secret := func(n string) bool { return passwordName.MatchString(n) || l.passwords[n] }
	secretAt := slices.IndexFunc(names, secret)
	for i, name := range names {
		v := values[name]
		_, known := l.source(normal(v), x)
		switch {
		case secret(name), l.visible[name]:
		case l.hidden[name], known && traceable(normal(v)), l.settled(x, name, v):
			continue
		case personName.MatchString(name), isEmail(v), codeName.MatchString(name), l.repeats(x, v):
		case secretAt < 0 && i < 3: // nothing is called a password: all of it may be one
		default:
			continue
		}
		ask = append(ask, name)
	}
	if len(ask) == 1 && secretAt >= 0 { // the account is called something else: it stands before the password, most likely
		for _, name := range slices.Concat(reversed(names[:secretAt]), names[secretAt+1:]) {
			if !l.hidden[name] && !l.settled(x, name, values[name]) && !number(values[name]) {
				return []string{name, ask[0]}
			}
		}
	}
	return inOrder(ask)
}

func reversed(names []string) []string {
	names = slices.Clone(names)
	slices.Reverse(names)
	return names
}

// position is where a field stands in the request's body.
func (x *exchange) position(path string) int {
	return bytes.Index(x.raw, []byte(path[strings.LastIndex(path, ".")+1:]))
}

// inOrder puts the account before its password, and codes last, as people are used to.
func inOrder(names []string) []string {
	rank := func(name string) int {
		switch {
		case codeName.MatchString(name):
			return 3
		case passwordName.MatchString(name):
			return 2
		case personName.MatchString(name):
			return 0
		}
		return 1
	}
	slices.SortStableFunc(names, func(a, b string) int { return rank(a) - rank(b) })
	return names
}

var switches = []string{"on", "off", "true", "false", "yes", "no", "1", "0"}

// settled reports whether a field is the program's and no person's: OAuth's, a GraphQL document, a switch, or one that
// other requests repeat.
func (l *learner) settled(x *exchange, name, value string) bool {
	if oauthName(name) || strings.ContainsAny(value, "{}\n") || slices.Contains(switches, value) {
		return true
	}
	for _, o := range l.all {
		if o == x || o.safe() || l.typesPassword(o) || o.fields == nil {
			continue
		}
		repeated := false
		eachLeaf(o.fields, func(path string, v any) { repeated = repeated || path == name && v == any(value) })
		if repeated {
			return true
		}
	}
	return false
}

// oauthName reports whether a field is one of RFC 6749 that names the client and what it asks for.
func oauthName(name string) bool {
	return slices.Contains([]string{"grant_type", "client_id", "client_secret", "scope", "audience", "realm", "connection",
		"response_type", "redirect_uri", "resource", "operationName", "query"}, name)
}

// repeats reports whether the response names somebody as value does.
func (l *learner) repeats(x *exchange, value string) bool {
	found := false
	eachLeaf(x.document, func(_ string, v any) { found = found || v == any(value) })
	return found && len(value) > 1
}
