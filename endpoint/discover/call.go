package discover

import (
	"maps"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/silentrefresh/silentrefresh/endpoint"
)

// call makes the settings of x, except what a person fills in.
func (l *learner) call(x *exchange, ask []string) (endpoint.Call, shown) {
	s := l.shows(x)
	c := endpoint.Call{
		URL: l.reference(x), RefreshTokenField: s.refreshField, RefreshTokenHeader: s.refreshHeader,
		AccessTokenField: s.accessField, AccessTokenHeader: s.accessHeader, Headers: l.fixedHeaders(x),
	}
	if x.method != http.MethodPost {
		c.Method = x.method
	}
	if x.encoding == "form" || x.encoding == "multipart" {
		c.Encoding = "form"
	}
	if fields, ok := x.fields.(map[string]any); ok {
		without := slices.Concat(ask, s.forgery, []string{s.refreshField, s.accessField})
		c.Fields = l.fixedFields(fields, "", without)
	}
	return c, s
}

// reference is the URL of x: a path where it is of the base URL's origin. Of the query stays what is fixed. A path that
// is another one in each session is none that settings can name: "-".
func (l *learner) reference(x *exchange) string {
	if slices.ContainsFunc(strings.Split(x.url.EscapedPath(), "/"), func(s string) bool { return l.isSecret(normal(s)) }) {
		l.result.missing("the path of %s has a value from an earlier response, which settings cannot say", l.entry(x))
		return "-"
	}
	u := *x.url
	u.RawQuery = ""
	var kept []string
	for part := range strings.SplitSeq(x.url.RawQuery, "&") {
		name, value, _ := strings.Cut(part, "=")
		decoded, err := url.QueryUnescape(value)
		passing := fleeting(name, decoded) || x.safe() && backName.MatchString(name)
		if part != "" && err == nil && !l.isSecret(decoded) && !passing {
			kept = append(kept, part)
		}
	}
	u.RawQuery = strings.Join(kept, "&")
	if l.result.BaseURL == u.Scheme+"://"+u.Host {
		u.Scheme, u.Host = "", ""
		if u.Path == "" {
			u.Path = "/"
		}
	}
	return u.String()
}

var (
	uuidShape  = regexp.MustCompile(`(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$`)
	clockShape = regexp.MustCompile(`^1[0-9]{9}([0-9]{3})?(\.[0-9]+)?$`)
	backName   = regexp.MustCompile(`(?i)^(next|return|return_?(to|url)|redirect|redirect_?(to|url)|continue|goto|back|from|rd)$`) // a page goes there after a login
	fleetName  = regexp.MustCompile(`(?i)nonce|timestamp|request-?_?id|correlation|trace|idempotency|^_$|^ts$|^state$|recaptcha|captcha`)
)

// fleeting reports whether a value is of one request only: a time, a number drawn by lot, a name that says so.
func fleeting(name, value string) bool {
	return fleetName.MatchString(name) || clockShape.MatchString(value) || uuidShape.MatchString(value)
}

// withoutBack is the query of a page without where to go after a login.
func withoutBack(query string) string {
	parts := slices.DeleteFunc(strings.Split(query, "&"), func(part string) bool {
		name, _, _ := strings.Cut(part, "=")
		return backName.MatchString(name)
	})
	return strings.Join(parts, "&")
}

// fixedFields are the fields of a body that are the same for everybody. Paths in without belong to others.
func (l *learner) fixedFields(fields map[string]any, path string, without []string) map[string]any {
	fixed := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		at := name
		if path != "" {
			at = path + "." + name
		}
		switch v := fields[name].(type) {
		case map[string]any:
			if inner := l.fixedFields(v, at, without); inner != nil {
				fixed[name] = inner
			} else if len(v) == 0 {
				fixed[name] = map[string]any{}
			}
		case string:
			if !slices.Contains(without, at) && !l.isSecret(v) && (!fleeting(name, v) || l.constant(at, v)) {
				fixed[name] = v
			}
		case []any:
			if !slices.ContainsFunc(v, func(item any) bool { return !l.plain(item) }) {
				fixed[name] = v
			}
		default:
			if !slices.Contains(without, at) && !fleeting(name, "") {
				fixed[name] = v
			}
		}
	}
	if len(fixed) == 0 {
		return nil
	}
	return fixed
}

// plain reports whether a list's item can be a setting.
func (l *learner) plain(item any) bool {
	fine := true
	eachLeaf(item, func(_ string, v any) {
		text, _ := v.(string)
		fine = fine && !l.isSecret(text)
	})
	return fine
}

// constant reports whether more than one request has that field with that value.
func (l *learner) constant(path, value string) bool {
	n := 0
	for _, x := range l.all {
		if v, ok := leafAt(x.fields, path).(string); ok && v == value {
			n++
		}
	}
	return n > 1
}

// fixedHeaders are the headers of x that a program chose: not what browsers add, and not what shows a secret or is of
// one request only.
func (l *learner) fixedHeaders(x *exchange) map[string]string {
	fixed := map[string]string{}
	for name, values := range x.header {
		if l.isFixed(x, name, values[0]) {
			fixed[name] = values[0]
		}
	}
	if origin := x.header.Get("Origin"); origin != "" && origin != "null" && l.checksOrigin(x) {
		fixed["Origin"] = origin
		if l.csrf != nil {
			fixed["Referer"] = origin + "/"
		}
	}
	if len(fixed) == 0 {
		return nil
	}
	return fixed
}

func (l *learner) isFixed(x *exchange, name, value string) bool {
	switch {
	case name == "Accept":
		return strings.Contains(value, "vnd.")
	case name == "Content-Type": // of JSON that calls itself something else
		media, _, err := mime.ParseMediaType(value)
		return x.encoding == "json" && err == nil && media != "application/json"
	case automatic(name), l.csrf != nil && name == l.csrf.name, l.isSecret(value):
		return false
	case isBasic(value): // of a client; a person's is typed in
		return x != l.login || l.typesPassword(x)
	case l.carrier != nil && l.carrier.spot == spot{inHeader, name}:
		return l.standing(normal(bare(value)))
	}
	return !l.varies(x, name, value)
}

func isBasic(value string) bool { return len(value) > 6 && strings.EqualFold(value[:6], "Basic ") }

// bare is a header's value without a scheme.
func bare(value string) string {
	_, bare := cutScheme(value)
	return bare
}

// varies reports whether a header looks like of one request only: drawn by lot, and another one in other requests to
// that host.
func (l *learner) varies(x *exchange, name, value string) bool {
	if fleeting(name, value) {
		return !l.repeatsHeader(x, name, value)
	}
	if !opaque(value) || !strings.ContainsFunc(value, isDigit) {
		return false
	}
	return slices.ContainsFunc(l.all, func(o *exchange) bool {
		v := o.header.Get(name)
		return o.url.Host == x.url.Host && v != "" && v != value
	})
}

func (l *learner) repeatsHeader(x *exchange, name, value string) bool {
	n := 0
	for _, o := range l.all {
		if o.header.Get(name) == value {
			n++
		}
	}
	return n > 1
}

// checksOrigin reports whether the server may look at where a request comes from: it goes by cookies.
func (l *learner) checksOrigin(x *exchange) bool {
	return l.carrier != nil && l.carrier.place == inCookie || l.csrf != nil || x.encoding == "form"
}
