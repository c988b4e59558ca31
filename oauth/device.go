package oauth

import (
	"context"
	"net/url"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/display"
)

// What a device waits between polls: usually, after it was told to slow down, at least, at most (RFC 8628 sections 3.2 and
// 3.5).
const (
	usualInterval   = 5 * time.Second
	slowDown        = 5 * time.Second
	shortestBackoff = time.Second
	longestBackoff  = time.Minute
)

// A deviceCode is the response of the device authorization endpoint (RFC 8628 section 3.2).
type deviceCode struct {
	code, userCode   string
	uri, completeURI string
	ends             time.Time // zero if it does not say
	interval         time.Duration
}

// device logs in with a code that a person enters on another device (RFC 8628).
func (x *exchange) device(ctx context.Context) (auth.Session, error) {
	if err := x.introduce(ctx, ""); err != nil {
		return auth.Session{}, err
	}
	c, err := x.deviceCode(ctx)
	if err != nil {
		return auth.Session{}, err
	}
	x.c.Prompt(Prompt{
		URL: address(c.uri), CompleteURL: address(c.completeURI), Code: display.Name(c.userCode), Expires: sooner(ctx, c.ends),
	})
	t, err := x.poll(ctx, c)
	if err != nil {
		return auth.Session{}, err
	}
	return x.admit(ctx, t, x.begun(), "", "")
}

// sooner is when ctx ends, or the code if that is earlier; a zero code has no end. A person who is told more than
// that comes back in vain.
func sooner(ctx context.Context, code time.Time) time.Time {
	if end, ok := ctx.Deadline(); ok && (code.IsZero() || end.Before(code)) {
		return end
	}
	return code
}

// deviceCode asks for the codes (section 3.1).
func (x *exchange) deviceCode(ctx context.Context) (*deviceCode, error) {
	if x.DeviceEndpoint == "" {
		return nil, x.mistake("%s has no device authorization endpoint", x.name())
	}
	form := url.Values{}
	for name, value := range x.c.Params {
		form.Set(name, value)
	}
	if scope := x.scope(); scope != "" {
		form.Set("scope", scope)
	}
	if resource := x.identifier(extra{}); resource != "" {
		form.Set("resource", resource)
	}
	r, failure := x.post(ctx, x.DeviceEndpoint, form)
	if failure != nil {
		return nil, harmless(failure)
	}
	c := &deviceCode{
		code: field(r, "device_code"), userCode: field(r, "user_code"),
		uri: field(r, "verification_uri"), completeURI: field(r, "verification_uri_complete"),
	}
	if c.uri == "" {
		c.uri = field(r, "verification_url") // before the RFC
	}
	if c.code == "" || c.userCode == "" || c.uri == "" {
		return nil, x.mistake("the device authorization endpoint's response has no code for a person")
	}
	if life := seconds(r, "expires_in"); life > 0 {
		c.ends = x.wire.last.began.Add(life)
	}
	c.interval = usualInterval
	if interval := seconds(r, "interval"); interval > 0 {
		c.interval = min(max(interval, shortestBackoff), longestBackoff)
	}
	return c, nil
}

// poll waits for the person (section 3.4). A call that gets no response is not the end: the server may be back
// before the code expires.
func (x *exchange) poll(ctx context.Context, c *deviceCode) (*tokens, error) {
	for {
		select {
		case <-time.After(c.interval):
		case <-ctx.Done():
			return nil, x.mistake("waiting for a person to enter the code: %w", context.Cause(ctx))
		}
		if !c.ends.IsZero() && !time.Now().Before(c.ends) {
			return nil, x.mistake("the code expired before anybody entered it")
		}
		t, e := x.ask(ctx, url.Values{"grant_type": {grantTypes[Device]}, "device_code": {c.code}}, extra{})
		switch {
		case e == nil:
			return t, nil
		case ctx.Err() != nil:
			return nil, x.mistake("waiting for a person to enter the code: %w", context.Cause(ctx))
		case e.Code == "authorization_pending":
		case e.Code == "slow_down":
			c.interval += slowDown
		case e.Unsent || e.MaybeSpent:
			c.interval = min(2*max(c.interval, usualInterval), longestBackoff) // section 3.5: back off exponentially
		default:
			return nil, e
		}
	}
}
