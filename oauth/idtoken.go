package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/display"

	goidc "github.com/coreos/go-oidc/v3/oidc"
)

// leeway is how far the clocks of the server's own machines may be apart.
const leeway = 2 * time.Minute

// identify adds to s what the ID token says that came with it, if any did: it is optional after a refresh (OpenID
// Connect Core section 12.2), and everywhere where openid was not asked for.
func (x *exchange) identify(ctx context.Context, s *auth.Session, t *tokens, nonce, subject string) error {
	e := extraOf(*s)
	if !t.id.IsZero() && x.signers == nil && x.openID() {
		return x.mistake("the ID token cannot be verified: the metadata has no jwks_uri")
	}
	if !t.id.IsZero() && x.signers != nil {
		claims, err := x.verify(ctx, t, nonce, subject)
		if err == nil && nonce == "" && claims.Nonce != "" && e.Nonce != "" && claims.Nonce != e.Nonce {
			err = x.mistake("the ID token has another nonce than the login's")
		}
		if err != nil {
			return err
		}
		e.IDToken = t.id.Reveal()
		x.describeAccount(s, claims)
		if x.c.IDTokenAsBearer {
			e.Access = s.AccessToken.Reveal()
			s.AccessToken, s.Expires = t.id, t.issued.Add(claims.Expiry.Sub(x.wire.last.date))
		}
	} else if x.c.IDTokenAsBearer {
		return x.mistake("%w; is openid among the scopes?", errNoIDToken)
	}
	s.Extra = e.secret()
	return nil
}

// verify checks t's ID token (OpenID Connect Core section 3.1.3.7). nonce and subject may be "": any will do.
func (x *exchange) verify(ctx context.Context, t *tokens, nonce, subject string) (*goidc.IDToken, error) {
	now := x.wire.last.date
	claims, err := goidc.NewVerifier(x.Issuer, x.signers, &goidc.Config{
		ClientID:             x.client.id,
		SupportedSigningAlgs: x.signingAlgorithms(),
		SkipIssuerCheck:      strings.Contains(x.c.MetadataIssuer, "{"),
		Now:                  func() time.Time { return now.Add(-leeway) },
	}).Verify(ctx, t.id.Reveal())
	switch {
	case err != nil:
	case !x.issued(claims.Issuer):
		err = errors.New("it is from another issuer")
	case nonce != "" && claims.Nonce != nonce:
		err = errors.New("its nonce is not the one that was sent")
	case claims.Subject == "":
		err = errors.New("it names no subject")
	case subject != "" && claims.Subject != subject:
		return nil, &auth.Error{Op: x.op, Refused: true, Err: errOtherSubject}
	case claims.AccessTokenHash != "" && claims.VerifyAccessToken(t.access.Reveal()) != nil:
		err = errors.New("it belongs to another access token")
	default:
		err = x.checkParty(claims)
	}
	if err != nil {
		return nil, x.mistake("the ID token is not to be trusted: %w", err)
	}
	return claims, nil
}

// issued reports whether iss is this server's, exactly; where its metadata is known to have a placeholder, with
// anything in its place.
func (x *exchange) issued(iss string) bool {
	pattern := x.Issuer
	if !strings.Contains(x.c.MetadataIssuer, "{") {
		return iss == pattern || iss == "accounts.google.com" && pattern == "https://accounts.google.com"
	}
	for {
		before, rest, found := strings.Cut(pattern, "{")
		if !found {
			return iss == pattern
		}
		_, after, closed := strings.Cut(rest, "}")
		tail, ok := strings.CutPrefix(iss, before)
		if !closed || !ok {
			return false
		}
		end := strings.IndexByte(tail, '/')
		if end < 0 {
			end = len(tail)
		}
		if end == 0 || tail[:end] != url.PathEscape(tail[:end]) {
			return false
		}
		pattern, iss = after, tail[end:]
	}
}

// checkParty makes sure that a token for several audiences was issued to us.
func (x *exchange) checkParty(token *goidc.IDToken) error {
	var claims struct {
		AuthorizedParty string `json:"azp"`
	}
	if err := token.Claims(&claims); err != nil {
		return errors.New("its azp is not text")
	}
	if claims.AuthorizedParty == x.client.id || claims.AuthorizedParty == "" && slices.Equal(token.Audience, []string{x.client.id}) {
		return nil
	}
	return fmt.Errorf("it was issued to another client than %s", x.client.id)
}

// describeAccount adds to s whom a verified ID token is about.
func (x *exchange) describeAccount(s *auth.Session, token *goidc.IDToken) {
	var names struct {
		Email    string `json:"email"`
		Username string `json:"preferred_username"`
		Name     string `json:"name"`
	}
	var all json.RawMessage
	if err := errors.Join(token.Claims(&names), token.Claims(&all)); err == nil {
		s.Response = auth.NewResponse(all)
	}
	s.Subject = token.Subject
	for _, name := range []string{names.Email, names.Username, names.Name, token.Subject} {
		if name = display.Name(name); name != "" {
			s.Account = name
			break
		}
	}
}

// signatures are the algorithms that sign: not none, and no shared secret.
var signatures = []string{goidc.RS256, goidc.RS384, goidc.RS512, goidc.ES256, goidc.ES384, goidc.ES512,
	goidc.PS256, goidc.PS384, goidc.PS512, goidc.EdDSA}

// signingAlgorithms are those of the server's that sign. Empty means RS256.
func (s *server) signingAlgorithms() []string {
	return slices.DeleteFunc(slices.Clone(s.IDTokenAlgorithms), func(a string) bool { return !slices.Contains(signatures, a) })
}
