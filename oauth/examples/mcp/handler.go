package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/oauth"
	"golang.org/x/oauth2"
)

// A handler is the SDK's interface for OAuth, for programs that leave the http.Client to the SDK. It has the session's
// token and no more: the SDK sends no proofs (DPoP), and does not replay requests with a token that was renewed.
type handler struct{ client *silentrefresh.Client }

var _ auth.OAuthHandler = handler{}

// TokenSource implements auth.OAuthHandler. Without a session the first request goes out without a token, and its
// response says what to ask for.
func (h handler) TokenSource(ctx context.Context) (oauth2.TokenSource, error) {
	if _, err := h.client.Token(ctx); errors.Is(err, silentrefresh.ErrNoSession) || errors.Is(err, silentrefresh.ErrSessionOver) {
		return nil, nil
	}
	return oauth.TokenSource(h.client), nil
}

// Authorize implements auth.OAuthHandler: it renews the token if that is what the server rejected, and otherwise logs in
// as the response's challenge says.
func (h handler) Authorize(ctx context.Context, _ *http.Request, resp *http.Response) error {
	resp.Body.Close()
	c, ok := oauth.ReadChallenge(resp)
	if !ok {
		return errors.New(resp.Status)
	}
	if c.Error != "insufficient_scope" && h.client.Renew(ctx) == nil {
		return nil
	}
	return h.client.Login(ctx, c)
}
