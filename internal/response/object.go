package response

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What one response is searched to: servers nest three deep and have a dozen fields, an attacker has no end of them.
const (
	maxDepth   = 6
	maxObjects = 1000
	maxFields  = 10_000 // of all objects together
)

var withoutJoints = strings.NewReplacer("_", "", "-", "")

// Plain is a name without what differs between servers: accessToken, access_token and Access-Token are one.
func Plain(name string) string { return withoutJoints.Replace(strings.ToLower(name)) }

// An Object is a JSON object of a response. Names of fields are given to its methods as Plain writes them.
type Object struct {
	Fields map[string]any
	Name   string  // of the field that holds it, "" at the top
	Around *Object // nil at the top

	depth int
	plain map[string]field // nil until a name is asked for
}

// A field is a field under its plain name.
type field struct {
	key   string // as it is written
	value any
	unit  time.Duration // what the end of its name says that it counts, 0 if nothing
}

// NewObject is an object of fields, which the field name of around holds; around may be nil.
func NewObject(fields map[string]any, around *Object, name string) *Object {
	o := &Object{Fields: fields, Name: name, Around: around}
	if around != nil {
		o.depth = around.depth + 1
	}
	return o
}

// Keys are the names of o's fields as they are written, in order; none if there are more than any server has.
func (o *Object) Keys() []string {
	if len(o.Fields) > maxFields {
		return nil
	}
	return slices.Sorted(maps.Keys(o.Fields))
}

// Get is the field of that name, nil if there is none.
func (o *Object) Get(name string) any { return o.names()[name].value }

// names are o's fields by their plain names, and those whose name ends in a unit of time without it, too. Of two
// spellings it is always the same one that counts.
func (o *Object) names() map[string]field {
	if o.plain != nil {
		return o.plain
	}
	o.plain = make(map[string]field, len(o.Fields))
	if len(o.Fields) > maxFields {
		return o.plain
	}
	for key, value := range o.Fields {
		o.note(Plain(key), field{key: key, value: value})
		if base, unit := withoutUnit(Plain(key)); unit != 0 {
			o.note(unitMark+base, field{key, value, unit})
		}
	}
	return o.plain
}

func (o *Object) note(name string, f field) {
	if present, ok := o.plain[name]; !ok || f.key < present.key {
		o.plain[name] = f
	}
}

// Path is the dotted path to o's field of that name.
func (o *Object) Path(name string) string {
	for ; o != nil && o.Name != ""; o = o.Around {
		name = o.Name + "." + name
	}
	return name
}

// NameOf is the name of the field that holds text.
func (o *Object) NameOf(text string) string {
	for _, name := range o.Keys() {
		if o.Fields[name] == text {
			return name
		}
	}
	return ""
}

// Inside reports whether o, or an object around it, has a name of which in is true.
func (o *Object) Inside(in func(name string) bool) bool {
	for ; o != nil && o.Around != nil; o = o.Around {
		if in(Plain(o.Name)) {
			return true
		}
	}
	return false
}

// Objects are the objects of the response's document that are not in lists, those nearest to the top first.
func (r *Response) Objects() []*Object {
	root, ok := r.Document.(map[string]any)
	if !ok || r.objects != nil {
		return r.objects
	}
	r.objects = []*Object{NewObject(root, nil, "")}
	fields := 0
	for i := 0; i < len(r.objects); i++ {
		o := r.objects[i]
		if fields += len(o.Fields); fields > maxFields || o.depth == maxDepth {
			continue
		}
		for _, key := range o.Keys() {
			if inner, ok := o.Fields[key].(map[string]any); ok && len(r.objects) < maxObjects {
				r.objects = append(r.objects, NewObject(inner, o, key))
			}
		}
	}
	return r.objects
}

// Find is the first string that text finds in an object, those nearest to the top first, and the object. An empty one
// counts only where no other is found; ok reports whether any was. Objects inside of one whose plain name skip reports
// are left out.
func (r *Response) Find(
	skip func(name string) bool, text func(*Object) (string, bool),
) (value string, in *Object, ok bool) {
	for _, o := range r.Objects() {
		if o.Inside(skip) {
			continue
		}
		if s, found := text(o); found && (s != "" || !ok) {
			value, in, ok = s, o, true
		}
		if value != "" {
			break
		}
	}
	return value, in, ok
}

// Nowhere is for a search that skips nothing.
func Nowhere(string) bool { return false }

// Lookup follows a dotted path into the document. A name that is not there as it is written is looked for by its plain
// form; a number is an index into a list. in is the object that the value is a field of.
func (r *Response) Lookup(path string) (value any, in *Object, ok bool) {
	value = r.Document
	at := "" // the name that led to value
	for name := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			in = NewObject(v, in, at)
			at = name
			value, ok = in.member(name)
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

// member is the field of that name as it is written, or else by its plain form.
func (o *Object) member(name string) (value any, ok bool) {
	if value, ok = o.Fields[name]; ok {
		return value, true
	}
	value = o.Get(Plain(name))
	return value, value != nil
}

// Has reports whether o has a field of that name, be it null.
func (o *Object) Has(name string) bool {
	_, ok := o.names()[name]
	return ok
}
