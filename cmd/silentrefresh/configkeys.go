package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/suggest"
)

// unknownKey explains why the settings have no member of that name in the object at path: a slip of the finger, or one that
// belongs elsewhere. It is nil where there is one, and where any name will do.
func unknownKey(path []string, name string) error {
	keys, free := keysOf(typeAt(reflect.TypeFor[config](), path))
	if free || slices.ContainsFunc(keys, func(key string) bool { return strings.EqualFold(key, name) }) {
		return nil
	}
	if nearest := suggest.Nearest(name, keys...); nearest != "" {
		return fmt.Errorf("unknown field %q; did you mean %q?", name, nearest)
	}
	if homes := homesOf(reflect.TypeFor[config](), nil, name); len(homes) > 0 {
		return fmt.Errorf("unknown field %q; it belongs in %s", name, strings.Join(homes, " or "))
	}
	return fmt.Errorf("unknown field %q", name)
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// keysOf are the names of the members that a value of type t is read from; any: all names will do, or t decides itself.
func keysOf(t reflect.Type) (keys []string, free bool) {
	if t == nil || t.Kind() != reflect.Struct || reflect.PointerTo(t).Implements(unmarshaler) {
		return nil, true
	}
	for _, f := range reflect.VisibleFields(t) {
		if name := keyOf(f); name != "" {
			keys = append(keys, name)
		}
	}
	return keys, false
}

// keyOf is the name of a field in JSON, "" if it has none.
func keyOf(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if f.Anonymous && name == "" || !f.IsExported() || name == "-" {
		return ""
	}
	if name == "" {
		return f.Name
	}
	return name
}

// typeAt is the type of what is at path in a t; nil: any.
func typeAt(t reflect.Type, path []string) reflect.Type {
	for _, name := range path {
		if _, free := keysOf(t); free {
			return nil
		}
		fields := reflect.VisibleFields(t)
		i := slices.IndexFunc(fields, func(f reflect.StructField) bool { return strings.EqualFold(keyOf(f), name) })
		if i < 0 {
			return nil
		}
		t = pointedTo(fields[i].Type)
	}
	return t
}

func pointedTo(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

// homesOf are the paths of the objects in a t, which is at path, that have a member of that name.
func homesOf(t reflect.Type, path []string, name string) (homes []string) {
	keys, free := keysOf(t)
	if free {
		return nil
	}
	if len(path) > 0 && slices.Contains(keys, name) {
		homes = append(homes, strings.Join(path, "."))
	}
	for _, f := range reflect.VisibleFields(t) {
		if key := keyOf(f); key != "" && pointedTo(f.Type) != t && len(path) < 3 {
			homes = append(homes, homesOf(pointedTo(f.Type), append(slices.Clone(path), key), name)...)
		}
	}
	return homes
}
