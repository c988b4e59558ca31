package endpoint

import (
	"cmp"
	"strings"
	"unicode"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/bearer"
	"github.com/silentrefresh/silentrefresh/internal/response"
)

// ReadSubject implements auth.SubjectReader.
func (e *Exchanger) ReadSubject(token auth.Secret) string { return e.subject(e.claims(token.Reveal())) }

// claims are those of an access token, as it is or as a cookie has it.
func (e *Exchanger) claims(token string) bearer.Claims { return bearer.Parse(e.inner(token)) }

// subject is what identifies the account in the claims of a token, "" if nothing does.
func (e *Exchanger) subject(c bearer.Claims) string {
	switch at := e.Account; {
	case at.Claim == "-", at.Claim == "" && at.JSON != "":
		return ""
	default:
		return c.Text(cmp.Or(at.Claim, "sub"))
	}
}

// subjectIn is what identifies the account in a response, or in the claims of its token.
func (e *Exchanger) subjectIn(a *response.Response, c bearer.Claims) string {
	if e.Account.JSON != "" {
		if v, _, ok := a.Lookup(e.Account.JSON); ok && bearer.Text(v) != "" {
			return bearer.Text(v)
		}
	}
	return e.subject(c)
}

// nameIn is what the account is called where the settings say, in a response or else in the claims of its token; "" if
// nowhere.
func (e *Exchanger) nameIn(a *response.Response, c bearer.Claims) string {
	if e.Account.Name == "" {
		return ""
	}
	v, _, _ := a.Lookup(e.Account.Name)
	return cmp.Or(printableName(bearer.Text(v)), printableName(c.Text(e.Account.Name)))
}

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
