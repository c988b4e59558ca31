package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/silentrefresh/silentrefresh/auth"
)

// ask sends a token request (RFC 6749 section 4) with what every one of them carries, and reads the tokens.
func (x *exchange) ask(ctx context.Context, form url.Values, e extra) (*tokens, *auth.Error) {
	if resource := x.identifier(e); resource != "" {
		form.Set("resource", resource)
	}
	r, failure := x.post(ctx, x.TokenEndpoint, form)
	if failure != nil {
		return nil, failure
	}
	t := tokensOf(r)
	if t.access.IsZero() {
		return nil, x.tokenless(r)
	}
	return t, nil
}

// accept makes a session of t, whose token_type has to be one that can be sent (RFC 6749 section 7.1). What it returns
// beside an error is the credential that came with it: the old one is spent.
func (x *exchange) accept(t *tokens, e extra) (auth.Session, *auth.Error) {
	s := auth.Session{AccessToken: t.access, RefreshToken: t.refresh, Issued: t.issued, Expires: t.expires, Ends: t.ends}
	if t.scopes != nil {
		e = e.granted(t.scopes)
	}
	kind := strings.ToLower(t.kind)
	switch {
	case kind == "dpop" && x.proof == nil:
		return s, x.untaken("the token is bound to a key (token_type DPoP), and none was shown")
	case (kind == "bearer" || kind == "") && x.proof != nil:
		if x.c.DPoP == DPoPAlways {
			return s, x.untaken("the token is bound to no key (token_type %q), though dpop is %q", t.kind, x.c.DPoP)
		}
		x.proof, e.Key = nil, nil // the server does not bind tokens, and the API will say whether it minds
	case kind == "n_a" && x.c.Flow == TokenExchange: // RFC 8693 section 2.2.1: not an access token
	case kind != "bearer" && kind != "" && kind != "dpop":
		return s, x.untaken("its token_type %q is none that can be sent; Bearer and DPoP are", printable(t.kind))
	}
	e.Digest = x.server.digest()
	s.Extra = e.secret()
	x.remember(e)
	return s, nil
}

// untaken is a token response that must not be used.
func (x *exchange) untaken(format string, args ...any) *auth.Error {
	e := x.mistake(format, args...)
	e.Path, e.Status, e.Unsent = x.wire.last.path, x.wire.last.status, false
	return e
}

// redeem exchanges an authorization code for a session (RFC 6749 section 4.1.3), the next one of old.
func (x *exchange) redeem(ctx context.Context, a authorization, code string, old auth.Session) (auth.Session, error) {
	form := url.Values{
		"grant_type": {grantTypes[Browser]}, "code": {code}, "redirect_uri": {a.redirectURI}, "code_verifier": {a.verifier},
	}
	t, failure := x.ask(ctx, form, extraOf(old))
	if failure != nil {
		return auth.Session{}, failure
	}
	if t.id.IsZero() && x.openID() {
		return auth.Session{}, x.mistake("the server gave no ID token, though openid is among the scopes")
	}
	e := x.begun()
	e.Withheld = extraOf(old).Withheld
	e.Nonce, e.Spent = a.nonce, t.refresh.IsZero() && !old.RefreshToken.IsZero()
	return x.admit(ctx, t, e, a.nonce, old.Subject)
}

// admit makes a session of tokens that a login gave, and of their ID token if there is one.
func (x *exchange) admit(ctx context.Context, t *tokens, e extra, nonce, subject string) (auth.Session, error) {
	s, failure := x.accept(t, e)
	if failure != nil {
		return auth.Session{}, failure
	}
	if err := x.identify(ctx, &s, t, nonce, subject); err != nil {
		return auth.Session{}, err
	}
	return s, nil
}

// present shows the refresh token (RFC 6749 section 6). When the response is lost it does so once more at once, since
// most servers bear with that for a moment (RFC 9700 section 4.14.2), and never a third time.
func (x *exchange) present(ctx context.Context, old auth.Session, e extra) (*tokens, *auth.Error) {
	once := func() (*tokens, *auth.Error) {
		return x.ask(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {old.RefreshToken.Reveal()}}, e)
	}
	t, lost := once()
	if lost == nil || !lost.MaybeSpent || ctx.Err() != nil {
		return t, lost
	}
	t, again := once()
	if again != nil {
		again.Interrupted, again.Unsent, again.MaybeSpent = true, false, !again.Refused
	}
	return t, again
}

// refreshToken exchanges old's refresh token for the next session.
func (x *exchange) refreshToken(ctx context.Context, old auth.Session, e extra) (auth.Session, error) {
	t, failure := x.present(ctx, old, e)
	if failure != nil {
		return auth.Session{}, failure
	}
	s, failure := x.accept(t, e)
	if failure != nil {
		return auth.Session{RefreshToken: s.RefreshToken}, failure // the credential is spent, and this is the one that is left
	}
	if e.Client != nil && !e.Client.Document {
		x.keep(*e.Client) // the server knows it
	}
	err := x.identify(ctx, &s, t, "", old.Subject)
	switch {
	case err == nil:
		return s, nil
	case refused(err):
		return auth.Session{}, err
	default:
		return auth.Session{RefreshToken: s.RefreshToken}, err
	}
}

// printable is what a server wrote, as far as it can be shown.
func printable(s string) string {
	return s[:min(len(s), 200)]
}

var errOtherSubject = errors.New("the server's session now belongs to another account")

var errNoIDToken = fmt.Errorf("the server gave no ID token, which is what API requests would carry")
