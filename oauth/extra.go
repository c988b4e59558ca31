package oauth

import (
	"encoding/json"
	"slices"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/metadata"

	goidc "github.com/coreos/go-oidc/v3/oidc"
)

// extra is what Session.Extra holds, as JSON: what a later process has to know to go on with the session.
type extra struct {
	// Server is where the tokens came from.
	Server place `json:"server,omitzero"`
	// Digest is what a refresh has to know of it.
	Digest *metadata.Server `json:"digest,omitempty"`
	// Client is who we are there, where the settings do not say.
	Client *registration `json:"client,omitempty"`
	// Resource is the API as it calls itself (RFC 8707), for the next refresh.
	Resource string `json:"resource,omitempty"`
	// Scopes are those of the tokens.
	Scopes []string `json:"scopes,omitempty"`
	// Withheld are scopes that were asked for and not granted.
	Withheld []string `json:"withheld,omitempty"`
	// Key is the private key that the tokens are bound to (RFC 9449), as a JWK.
	Key json.RawMessage `json:"dpop_key,omitempty"`

	// IDToken is the last ID token, for id_token_hint.
	IDToken string `json:"id_token,omitempty"`
	// Nonce is the one of the authorization request that began the session.
	Nonce string `json:"nonce,omitempty"`
	// Access is the access token, where API requests carry the ID token: to be revoked.
	Access string `json:"access_token,omitempty"`
	// Spent says that the refresh token carried forward was refused, and silent authentication came instead.
	Spent bool `json:"spent,omitempty"`
}

func extraOf(s auth.Session) extra {
	var e extra
	json.Unmarshal([]byte(s.Extra.Reveal()), &e) // what is not there, or not ours, is zero
	return e
}

// granted is e after a token response that names its scopes (RFC 6749 section 5.1). Many servers leave out there those of
// OpenID Connect, which stand for more tokens and not for rights at the API.
func (e extra) granted(scopes []string) extra {
	asked := union(e.Scopes, e.Withheld)
	for _, scope := range []string{goidc.ScopeOpenID, goidc.ScopeOfflineAccess} {
		if slices.Contains(asked, scope) {
			scopes = union(scopes, []string{scope})
		}
	}
	e.Scopes = scopes
	e.Withheld = slices.DeleteFunc(asked, func(s string) bool { return slices.Contains(scopes, s) })
	return e
}

func (e extra) secret() auth.Secret {
	b, err := json.Marshal(e)
	if err != nil || string(b) == "{}" {
		return auth.Secret{}
	}
	return auth.NewSecret(string(b))
}

// begun is the extra of a session that x has just begun.
func (x *exchange) begun() extra {
	e := extra{Server: x.place, Resource: x.identifier(extra{}), Scopes: x.scopes}
	if x.client.registration.ID != "" {
		e.Client = &x.client.registration
	}
	if x.proof != nil {
		e.Key = x.proof.private
	}
	return e
}
