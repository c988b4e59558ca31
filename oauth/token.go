package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"

	goidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// leeway is how far the clocks of the provider's own machines may be apart.
const leeway = 2 * time.Minute

var errOtherSubject = errors.New("the provider's session now belongs to another account")

// extra is what Session.Extra holds, as JSON.
type extra struct {
	// IDToken is the last ID token, for id_token_hint.
	IDToken string `json:"id_token,omitempty"`
	// Nonce is the one of the authorization request that began the session.
	Nonce string `json:"nonce,omitempty"`
	// Spent says that the refresh token carried forward was refused, and silent authentication came instead.
	Spent bool `json:"spent,omitempty"`
}

func extraOf(s auth.Session) extra {
	var e extra
	json.Unmarshal([]byte(s.Extra.Reveal()), &e) // what is not there, or not ours, is zero
	return e
}

func (e extra) secret() auth.Secret {
	b, _ := json.Marshal(e) // two strings and a bool
	return auth.NewSecret(string(b))
}

// redeem exchanges an authorization code for a session (RFC 6749 section 4.1.3), the next one of old.
func (x *exchange) redeem(ctx context.Context, a authorization, code string, old auth.Session) (auth.Session, error) {
	tok, err := x.oauth(a.redirectURI).Exchange(x.with(ctx), code, oauth2.VerifierOption(a.verifier))
	if err != nil {
		return auth.Session{}, x.failed(err)
	}
	if idTokenOf(tok) == "" {
		return auth.Session{}, x.mistake("the provider gave no ID token, though openid is among the scopes")
	}
	s := x.session(tok)
	claims, err := x.verify(ctx, tok, a.nonce, old.Subject)
	if err != nil {
		return auth.Session{}, err
	}
	x.identify(&s, claims, extra{
		IDToken: idTokenOf(tok),
		Nonce:   a.nonce,
		Spent:   tok.RefreshToken == "" && !old.RefreshToken.IsZero(),
	})
	return s, nil
}

// present shows the refresh token (RFC 6749 section 6). When the response is lost it does so once more at once, since
// most providers bear with that for a moment (RFC 9700 section 4.14.2), and never a third time.
func (x *exchange) present(ctx context.Context, token auth.Secret) (*oauth2.Token, *auth.Error) {
	once := func() (*oauth2.Token, *auth.Error) {
		tok, err := x.oauth("").TokenSource(x.with(ctx), &oauth2.Token{RefreshToken: token.Reveal()}).Token()
		if err != nil {
			return nil, x.failed(err)
		}
		return tok, nil
	}
	tok, lost := once()
	if lost == nil || !lost.MaybeSpent || ctx.Err() != nil {
		return tok, lost
	}
	tok, again := once()
	if again != nil {
		again.Interrupted, again.Unsent, again.MaybeSpent = true, false, !again.Refused
	}
	return tok, again
}

// refreshToken exchanges old's refresh token for the next session.
func (x *exchange) refreshToken(ctx context.Context, old auth.Session) (auth.Session, error) {
	tok, failure := x.present(ctx, old.RefreshToken)
	if failure != nil {
		return auth.Session{}, failure
	}
	s := x.session(tok)
	if idTokenOf(tok) == "" {
		return s, nil // optional here (OpenID Connect Core section 12.2)
	}
	nonce := extraOf(old).Nonce
	claims, err := x.verify(ctx, tok, "", old.Subject)
	if err == nil && claims.Nonce != "" && nonce != "" && claims.Nonce != nonce {
		err = x.mistake("the ID token has another nonce than the login's")
	}
	if refused(err) {
		return auth.Session{}, err
	}
	if err != nil {
		// The credential is spent, and what came with it is the only one left.
		return auth.Session{RefreshToken: s.RefreshToken}, err
	}
	x.identify(&s, claims, extra{IDToken: idTokenOf(tok), Nonce: nonce})
	return s, nil
}

// session is what a token response says by itself. Lifetimes count from when the request was sent.
func (x *exchange) session(tok *oauth2.Token) auth.Session {
	s := auth.Session{
		AccessToken:  auth.NewSecret(tok.AccessToken),
		RefreshToken: auth.NewSecret(tok.RefreshToken),
		Issued:       x.wire.last.began,
		Expires:      tok.Expiry, // of a response that is not JSON
	}
	if tok.ExpiresIn > 0 {
		s.Expires = s.Issued.Add(time.Duration(tok.ExpiresIn) * time.Second)
	}
	for _, name := range []string{"refresh_expires_in", "refresh_token_expires_in"} { // no standard, but widespread
		if seconds, ok := tok.Extra(name).(float64); ok && seconds > 0 && seconds < 1e9 {
			s.Ends = s.Issued.Add(time.Duration(seconds) * time.Second)
		}
	}
	return s
}

// verify checks tok's ID token (OpenID Connect Core section 3.1.3.7). nonce and subject may be "": any will do.
func (x *exchange) verify(ctx context.Context, tok *oauth2.Token, nonce, subject string) (*goidc.IDToken, error) {
	now := x.wire.last.date
	if now.IsZero() {
		now = time.Now()
	}
	claims, err := goidc.NewVerifier(x.c.Issuer, x.keys, &goidc.Config{
		ClientID:             x.c.ClientID,
		SupportedSigningAlgs: x.signingAlgorithms(),
		Now:                  func() time.Time { return now.Add(-leeway) },
	}).Verify(ctx, idTokenOf(tok))
	switch {
	case err != nil:
	case nonce != "" && claims.Nonce != nonce:
		err = errors.New("its nonce is not the one that was sent")
	case claims.Subject == "":
		err = errors.New("it names no subject")
	case subject != "" && claims.Subject != subject:
		return nil, &auth.Error{Op: x.op, Refused: true, Err: errOtherSubject}
	case claims.AccessTokenHash != "" && claims.VerifyAccessToken(tok.AccessToken) != nil:
		err = errors.New("it belongs to another access token")
	default:
		err = x.checkParty(claims)
	}
	if err != nil {
		return nil, x.mistake("the ID token is not to be trusted: %w", err)
	}
	return claims, nil
}

// checkParty makes sure that a token for several audiences was issued to us.
func (x *exchange) checkParty(token *goidc.IDToken) error {
	var claims struct {
		AuthorizedParty string `json:"azp"`
	}
	if err := token.Claims(&claims); err != nil {
		return errors.New("its azp is not text")
	}
	if claims.AuthorizedParty == x.c.ClientID || claims.AuthorizedParty == "" && slices.Equal(token.Audience, []string{x.c.ClientID}) {
		return nil
	}
	return fmt.Errorf("it was issued to another client than %s", x.c.ClientID)
}

// identify adds to s what a verified ID token says.
func (x *exchange) identify(s *auth.Session, token *goidc.IDToken, e extra) {
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
		if name != "" {
			s.Account = name
			break
		}
	}
	s.Extra = e.secret()
}

func idTokenOf(tok *oauth2.Token) string {
	raw, _ := tok.Extra("id_token").(string)
	return raw
}
