package oauth

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"golang.org/x/oauth2"
)

// device logs in with a code that a person enters on another device (RFC 8628).
func (x *exchange) device(ctx context.Context) (auth.Session, error) {
	da, err := x.deviceCode(ctx)
	if err != nil {
		return auth.Session{}, err
	}
	x.c.Prompt(Prompt{URL: da.VerificationURI, CompleteURL: da.VerificationURIComplete, Code: da.UserCode, Expires: sooner(ctx, da.Expiry)})
	tok, err := x.poll(ctx, da)
	if err != nil {
		return auth.Session{}, err
	}
	s := x.session(tok)
	if idTokenOf(tok) == "" {
		return s, nil // plain OAuth 2.0 servers have this grant too
	}
	claims, err := x.verify(ctx, tok, "", "")
	if err != nil {
		return auth.Session{}, err
	}
	x.identify(&s, claims, extra{IDToken: idTokenOf(tok)})
	return s, nil
}

// sooner is when ctx ends, or the code if that is earlier; a zero code has no end. A person who is told more than
// that comes back in vain.
func sooner(ctx context.Context, code time.Time) time.Time {
	if end, ok := ctx.Deadline(); ok && (code.IsZero() || end.Before(code)) {
		return end
	}
	return code
}

// deviceCode asks for the codes (section 3.1). x/oauth2 has a call for it, which neither authenticates a client
// with a secret nor ends with its context.
func (x *exchange) deviceCode(ctx context.Context) (*oauth2.DeviceAuthResponse, error) {
	form := url.Values{"scope": {strings.Join(x.c.Scopes, " ")}}
	for name, value := range x.c.Params {
		form.Set(name, value)
	}
	body, err := x.post(ctx, x.DeviceEndpoint, form)
	if err != nil {
		return nil, err
	}
	da := &oauth2.DeviceAuthResponse{}
	if json.Unmarshal(body, da) != nil || da.DeviceCode == "" || da.UserCode == "" || da.VerificationURI == "" {
		return nil, x.mistake("the device authorization endpoint's response has no code for a person")
	}
	return da, nil
}

// poll waits for the person (section 3.4). A call that gets no response is not the end: the provider may be back
// before the code expires.
func (x *exchange) poll(ctx context.Context, da *oauth2.DeviceAuthResponse) (*oauth2.Token, error) {
	for {
		tok, err := x.oauth("").DeviceAccessToken(x.with(ctx), da)
		switch {
		case err == nil:
			return tok, nil
		case ctx.Err() != nil:
			return nil, x.mistake("waiting for a person to enter the code: %w", context.Cause(ctx))
		case !da.Expiry.IsZero() && !time.Now().Before(da.Expiry):
			return nil, x.mistake("the code expired before anybody entered it")
		}
		e := x.failed(err)
		if !e.Unsent && !e.MaybeSpent {
			return nil, e
		}
		da.Interval = min(2*max(da.Interval, 5), 60) // section 3.5: back off exponentially
	}
}
