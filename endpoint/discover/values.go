package discover

import (
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/silentrefresh/silentrefresh/internal/bearer"
)

// A place is where in a message a value stands.
type place string

const (
	inHeader place = "header"
	inCookie place = "cookie"
	inBody   place = "body"  // name is a dotted path
	inQuery  place = "query" // of a URL
	inPath   place = "path"  // of a URL
	inPage   place = "page"  // a hidden field of HTML
	inMeta   place = "meta"  // a meta element of HTML
)

// A spot is a place and a name there; header names are canonical.
type spot struct {
	place place
	name  string
}

// A use is a value that a request carries.
type use struct {
	spot
	x      *exchange
	scheme string // before the value, in a header
	value  string // normal
}

// A source is a value that a response gives.
type source struct {
	spot
	x     *exchange
	value string // normal
}

// How values are searched.
const (
	minValue  = 6 // shorter ones are equal by chance
	maxDepth  = 8
	maxLeaves = 5000 // of one document
)

// normal is a value in the form in which it is followed: without quotes, percent-encoding and the space around it.
// Cookies have the one or the other where the same value stands bare elsewhere.
func normal(value string) string {
	value = unquoted(strings.TrimSpace(value))
	if strings.Contains(value, "%") {
		if decoded, err := url.PathUnescape(value); err == nil {
			value = unquoted(decoded)
		}
	}
	return value
}

func unquoted(value string) string {
	if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' {
		return value[1 : len(value)-1]
	}
	return value
}

// masked reports whether a value stands for one that an export has left out.
func masked(value string) bool {
	if len(value) > 200 {
		return false
	}
	value = strings.ToLower(value)
	for _, word := range []string{"redacted", "sanitized", "removed", "masked", "***"} {
		if strings.Contains(value, word) {
			return true
		}
	}
	return value != "" && strings.Trim(value, "x.•") == ""
}

// traceable reports whether a value can be followed: it is long enough to be equal to another one for a reason, no
// address, and not what a program has put in its place.
func traceable(value string) bool {
	switch {
	case len(value) < minValue || len(value) > bearer.MaxToken, strings.ContainsAny(value, " \t\r\n"),
		strings.Contains(value, "://"), isEmail(value), masked(value):
		return false
	}
	return true
}

