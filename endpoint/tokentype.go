package endpoint

import (
	"errors"
	"fmt"
	"strings"

	"github.com/silentrefresh/silentrefresh/internal/response"
)

// checkType reports why the access token in the object in must not be used as its token_type says, and what to do (RFC
// 6749 section 7.1): a type that is not understood is not to be used. in is nil for a token in no object.
func (x *exchange) checkType(in *response.Object) (err error, hint string) {
	kind := ""
	for o := in; o != nil && kind == ""; o = o.Around {
		kind, _ = o.Get("tokentype").(string)
	}
	kind = strings.TrimSpace(kind)
	plain := response.Plain(kind)
	switch {
	case kind == "", plain == "jwt", strings.HasPrefix(plain, "bearer"), strings.EqualFold(kind, x.e.attach.SchemeName()):
		return nil, ""
	case plain == "dpop", plain == "pop", plain == "mac":
		return fmt.Errorf("the access token was not taken: its token_type is %q, so that requests must prove that they hold a key", kind),
			"have the auth server give this client bearer tokens"
	case len(kind) > 40 || strings.ContainsFunc(kind, notInScheme) || x.hidden(kind):
		return errors.New("the access token was not taken: its token_type is none that is known"),
			"have the auth server give this client bearer tokens"
	}
	return fmt.Errorf("the access token was not taken: its token_type is %q, which is not known", kind),
		fmt.Sprintf("if API requests carry it with that scheme, set attach.scheme to %q; if not, have the auth server give this client bearer tokens", kind)
}

func notInScheme(r rune) bool {
	letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	return !letter && (r < '0' || r > '9') && !strings.ContainsRune("_.-+ ", r)
}
