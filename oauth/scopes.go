package oauth

import (
	"errors"
	"slices"
	"strings"

	goidc "github.com/coreos/go-oidc/v3/oidc"
)

// choose settles which scopes a login asks for: those of the settings; else those of the API's challenge, of its
// metadata, or, at an OpenID provider, openid. To these comes offline_access where the server offers it and a person
// logs in. What the session had before, and what a challenge names beyond that, is asked for as well.
func (x *exchange) choose() []string {
	scopes := x.c.Scopes
	if scopes == nil {
		scopes = x.offered()
		if x.c.Flow.interactive() && slices.Contains(x.ScopesSupported, goidc.ScopeOfflineAccess) {
			scopes = union(scopes, []string{goidc.ScopeOfflineAccess})
		}
	}
	if x.challenge.Error == insufficientScope {
		scopes = union(union(x.held(), scopes), x.challenge.Scopes)
	}
	return scopes
}

func (x *exchange) offered() []string {
	switch {
	case len(x.challenge.Scopes) > 0:
		return x.challenge.Scopes
	case x.resource != nil:
		return x.resource.ScopesSupported
	case x.c.Resource == "" && x.OpenID() && !x.c.Flow.unattended():
		return []string{goidc.ScopeOpenID}
	default:
		return nil
	}
}

// insufficientScope is the error of a challenge about a token that lacks a scope (RFC 6750 section 3.1).
const insufficientScope = "insufficient_scope"

// held are the scopes that the latest session was asked for with, whether they were granted or not: a person who has
// decided is not asked again, and a server may grant a scope by the name of a wider one.
func (e *Exchanger) held() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return union(e.latest.Scopes, e.latest.Withheld)
}

// more reports whether scopes has something that the latest session was not asked for with.
func (e *Exchanger) more(scopes []string) bool {
	held := e.held()
	return slices.ContainsFunc(scopes, func(s string) bool { return !slices.Contains(held, s) })
}

// errNoMoreScopes: a login for more scopes would ask for the same again.
var errNoMoreScopes = errors.New("the API wants more scopes, does not say which, and its metadata has no others")

// remember keeps what a later login, one that needs more scopes, has to know of a session.
func (e *Exchanger) remember(s extra) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.latest = s
}

// openID reports whether an ID token is asked for.
func (x *exchange) openID() bool { return slices.Contains(x.scopes, goidc.ScopeOpenID) }

// scope is the parameter of that name, "" where there is nothing to ask for.
func (x *exchange) scope() string { return strings.Join(x.scopes, " ") }
