package endpoint

import (
	"slices"
	"strings"

	"github.com/silentrefresh/silentrefresh/internal/challenge"
)

// Error codes by what they say, squeezed: RFC 6749 section 5.2, RFC 6750 section 3.1, and what servers use in
// their place.
var (
	// grantCodes refuse the refresh token for good.
	grantCodes = []string{"invalidgrant", "invalidtoken", "tokeninvalid", "tokennotvalid", "tokenexpired", "expiredtoken",
		"tokenrevoked", "revokedtoken", "tokenreused", "tokenreusedetected", "invalidrefreshtoken", "refreshtokeninvalid",
		"refreshtokenexpired", "expiredrefreshtoken", "refreshtokenrevoked", "refreshtokenreused", "refreshtokenreuse",
		"refreshtokenreusedetected", "refreshtokenalreadyused", "refreshtokennotfound", "sessionexpired", "sessionnotfound",
		"sessionrevoked", "invalidsession", "tokenexpirederror", "jsonwebtokenerror", "jwtexpired", "userdisabled", "usernotfound"}
	// clientCodes refuse the client, whatever the token.
	clientCodes = []string{"invalidclient", "unauthorizedclient", "unsupportedgranttype", "invalidscope", "invalidapikey"}
	// passingCodes say that it was not the credential's fault.
	passingCodes = []string{"servererror", "temporarilyunavailable", "slowdown", "toomanyrequests"}
)

// codePaths are where responses have their error code. The messages among them count only if they are a code.
var codePaths = []string{"error", "error_code", "code", "error.code", "error.error", "error.type", "error.reason", "error.name",
	"error.message", "errors.0.extensions.code", "errors.0.code", "data.error", "data.code", "name", "message", "msg", "detail"}

// codes are the error codes of a response, the most trustworthy first.
func (x *exchange) codes(a *response) (found []string) {
	add := func(code string) {
		if code != "" && len(code) <= 64 && !x.isSecret(code) {
			found = append(found, code)
		}
	}
	for _, path := range codePaths {
		v, _, _ := lookup(a.document, path)
		if code, ok := v.(string); ok {
			add(code)
		}
	}
	challenge.Each(a.header.Values("Www-Authenticate"), func(scheme, name, value string) {
		if strings.EqualFold(scheme, "Bearer") && name == "error" {
			add(value)
		}
	})
	return found
}

// isSecret guards against a server that quotes the credential.
func (x *exchange) isSecret(s string) bool {
	if len(s) < 8 {
		return false
	}
	old := x.grant.Old
	if strings.Contains(old.RefreshToken.Reveal(), s) || strings.Contains(old.AccessToken.Reveal(), s) {
		return true
	}
	for _, c := range x.cookies() {
		if strings.Contains(c.Value, s) {
			return true
		}
	}
	return false
}

// squeezed is a code as it is compared: INVALID_GRANT, "Invalid grant" and invalid_grant are one.
func squeezed(code string) string {
	return strings.TrimRight(strings.ReplaceAll(plain(code), " ", ""), ".!")
}

func anyOf(codes, known []string) bool {
	return slices.ContainsFunc(codes, func(code string) bool { return slices.Contains(known, squeezed(code)) })
}

// displayable is the first code that can be shown: a word.
func displayable(codes []string) string {
	for _, code := range codes {
		if !strings.ContainsFunc(code, notInCode) {
			return code
		}
	}
	return ""
}

func notInCode(r rune) bool {
	letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	digit := r >= '0' && r <= '9'
	return !letter && !digit && !strings.ContainsRune("_.-", r)
}

// messageNames are the fields that tell people what is wrong.
var messageNames = []string{"error", "errordescription", "code", "errorcode", "message", "msg", "detail", "title", "reason", "description", "hint"}

// said is what a short response tells people, in lower case: the values of messages, not the names of fields, of
// which csrfToken may be one.
func (a *response) said() string {
	if len(a.body) > 16<<10 {
		return ""
	}
	if a.document == nil {
		return strings.ToLower(string(a.body))
	}
	var b strings.Builder
	each(a.document, nowhere, func(o *object) bool {
		for _, name := range messageNames {
			if s, ok := o.get(name).(string); ok {
				b.WriteString(strings.ToLower(s) + "\n")
			}
		}
		return true
	})
	return b.String()
}

// complains reports whether a 2xx response says that it is none.
func (a *response) complains() bool {
	root, ok := a.document.(map[string]any)
	if !ok {
		return false
	}
	for _, name := range []string{"error", "errors", "error_code"} {
		switch v := root[name].(type) {
		case string:
			if v != "" {
				return true
			}
		case map[string]any:
			return true
		case []any:
			if len(v) > 0 {
				return true
			}
		case bool:
			if v {
				return true
			}
		}
	}
	status, _ := root["status"].(string)
	return root["success"] == false || root["ok"] == false ||
		slices.Contains([]string{"error", "fail", "failed", "failure"}, strings.ToLower(status))
}
