package endpoint

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/origin"
	"golang.org/x/net/http/httpguts"
)

// placeholder is a value in braces that an exchange puts in. In a field it has to be the whole text: GraphQL has braces
// of its own.
var placeholder = regexp.MustCompile(`\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// The values that every call can use.
var ownValues = []string{"access_token", "refresh_token", "csrf_token"}

// placeholderIn is the name of the value that the whole of s stands for, "" if s is a text of its own.
func placeholderIn(s string) string {
	if m := placeholder.FindStringSubmatch(s); m != nil && m[0] == s {
		return m[1]
	}
	return ""
}

// placeholders are the names that c uses itself.
func (c *Call) placeholders() map[string]bool {
	names := map[string]bool{}
	texts := append(slices.Collect(maps.Values(c.Headers)), c.URL)
	for _, text := range texts {
		for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
			names[m[1]] = true
		}
	}
	mapTexts(c.Fields, func(text string) string {
		if name := placeholderIn(text); name != "" {
			names[name] = true
		}
		return text
	})
	return names
}

// checkPlaceholders returns the names that c and its First use. A name that nothing gives is a mistake; in a login, the
// credentials may give it.
func (c *Call) checkPlaceholders(m *mistakes) map[string]bool {
	uses := c.placeholders()
	var given map[string]ValueAt
	if c.First != nil {
		given = c.First.Take
	}
	for _, name := range slices.Sorted(maps.Keys(uses)) {
		if _, ok := given[name]; !ok && !slices.Contains(ownValues, name) && c.kind != auth.KindLogin {
			m.add("%s: nothing gives {%s}; name it in %s.first.take, or correct it", c.setting, name, c.setting)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Take)) {
		c.Take[name].check(c.setting+".take."+name, m)
		if placeholderIn("{"+name+"}") == "" || slices.Contains(ownValues, name) {
			m.add("%s.take: %q cannot be the name of a value; take letters, digits and underscores, and none of %s",
				c.setting, name, strings.Join(ownValues, ", "))
		}
	}
	if c.First != nil {
		maps.Copy(uses, c.First.uses)
	}
	return uses
}

func (v ValueAt) check(setting string, m *mistakes) {
	set := 0
	for _, s := range []string{v.JSON, v.Header, v.Cookie, v.Field, v.Meta} {
		if s != "" {
			set++
		}
	}
	if set != 1 {
		m.add("%s: set one of json, header, cookie, field and meta", setting)
	}
}

// fill returns c with values put in. Its errors name the values and never show them.
func (c *Call) fill(values map[string]string, base *url.URL) (*Call, error) {
	out := *c
	out.filled = true
	var missing error
	value := func(name string) string {
		v, ok := values[name]
		if !ok || v == "" {
			missing = fmt.Errorf("nothing gave {%s} in %s", name, c.setting)
		}
		return v
	}
	out.Headers = map[string]string{}
	for name, text := range c.Headers {
		out.Headers[name] = putIn(text, value, func(s string) string { return s })
		if !httpguts.ValidHeaderFieldValue(out.Headers[name]) {
			return nil, fmt.Errorf("what goes into the header %s of %s holds control characters", name, c.setting)
		}
	}
	if c.Fields != nil {
		out.Fields = mapTexts(c.Fields, func(text string) string {
			if name := placeholderIn(text); name != "" {
				return value(name)
			}
			return text
		}).(map[string]any)
	}
	var err error
	if placeholder.MatchString(c.URL) {
		out.target, err = c.fillURL(value, base)
	}
	if missing != nil {
		return nil, missing
	}
	return &out, err
}

// fillURL is c's URL with the values in it. A URL that a response has given gets credentials only where one that the
// settings name would.
func (c *Call) fillURL(value func(string) string, base *url.URL) (*url.URL, error) {
	var text string
	if name := placeholderIn(c.URL); name != "" {
		text = value(name)
	} else {
		path, query, hasQuery := strings.Cut(c.URL, "?")
		if text = putIn(path, value, url.PathEscape); hasQuery {
			text += "?" + putIn(query, value, url.QueryEscape)
		}
	}
	m := &mistakes{}
	u := resolve(c.setting+".url", base, text, m)
	if len(m.found) > 0 {
		return nil, errors.Join(m.found...)
	}
	allowed := []*url.URL{base, c.target}
	if c.First != nil {
		allowed = append(allowed, c.First.target)
	}
	if !slices.ContainsFunc(allowed, func(a *url.URL) bool { return origin.Same(a, u) }) {
		to, _ := origin.Of(u)
		return nil, fmt.Errorf("a response named a URL at another origin, %s, which does not get the credential; "+
			"if that is right, call %s.first there, too", to, c.setting)
	}
	return u, nil
}

func putIn(text string, value func(string) string, escape func(string) string) string {
	return placeholder.ReplaceAllStringFunc(text, func(name string) string { return escape(value(name[1 : len(name)-1])) })
}

// mapTexts is v with every text in it replaced, on memory of its own.
func mapTexts(v any, replace func(string) string) any {
	switch v := v.(type) {
	case string:
		return replace(v)
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, inner := range v {
			out[name] = mapTexts(inner, replace)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = mapTexts(inner, replace)
		}
		return out
	}
	return v
}
