package oauth

import (
	"cmp"
	"context"
	"net/url"

	"github.com/silentrefresh/silentrefresh/auth"
)

// grantTypes are the grant_type of each flow.
var grantTypes = map[Flow]string{
	Browser:           "authorization_code",
	Silent:            "authorization_code",
	Device:            "urn:ietf:params:oauth:grant-type:device_code",
	ClientCredentials: "client_credentials",
	JWTBearer:         "urn:ietf:params:oauth:grant-type:jwt-bearer",
	TokenExchange:     "urn:ietf:params:oauth:grant-type:token-exchange",
}

// grant gets tokens without a person: for the client itself (RFC 6749 section 4.4), for an assertion (RFC 7523 section
// 2.1) or for another token (RFC 8693). What is refused here is mended in the settings or in a file, so that no refusal
// ends a session.
func (x *exchange) grant(ctx context.Context, e extra, subject string) (auth.Session, error) {
	form := url.Values{"grant_type": {grantTypes[x.c.Flow]}}
	for name, value := range x.c.Params {
		form.Set(name, value)
	}
	if scope := x.scope(); scope != "" {
		form.Set("scope", scope)
	}
	if err := x.assert(ctx, form, e); err != nil {
		return auth.Session{}, err
	}
	t, failure := x.ask(ctx, form, e)
	if failure != nil {
		if x.op == auth.KindRefresh {
			failure.Refused, failure.Unsent = false, true
		}
		return auth.Session{}, failure
	}
	return x.admit(ctx, t, x.withKey(e), "", subject)
}

// withKey is e with the key that the latest request was made with.
func (x *exchange) withKey(e extra) extra {
	if x.proof != nil {
		e.Key = x.proof.private
	}
	return e
}

// assert adds what the flow presents.
func (x *exchange) assert(ctx context.Context, form url.Values, e extra) error {
	if x.c.Flow == ClientCredentials {
		return nil
	}
	assertion, err := x.assertion(ctx, e)
	if err != nil {
		return x.mistake("%w", err)
	}
	if x.c.Flow == JWTBearer {
		form.Set("assertion", assertion)
		return nil
	}
	form.Set("subject_token", assertion)
	form.Set("subject_token_type", cmp.Or(x.c.Assertion.Type, "urn:ietf:params:oauth:token-type:jwt"))
	if requested := x.c.Assertion.RequestedType; requested != "" {
		form.Set("requested_token_type", requested)
	}
	return nil
}

func (x *exchange) assertion(ctx context.Context, e extra) (string, error) {
	a := x.c.Assertion
	switch {
	case a.Source != nil:
		token, err := a.Source(ctx, Audience{Issuer: x.Issuer, TokenEndpoint: x.TokenEndpoint, Resource: x.identifier(e)})
		return token.Reveal(), err
	case a.File != "":
		return readAssertion("assertion.file", a.File)
	default:
		return a.Token.Reveal(), nil
	}
}
