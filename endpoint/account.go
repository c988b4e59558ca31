package endpoint

import (
	"strings"
	"unicode"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/response"
)

// accountGiven is what the credentials call the account.
func (x *exchange) accountGiven() string {
	if x.grant.Kind != auth.KindLogin {
		return ""
	}
	given, _ := credentialFields(x.grant.Credentials)
	for _, name := range []string{"email", "username", "login", "identifier", "identity"} {
		for _, o := range []any{given, given["user"]} {
			fields, _ := o.(map[string]any)
			if s, ok := fields[name].(string); ok && printableName(s) != "" {
				return s
			}
		}
	}
	return ""
}

// accountIn is what a response, or claims, call the account for people.
func accountIn(document any) string {
	root, _ := document.(map[string]any)
	var places []*response.Object
	for _, at := range []map[string]any{root, inner(root, "data"), inner(root, "session")} {
		for _, name := range []string{"user", "record", "account", "profile"} {
			if person := inner(at, name); person != nil {
				places = append(places, response.NewObject(person, nil, name))
			}
		}
	}
	places = append(places, response.NewObject(root, nil, ""))
	for _, name := range []string{"email", "useremail", "preferredusername", "username", "name"} {
		for _, o := range places {
			if s, ok := o.Get(name).(string); ok && printableName(s) != "" {
				return s
			}
		}
	}
	return ""
}

func inner(fields map[string]any, name string) map[string]any {
	object, _ := fields[name].(map[string]any)
	return object
}

// printableName is s if it can be shown to people as it is, else "".
func printableName(s string) string {
	if len(s) > 200 || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return ""
	}
	return s
}
