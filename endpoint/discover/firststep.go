package discover

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/silentrefresh/silentrefresh/endpoint"
)

// A step is a value that a login shows and that the response to an earlier request gave.
type step struct {
	use  use
	from source
	name string // in braces
}

// steps are the values of that kind in the body of x, of the request that gave the first of them.
func (l *learner) steps(x *exchange) (all []step) {
	forgery := l.shows(x).forgery
	for _, u := range l.uses[x] {
		src, known := l.source(u.value, x)
		if !known || u.place != inBody || !opaque(u.value) || slices.Contains(forgery, u.name) || l.isToken(u.value) {
			continue
		}
		if len(all) == 0 || src.x == all[0].from.x {
			all = append(all, step{u, src, placeholder(u.name)})
		}
	}
	return all
}

var noWord = regexp.MustCompile(`[^A-Za-z0-9_]+`)

// placeholder is a field's name as settings have it in braces.
func placeholder(path string) string {
	return noWord.ReplaceAllString(path[strings.LastIndex(path, ".")+1:], "_")
}

// describeFirst makes the request that gave what the login shows its first call. What a person fills in there is put into
// its fields by name. It returns the names of what is to be asked for beside the login's own.
func (l *learner) describeFirst(login *endpoint.Call, x *exchange) (ask []string) {
	steps := l.steps(x)
	if len(steps) == 0 {
		return nil
	}
	f := steps[0].from.x
	ask = l.people(f)
	first, _ := l.call(f, ask)
	if first.Method == "" {
		first.Method = "POST" // a first call is a GET unless it says otherwise
	}
	first.RefreshTokenField, first.RefreshTokenHeader, first.AccessTokenField, first.AccessTokenHeader = "", "", "", ""
	first.Take = map[string]endpoint.ValueAt{}
	for i, name := range ask {
		first.Fields = withField(first.Fields, strings.Split(name, "."), "{"+placeholder(name)+"}")
		ask[i] = placeholder(name)
	}
	for _, s := range steps {
		first.Take[s.name] = valueAt(s.from.spot)
		path := []string{s.use.name}
		if x.encoding == "json" {
			path = strings.Split(s.use.name, ".")
		}
		login.Fields = withField(login.Fields, path, "{"+s.name+"}")
	}
	login.First = &first
	l.result.found(Certain, l.from(f, x), "the login takes two steps, first %s", describe(first))
	return ask
}

// withField is fields with one more at path.
func withField(fields map[string]any, path []string, value string) map[string]any {
	all := map[string]any{}
	maps.Copy(all, fields)
	if len(path) == 1 {
		all[path[0]] = value
		return all
	}
	inner, _ := all[path[0]].(map[string]any)
	all[path[0]] = withField(inner, path[1:], value)
	return all
}

func valueAt(s spot) endpoint.ValueAt {
	switch s.place {
	case inHeader:
		return endpoint.ValueAt{Header: s.name}
	case inCookie:
		return endpoint.ValueAt{Cookie: s.name}
	case inPage:
		return endpoint.ValueAt{Field: s.name}
	case inMeta:
		return endpoint.ValueAt{Meta: s.name}
	}
	return endpoint.ValueAt{JSON: s.name}
}