// opaque reports whether a value looks like a token and not like a word or a number.
func opaque(value string) bool {
	if !traceable(value) || bearer.Check(value) != nil {
		return false
	}
	if _, err := strconv.ParseFloat(value, 64); err == nil {
		return false
	}
	letters, digits := strings.ContainsFunc(value, isLetter), strings.ContainsFunc(value, isDigit)
	return len(value) >= 12 && letters && digits || len(value) >= 20
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
func isDigit(r rune) bool  { return r >= '0' && r <= '9' }

var emailShape = regexp.MustCompile(`^[^\s@]+@[^\s@]+\.[^\s@]+$`)

func isEmail(value string) bool {
	return len(value) < 300 && strings.Contains(value, "@") && emailShape.MatchString(value)
}

// uses are the values that the request carries: in headers, cookies, URL and body.
func (x *exchange) uses() (all []use) {
	for _, name := range slices.Sorted(maps.Keys(x.header)) {
		if automatic(name) {
			continue
		}
		for _, value := range x.header[name] {
			scheme, bare := cutScheme(value)
			all = append(all, use{spot{inHeader, name}, x, scheme, normal(bare)})
		}
	}
	for _, c := range x.cookies {
		all = append(all, use{spot{inCookie, c.Name}, x, "", bearer.WithoutScheme(normal(c.Value))})
	}
	for name, values := range x.url.Query() {
		for _, value := range values {
			all = append(all, use{spot{inQuery, name}, x, "", normal(value)})
		}
	}
	for segment := range strings.SplitSeq(x.url.EscapedPath(), "/") {
		if opaque(segment) {
			all = append(all, use{spot{inPath, ""}, x, "", normal(segment)})
		}
	}
	eachLeaf(x.fields, func(path string, v any) {
		if text, ok := v.(string); ok {
			all = append(all, use{spot{inBody, path}, x, "", normal(text)})
		}
	})
	return all
}

// cutScheme cuts "Bearer abc" in two. What has more spaces is no credential with a scheme.
func cutScheme(value string) (scheme, bare string) {
	first, rest, ok := strings.Cut(value, " ")
	if rest = strings.TrimSpace(rest); !ok || first == "" || rest == "" || strings.Contains(rest, " ") {
		return "", value
	}
	return first, rest
}

// sources are the values that the response gives.
func (x *exchange) sources() (all []source) {
	add := func(p place, name, value string) {
		all = append(all, source{spot{p, name}, x, normal(value)})
	}
	eachLeaf(x.document, func(path string, v any) {
		if text, ok := v.(string); ok {
			add(inBody, path, bearer.WithoutScheme(text))
		}
	})
	if x.document == nil && len(x.body) < bearer.MaxToken {
		if text := strings.TrimSpace(string(x.body)); opaque(unquoted(text)) {
			add(inBody, "", text)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(x.respHeader)) {
		for _, value := range x.respHeader[name] {
			_, bare := cutScheme(value)
			add(inHeader, name, bare)
		}
	}
	for _, c := range x.setCookies {
		if !x.deletes(c) {
			add(inCookie, c.Name, bearer.WithoutScheme(normal(c.Value)))
		}
	}
	if isHTML(x.media, x.body) {
		for _, f := range readPage(x.body, x.url).hidden() {
			at := inPage
			if f.kind == "meta" {
				at = inMeta
			}
			add(at, f.name, f.value)
		}
	}
	return all
}

// eachLeaf calls fn for every value of document that is no object and no list, with its dotted path. A name with a
// dot in it, in JSON, cannot be part of a path; it is passed over. Names of a form are what they are.
func eachLeaf(document any, fn func(path string, v any)) {
	left := maxLeaves
	var walk func(path string, v any, depth int)
	walk = func(path string, v any, depth int) {
		join := func(name string) string {
			if path == "" {
				return name
			}
			return path + "." + name
		}
		switch v := v.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				if depth < maxDepth && name != "" && (depth == 0 || !strings.Contains(name, ".")) {
					walk(join(name), v[name], depth+1)
				}
			}
		case []any:
			for i, item := range v {
				if depth < maxDepth && left > 0 {
					walk(join(strconv.Itoa(i)), item, depth+1)
				}
			}
		default:
			if left--; left >= 0 {
				fn(path, v)
			}
		}
	}
	walk("", document, 0)
}

var (
	automaticPrefixes = strings.Fields(`sec- accept content- if- x-b3- x-datadog- x-forwarded- proxy- access-control- cf-`)
	automaticNames    = strings.Fields(`baggage cache-control connection cookie date device-memory dnt downlink dpr ect expect
		forwarded host keep-alive newrelic origin pragma priority purpose range referer rtt save-data sentry-trace te
		traceparent tracestate trailer transfer-encoding upgrade upgrade-insecure-requests user-agent via viewport-width
		x-amzn-trace-id x-client-data x-correlation-id x-real-ip x-request-id`)
)

// automatic reports whether browsers or proxies write the header by themselves, or tracing does.
func automatic(name string) bool {
	name = strings.ToLower(name)
	return slices.Contains(automaticNames, name) ||
		slices.ContainsFunc(automaticPrefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// number is a JSON number or a text that is one.
func number(v any) bool {
	switch v := v.(type) {
	case json.Number, float64:
		return true
	case string:
		_, err := strconv.ParseFloat(v, 64)
		return err == nil
	}
	return false
}

// claims are those of a JWT, nil if token is none.
func claims(token string) map[string]any { return bearer.Parse(token) }
