package endpoint

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/silentrefresh/silentrefresh/internal/bearer"
	"github.com/silentrefresh/silentrefresh/internal/lifetime"
)

// The usual names, as plain writes them, in the order in which they are believed.
var (
	accessNames  = []string{"accesstoken", "token", "access", "jwt", "jwttoken", "authtoken", "bearertoken", "idtoken"}
	refreshNames = []string{"refreshtoken", "refresh"}
	expiryNames  = []string{"expiresin", "accesstokenexpiresin", "tokenexpiresin", "accessexpiresin", "expiresat",
		"accesstokenexpiresat", "tokenexpiresat", "accessexpiresat", "accesstokenexpiration", "accessexpiration",
		"accesstokenexpires", "tokenexpires", "accesstokenexpiry", "tokenexpiry", "expires", "expire", "exp", "expiry",
		"expiration", "expirationtime", "expirydate", "validuntil"}
	endNames = []string{"refreshexpiresin", "refreshtokenexpiresin", "refreshexpiresat", "refreshtokenexpiresat",
		"refreshtokenexpiration", "refreshexpiration", "refreshtokenexpires", "refreshexpires", "refreshtokenexpiry"}
)

// What one response is searched to: servers nest three deep, an attacker without end.
const (
	maxDepth   = 6
	maxObjects = 1000
)

var withoutJoints = strings.NewReplacer("_", "", "-", "")

// plain is a name without what differs between servers: accessToken, access_token and Access-Token are one.
func plain(name string) string { return withoutJoints.Replace(strings.ToLower(name)) }

// object is a JSON object of a response and those around it.
type object struct {
	fields map[string]any
	plain  map[string]any // fields by their plain names, once get was called
	name   string         // of the field that holds it
	around *object
	depth  int
}

func newObject(fields map[string]any, around *object, name string) *object {
	o := &object{fields: fields, name: name, around: around}
	if around != nil {
		o.depth = around.depth + 1
	}
	return o
}

// get is the field of that plain name, nil if there is none.
func (o *object) get(name string) any {
	if o.plain == nil {
		o.plain = make(map[string]any, len(o.fields))
		for _, key := range slices.Backward(slices.Sorted(maps.Keys(o.fields))) {
			o.plain[plain(key)] = o.fields[key] // of two spellings, always the same one
		}
	}
	return o.plain[name]
}

// path is the dotted path to o's field name.
func (o *object) path(name string) string {
	for ; o != nil && o.name != ""; o = o.around {
		name = o.name + "." + name
	}
	return name
}

// nameOf is the name of the field that holds text.
func (o *object) nameOf(text string) string {
	for _, name := range slices.Sorted(maps.Keys(o.fields)) {
		if o.fields[name] == text {
			return name
		}
	}
	return ""
}

// text returns the first of the named fields that is a text with something in it, or else the first empty one.
func (o *object) text(names []string) (value string, ok bool) {
	for _, name := range names {
		v := o.get(name)
		if s, isText := v.(string); isText && name == "access" && !o.plausible(s) {
			continue
		} else if isText && s != "" {
			return s, true
		} else if isText {
			ok = true
		}
	}
	return "", ok
}

// plausible guards against an "access" that is a user's role: nested, it is a token if it looks like one or if a
// refresh token is beside it.
func (o *object) plausible(access string) bool {
	paired := o.get("refresh") != nil
	return o.around == nil || paired || bearer.Parse(access) != nil
}

// each calls fn for document's objects, those nearest to the top first, until fn returns false. It stays out of
// objects whose plain name skip reports.
func each(document any, skip func(name string) bool, fn func(*object) bool) {
	root, ok := document.(map[string]any)
	if !ok {
		return
	}
	queue := []*object{newObject(root, nil, "")}
	for i := 0; i < len(queue) && fn(queue[i]); i++ {
		o := queue[i]
		for _, key := range slices.Sorted(maps.Keys(o.fields)) {
			inner, ok := o.fields[key].(map[string]any)
			if ok && o.depth < maxDepth && len(queue) < maxObjects && !skip(plain(key)) {
				queue = append(queue, newObject(inner, o, key))
			}
		}
	}
}

// findText is the first text under one of names, with the object that holds it. ok reports whether such a field is
// there; it may be empty.
func findText(document any, names []string, skip func(string) bool) (value string, in *object, ok bool) {
	each(document, skip, func(o *object) bool {
		if s, found := o.text(names); found && (s != "" || !ok) {
			value, in, ok = s, o, true
		}
		return value == ""
	})
	return value, in, ok
}

// nowhere is for a search that skips nothing.
func nowhere(string) bool { return false }

// aside are objects that never hold the access token.
func aside(name string) bool {
	return strings.Contains(name, "refresh") || strings.Contains(name, "csrf") || strings.Contains(name, "xsrf")
}

// notTheToken are objects whose ends are not the access token's.
func notTheToken(name string) bool {
	return aside(name) || slices.Contains([]string{"user", "account", "profile", "record", "session", "subscription"}, name)
}

// lookup follows a dotted path. A name that is not there as it is written is looked for by its plain form; a
// number is an index into a list.
func lookup(document any, path string) (value any, in *object, ok bool) {
	value = document
	at := "" // the name that led to value
	for name := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			in = newObject(v, in, at)
			at = name
			if value, ok = v[name]; !ok {
				value = in.get(plain(name))
				ok = value != nil
			}
		case []any:
			i, err := strconv.Atoi(name)
			if ok = err == nil && i >= 0 && i < len(v); ok {
				value = v[i]
			}
		default:
			ok = false
		}
		if !ok {
			return nil, nil, false
		}
	}
	return value, in, true
}

// findExpiry is when the token ends that the object in holds, as document says it: beside the token, around it, or
// in an object of its own.
func findExpiry(document any, in *object, names []string) (lifetime.Moment, bool) {
	for o := in; o != nil; o = o.around {
		if m, ok := o.moment(names); ok {
			return m, true
		}
	}
	var found lifetime.Moment
	each(document, notTheToken, func(o *object) bool {
		m, ok := o.moment(names)
		if ok {
			found = m
		}
		return !ok
	})
	return found, found != lifetime.Moment{}
}

// moment is the first of the named fields that makes sense as a time.
func (o *object) moment(names []string) (lifetime.Moment, bool) {
	for _, name := range names {
		if m, ok := lifetime.Read(o.get(name)); ok {
			return m, true
		}
	}
	return lifetime.Moment{}, false
}
