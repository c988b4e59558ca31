package oauth

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"golang.org/x/oauth2"
)

// An Exchanger is a silentrefresh.Exchanger for one provider and one client of it. It is safe for concurrent use,
// and several Clients may share it.
type Exchanger struct {
	c Config

	mu    sync.Mutex
	known *provider // nil until the first exchange
}

// Cookies are cookies of the provider's, from a browser say. Given to Client.Login they make it authenticate
// silently, whatever Config.Flow is. Path "" means "/", and Domain "" the provider's own host.
type Cookies []*http.Cookie

// New checks c and returns its Exchanger. It does no I/O: the discovery document is fetched when it is needed
// first, so that a program starts while its provider is away. The error lists every mistake in c.
func New(c Config) (*Exchanger, error) {
	c = c.complete()
	if err := c.check(); err != nil {
		return nil, err
	}
	return &Exchanger{c: c}, nil
}

// Exchange implements silentrefresh.Exchanger. For a login, credentials are nil, for the way that Config.Flow
// says, or Cookies. Its errors are of type *auth.Error, and ErrNotRenewable for a session that neither way can renew.
func (e *Exchanger) Exchange(ctx context.Context, hc *http.Client, g auth.Grant) (auth.Session, error) {
	x, err := e.begin(ctx, hc, g.Kind)
	if err != nil {
		return auth.Session{}, err
	}
	switch g.Kind {
	case auth.KindLogin:
		return x.login(ctx, g.Credentials)
	case auth.KindRefresh:
		return x.refresh(ctx, g.Old)
	default:
		return auth.Session{}, x.logout(ctx, g.Old)
	}
}

// CheckRenewable implements auth.RenewalChecker. Something can renew s if it has a refresh token, or cookies and a redirect URI to authenticate
// silently with. If not, its error is an ErrNotRenewable that names the setting to look at.
func (e *Exchanger) CheckRenewable(s auth.Session) error {
	switch {
	case !s.RefreshToken.IsZero() && !extraOf(s).Spent:
		return nil
	case len(s.Cookies) == 0:
		return fmt.Errorf("%w: the provider gave no refresh token: is offline_access among the scopes, and allowed for this client?",
			auth.ErrNotRenewable)
	case e.c.RedirectURI == "":
		return fmt.Errorf("%w: silent authentication needs a redirect_uri", auth.ErrNotRenewable)
	default:
		return nil
	}
}

// Interactive implements auth.InteractiveExchanger: a browser or a device login waits for a person.
func (e *Exchanger) Interactive() bool { return true }

var (
	_ auth.Exchanger            = (*Exchanger)(nil)
	_ auth.RenewalChecker       = (*Exchanger)(nil)
	_ auth.InteractiveExchanger = (*Exchanger)(nil)
)

// timeout is the deadline of one request.
const timeout = 30 * time.Second

// An exchange is one call of Exchange.
type exchange struct {
	*Exchanger
	*provider
	op   auth.Kind
	hc   *http.Client // the Client's, over wire
	wire *wire
}

func (e *Exchanger) begin(ctx context.Context, hc *http.Client, op auth.Kind) (*exchange, error) {
	x := &exchange{Exchanger: e, op: op, wire: &wire{base: hc.Transport}}
	c := *hc
	c.Transport = x.wire
	if c.Timeout == 0 {
		c.Timeout = timeout // a login's context may have no deadline, and a socket be silent
	}
	x.hc = &c
	p, err := x.discovered(ctx)
	if err != nil {
		return nil, err
	}
	x.provider = p
	return x, nil
}

// login gets the first session.
func (x *exchange) login(ctx context.Context, credentials any) (auth.Session, error) {
	switch cookies := credentials.(type) {
	case Cookies:
		return x.loginWith(ctx, cookies)
	case nil:
	default:
		return auth.Session{}, x.mistake("credentials of type %T: nil and oauth.Cookies are known", credentials)
	}
	if x.c.Flow == Silent {
		return x.silent(ctx, auth.Session{})
	}
	if !auth.Foreground(ctx) {
		err := x.mistake("the %s flow needs a person, and nobody waits for this login", x.c.Flow)
		err.Hint = "call Login"
		return auth.Session{}, err
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

// refresh renews with the refresh token, and by silent authentication where there is none or it is refused.
func (x *exchange) refresh(ctx context.Context, old auth.Session) (auth.Session, error) {
	if old.RefreshToken.IsZero() || extraOf(old).Spent {
		if !x.canBeSilent() {
			return auth.Session{}, auth.ErrNotRenewable
		}
		return x.silent(ctx, old)
	}
	s, err := x.refreshToken(ctx, old)
	if !refused(err) || !x.canBeSilent() {
		return s, err
	}
	s, second := x.silent(ctx, old)
	if second != nil {
		second = afterRefusal(second, err)
	}
	return s, second
}

// canBeSilent reports whether silent authentication has a chance: without any cookie the provider knows nobody.
func (x *exchange) canBeSilent() bool {
	return x.c.RedirectURI != "" && x.authorizeAt != nil && len(x.hc.Jar.Cookies(x.authorizeAt)) > 0
}

// oauth is the client as golang.org/x/oauth2 knows it.
func (x *exchange) oauth(redirectURI string) *oauth2.Config {
	return &oauth2.Config{
		ClientID:     x.c.ClientID,
		ClientSecret: x.c.ClientSecret.Reveal(),
		Endpoint:     x.endpoint,
		RedirectURL:  redirectURI,
		Scopes:       x.c.Scopes,
	}
}

// with makes the libraries use the exchange's client.
func (x *exchange) with(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, x.hc)
}
