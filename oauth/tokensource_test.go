package oauth_test

import (
	"errors"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/oauth"
	"github.com/silentrefresh/silentrefresh/oauth/oauthtest"
	"golang.org/x/oauth2"
)

// TestTokenSource: a library that takes x/oauth2's TokenSource gets the session's token, and its errors.
func TestTokenSource(t *testing.T) {
	op := start(t, oauthtest.Config{Plain: true, Secret: "s"})
	cl := newClient(t, op, service(op))
	var source oauth2.TokenSource = oauth.TokenSource(cl)
	if _, err := source.Token(); !errors.Is(err, silentrefresh.ErrNoSession) {
		t.Errorf("before the login: %v", err)
	}
	if err := cl.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	first, err := source.Token()
	if err != nil {
		t.Fatal(err)
	}
	if !first.Valid() || first.Type() != "Bearer" || time.Until(first.Expiry) > 15*time.Minute {
		t.Errorf("%s until %v", first.Type(), first.Expiry)
	}
	if err := cl.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	second, err := source.Token()
	if err != nil || second.AccessToken == first.AccessToken {
		t.Errorf("after a renewal: %v", err)
	}
}
