package oauth

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/silentrefresh/silentrefresh/auth"
)

// logout revokes old's tokens and ends the server's session. Each step is tried whatever the others did.
func (x *exchange) logout(ctx context.Context, old auth.Session) error {
	e, err := x.resume(ctx, old)
	if err != nil {
		return err
	}
	access := old.AccessToken
	if e.Access != "" {
		access = auth.NewSecret(e.Access)
	}
	return errors.Join(
		x.revoke(ctx, old.RefreshToken, "refresh_token"),
		x.revoke(ctx, access, "access_token"),
		x.endSession(ctx, old),
	)
}

// revoke revokes one token (RFC 7009 section 2.1). A token that the server does not know is revoked already.
func (x *exchange) revoke(ctx context.Context, token auth.Secret, hint string) error {
	if token.IsZero() || x.RevocationEndpoint == "" {
		return nil
	}
	_, failure := x.post(ctx, x.RevocationEndpoint, url.Values{"token": {token.Reveal()}, "token_type_hint": {hint}})
	switch {
	case failure == nil:
		return nil
	case failure.Code == "unsupported_token_type":
		return nil // section 2.2.1: the server cannot revoke such tokens, and no setting changes that
	default:
		return failure
	}
}

// endSession ends the server's own session (OpenID Connect RP-Initiated Logout 1.0 section 2), so that nobody
// is logged in again silently.
func (x *exchange) endSession(ctx context.Context, old auth.Session) error {
	hint := extraOf(old).IDToken
	cookies := x.canBeSilent()
	if x.EndSessionEndpoint == "" || hint == "" && !cookies {
		return nil
	}
	if err := x.askToEnd(ctx, hint); err != nil {
		return err
	}
	if !cookies {
		return nil // the session is in somebody's browser, and nothing tells whether it ended
	}
	if _, _, err := x.authorizeSilently(ctx, old); err != nil {
		return nil
	}
	e := x.mistake("the server still has its session: it asks a person to confirm the logout")
	e.Hint = "the tokens are revoked and the cookies gone from here; log out at the server's site to end it there"
	return e
}

func (x *exchange) askToEnd(ctx context.Context, hint string) error {
	u, err := url.Parse(x.EndSessionEndpoint)
	if err != nil {
		return x.mistake("the end_session_endpoint is not a URL")
	}
	q := u.Query()
	q.Set("client_id", x.client.id)
	if hint != "" {
		q.Set("id_token_hint", hint)
	}
	u.RawQuery = q.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return x.mistake("the end_session_endpoint is not a URL")
	}
	hc := *x.hc
	hc.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if !x.own(r.URL) || len(via) >= maxHops {
			return http.ErrUseLastResponse // somebody's home page: the server is done
		}
		return nil
	}
	resp, err := hc.Do(req)
	if err != nil {
		return x.failed(err)
	}
	io.Copy(io.Discard, resp.Body) // a page for people
	resp.Body.Close()
	if resp.StatusCode >= 400 {
		return x.failed(nil)
	}
	return nil
}
