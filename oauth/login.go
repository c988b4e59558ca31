package oauth

import (
	"context"
	"fmt"
	"net/http"

	"github.com/silentrefresh/silentrefresh/auth"
)

// login gets the first session.
func (x *exchange) login(ctx context.Context, credentials any) (auth.Session, error) {
	cookies, err := x.prepare(ctx, credentials)
	if err != nil {
		return auth.Session{}, err
	}
	s, err := x.enter(ctx, cookies)
	for range 2 {
		if err == nil || ctx.Err() != nil || !x.betterWay(err) {
			break
		}
		s, err = x.enter(ctx, cookies)
	}
	if err != nil {
		x.forget()
	}
	return s, err
}

// prepare finds the server, and settles what is asked for.
func (x *exchange) prepare(ctx context.Context, credentials any) (cookies Cookies, err error) {
	switch credentials := credentials.(type) {
	case Cookies:
		cookies = credentials
	case Challenge:
		x.challenge = credentials
	case *Challenge:
		if credentials != nil {
			x.challenge = *credentials
		}
	case nil:
	default:
		return nil, x.mistake("credentials of type %T: nil, oauth.Cookies and oauth.Challenge are known", credentials)
	}
	if err := x.attended(ctx, cookies); err != nil {
		return nil, err
	}
	if x.server, err = x.locate(ctx, extra{}); err != nil {
		return nil, err
	}
	x.scopes = x.choose()
	if x.challenge.Error == insufficientScope && len(x.challenge.Scopes) == 0 && !x.more(x.scopes) {
		return nil, x.mistake("%w", errNoMoreScopes)
	}
	if failure := x.bindable(); failure != nil {
		return nil, failure
	}
	return cookies, nil
}

// attended makes sure that a flow that needs a person has one (F60).
func (x *exchange) attended(ctx context.Context, cookies Cookies) error {
	if cookies != nil || !x.c.Flow.interactive() || auth.Foreground(ctx) {
		return nil
	}
	err := x.mistake("the %s flow needs a person, and nobody waits for this login", x.c.Flow)
	err.Hint = "call Login"
	return err
}

// enter runs the flow.
func (x *exchange) enter(ctx context.Context, cookies Cookies) (auth.Session, error) {
	switch {
	case cookies != nil:
		return x.loginWith(ctx, cookies)
	case x.c.Flow == Silent:
		if err := x.introduce(ctx, x.c.RedirectURI); err != nil {
			return auth.Session{}, err
		}
		return x.silent(ctx, auth.Session{})
	case x.c.Flow.unattended():
		if err := x.introduce(ctx, ""); err != nil {
			return auth.Session{}, err
		}
		return x.grant(ctx, x.begun(), "")
	}
	ctx, cancel := context.WithTimeoutCause(ctx, x.c.Patience, fmt.Errorf("nobody logged in within %v", x.c.Patience))
	defer cancel()
	if x.c.Flow == Device {
		return x.device(ctx)
	}
	return x.browser(ctx)
}

// loginWith authenticates silently with cookies that were brought.
func (x *exchange) loginWith(ctx context.Context, cookies Cookies) (auth.Session, error) {
	if x.c.RedirectURI == "" || x.authorizeAt == nil {
		return auth.Session{}, x.mistake("cookies were brought, and silent authentication needs a redirect_uri and an authorization endpoint")
	}
	if err := x.introduce(ctx, x.c.RedirectURI); err != nil {
		return auth.Session{}, err
	}
	brought := make([]*http.Cookie, len(cookies))
	for i, c := range cookies {
		b := *c
		if b.Path == "" {
			b.Path = "/"
		}
		brought[i] = &b
	}
	x.hc.Jar.SetCookies(x.authorizeAt, brought)
	return x.silent(ctx, auth.Session{})
}

// resume prepares x for what comes after old's login.
func (x *exchange) resume(ctx context.Context, old auth.Session) (e extra, err error) {
	e = extraOf(old)
	if x.server, err = x.locate(ctx, e); err != nil {
		return e, err
	}
	if err := x.recognize(e); err != nil {
		return e, err
	}
	if x.proof, err = x.keys.of(old); err != nil {
		return e, x.mistake("%w", err)
	}
	if x.scopes = e.Scopes; x.scopes == nil {
		x.scopes = x.choose()
	}
	return e, nil
}

// refresh renews with the refresh token; where there is none or it is refused, by running the flow again if that needs
// nobody, else by silent authentication.
func (x *exchange) refresh(ctx context.Context, old auth.Session) (auth.Session, error) {
	e, err := x.resume(ctx, old)
	if err != nil {
		return auth.Session{}, err
	}
	var first error
	if !old.RefreshToken.IsZero() && !e.Spent {
		s, err := x.refreshToken(ctx, old, e)
		if !refused(err) || !x.c.Flow.unattended() && !x.canBeSilent() {
			return s, err
		}
		first = err
	}
	switch {
	case x.c.Flow.unattended():
		return x.grant(ctx, e, old.Subject)
	case !x.canBeSilent():
		return auth.Session{}, auth.ErrNotRenewable
	}
	s, err := x.silent(ctx, old)
	if err != nil && first != nil {
		err = afterRefusal(err, first)
	}
	return s, err
}

// canBeSilent reports whether silent authentication has a chance: without any cookie the server knows nobody.
func (x *exchange) canBeSilent() bool {
	return x.c.RedirectURI != "" && x.authorizeAt != nil && len(x.hc.Jar.Cookies(x.authorizeAt)) > 0
}
