package refusal

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/silentrefresh/silentrefresh/internal/response"
)

// Complains reports whether a 2xx response says that it is none.
func Complains(r *response.Response) bool {
	root, ok := r.Document.(map[string]any)
	if !ok {
		return false
	}
	for _, name := range []string{"error", "errors", "error_code"} {
		if something(root[name]) {
			return true
		}
	}
	status, _ := root["status"].(string)
	return root["success"] == false || root["ok"] == false || statusIn(r) != 0 || emptyEnvelope(root) ||
		slices.Contains([]string{"error", "fail", "failed", "failure"}, strings.ToLower(status))
}

// emptyEnvelope reports whether a document is the envelope of nothing, under a code of digits that begin as those of
// failures do, 40101 say.
func emptyEnvelope(root map[string]any) bool {
	data, there := root["data"]
	code, _ := root["code"].(json.Number)
	return there && data == nil && len(code) > 3 && strings.ContainsAny(string(code[:1]), "45")
}

// something reports whether the value of an error field says that there is an error.
func something(v any) bool {
	switch v := v.(type) {
	case string:
		return v != ""
	case map[string]any:
		return true
	case []any:
		return len(v) > 0
	case bool:
		return v
	}
	return false
}

// nullSession reports whether a response has null where the session was: for the session or its user, or for both
// tokens; or says that nobody is logged in. One token that is null only says that there is no new one.
func nullSession(r *response.Response) bool {
	for _, o := range r.Objects() {
		for _, key := range []string{"session", "currentsession", "activesession", "user", "currentuser"} {
			if isNull(o, key) {
				return true
			}
		}
		access := isNull(o, "accesstoken") || isNull(o, "token") || isNull(o, "access")
		if access && (isNull(o, "refreshtoken") || isNull(o, "refresh")) {
			return true
		}
		for _, key := range []string{"authenticated", "isauthenticated", "loggedin", "isloggedin"} {
			if o.Get(key) == false {
				return true
			}
		}
	}
	return false
}

// isNull reports whether o has a field of that name that is null.
func isNull(o *response.Object, name string) bool { return o.Has(name) && o.Get(name) == nil }
