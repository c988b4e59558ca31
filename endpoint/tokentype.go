package endpoint

import (
	"errors"
	"fmt"
	"strings"

	"github.com/silentrefresh/silentrefresh/internal/response"
)

// checkType reports why the access token in the object in must not be used, by its token_type, and what to do: a type that
// is not understood is not to be used (RFC 6749 section 7.1). in is nil for a token in no object.
func (x *exchange) checkType(in *response.Object) (hint string, err error) {
	kind := ""
	for o := in; o != nil && kind == ""; o = o.Around {
		kind, _ = o.Get("tokentype").(string)
	}
	kind = strings.TrimSpace(kind)
	plain := response.Plain(kind)
	switch {
	case kind == "", plain == "jwt", strings.HasPrefix(plain, "bearer"), strings.EqualFold(kind, x.e.attach.SchemeName()):
		return "", nil
	case plain == "dpop", plain == "pop", plain == "mac":
		return giveBearer, fmt.Errorf("the access token was not taken: its token_type is %q, so that requests must prove that they hold a key", kind)
	case len(kind) > 40 || strings.ContainsFunc(kind, notInScheme) || x.hidden(kind):
		return giveBearer, errors.New("the access token was not taken: its token_type is none that is known")
	}
	return fmt.Sprintf("if API requests carry it with that scheme, set attach.scheme to %q; if not, %s", kind, giveBearer),
		fmt.Errorf("the access token was not taken: its token_type is %q, which is not known", kind)
}

const giveBearer = "have the auth server give this client bearer tokens"

func notInScheme(r rune) bool {
	letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	return !letter && (r < '0' || r > '9') && !strings.ContainsRune("_.-+ ", r)
}
