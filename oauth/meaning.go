package oauth

import (
	"encoding/json"
	"regexp"
	"strings"
)

// code is the error code of r (RFC 6749 section 5.2), in lower case; where servers have it elsewhere, the first that is
// found there.
func (r *response) code() string {
	if code := r.text("error"); code != "" {
		return strings.ToLower(code)
	}
	for _, path := range [][]string{{"error", "code"}, {"error", "type"}, {"errors", "errorType"}, {"errors", "code"}, {"code"}, {"status"}, {"error_code"}} {
		if code, ok := lookup(r.fields, path).(string); ok && errorCode(strings.ToLower(code)) != "" {
			return strings.ToLower(code)
		}
	}
	return ""
}

// lookup goes down path, into the first element of arrays.
func lookup(v any, path []string) any {
	if list, ok := v.([]any); ok {
		if len(list) == 0 {
			return nil
		}
		v = list[0]
	}
	if len(path) == 0 {
		return v
	}
	object, _ := v.(map[string]any)
	if object == nil {
		return nil
	}
	return lookup(object[path[0]], path[1:])
}

// said is what r tells people and programs, each string in a line of its own, in lower case.
func (r *response) said() []string { return texts(r.fields, 6) }

// texts are the strings in v, down to a depth.
func texts(v any, depth int) (all []string) {
	if depth == 0 {
		return nil
	}
	switch v := v.(type) {
	case string:
		if len(v) <= 1024 {
			all = append(all, strings.ToLower(v))
		}
	case []any:
		for _, element := range v[:min(len(v), 16)] {
			all = append(all, texts(element, depth-1)...)
		}
	case map[string]any:
		for _, element := range v {
			all = append(all, texts(element, depth-1)...)
		}
	case json.Number, bool, nil:
	}
	return all
}

// What a refusal says that is about the credential: it names it, and says that it is dead.
var (
	credential = regexp.MustCompile(`refresh[ _-]?token|\bsession\b|\bgrant\b|^(the )?(provided )?token\b|\btoken (is|was|has)\b`)
	lifeless   = regexp.MustCompile(`\b(invalid|expired|revoked|reused?|used|unknown|not found|incorrect|bad|claimed|inactive|blacklisted|does ?n[o']t exist)\b`)
	separators = strings.NewReplacer("_", " ", "-", " ")
)

// dead reports whether one of the texts names the credential and says that it is dead.
func dead(said []string) bool {
	for _, text := range said {
		if plain := separators.Replace(text); credential.MatchString(plain) && lifeless.MatchString(plain) {
			return true
		}
	}
	return false
}
