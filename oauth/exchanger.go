package oauth

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/metadata"
)

// An Exchanger is an auth.Exchanger for one authorization server and one client of it. It is safe for concurrent use,
// and several Clients may share it.
type Exchanger struct {
	c     Config
	key   *clientKey // that signs assertions about the client, nil if there is none
	known directory
	clock clocks
	keys  keyCache

	denied denials

	mu      sync.Mutex
	clients map[place]registration // that were registered in this process
	latest  extra                  // of the session that began last, here or in the process that left it in the Store
	demands map[place]demand       // what servers turned out to insist on
}

// Cookies are cookies of the authorization server's, from a browser say. Given to Client.Login they make it
// authenticate silently, whatever Config.Flow is. Path "" means "/", and Domain "" the server's own host.
type Cookies []*http.Cookie

// New checks c and returns its Exchanger. It does no I/O: metadata is fetched when it is needed first, so that a program
// starts while its authorization server is away. The error lists every mistake in c.
func New(c Config) (*Exchanger, error) {
	c = c.complete()
	if err := c.check(); err != nil {
		return nil, err
	}
	e := &Exchanger{c: c, clients: map[place]registration{}}
	if !c.ClientKey.IsZero() {
		e.key, _ = parseKey(c.ClientKey) // check has parsed it
	}
	return e, nil
}

// Exchange implements auth.Exchanger. For a login, credentials are nil, for the way that Config.Flow says, Cookies, or a
// Challenge. Its errors are *auth.Error, and ErrNotRenewable for a session that nothing can renew.
func (e *Exchanger) Exchange(ctx context.Context, hc *http.Client, g auth.Grant) (auth.Session, error) {
	x := e.begin(hc, g.Kind)
	switch g.Kind {
	case auth.KindLogin:
		return x.login(ctx, g.Credentials)
	case auth.KindRefresh:
		return x.refresh(ctx, g.Old)
	default:
		return auth.Session{}, x.logout(ctx, g.Old)
	}
}

// CheckRenewable implements auth.RenewalChecker. Something can renew s if it has a refresh token, if the flow can be run
// again, or if there are cookies and a redirect URI to authenticate silently with. If not, its error is an
// ErrNotRenewable that names the setting to look at.
func (e *Exchanger) CheckRenewable(s auth.Session) error {
	switch {
	case !s.RefreshToken.IsZero() && !extraOf(s).Spent, e.c.Flow.unattended():
		return nil
	case len(s.Cookies) == 0 && s.Expires.IsZero():
		return fmt.Errorf("%w: the server gave no refresh token, and the access token has no end that is known: it serves until the API rejects it",
			auth.ErrNotRenewable)
	case len(s.Cookies) == 0:
		return fmt.Errorf("%w: the server gave no refresh token: is offline_access among the scopes, and allowed for this client?",
			auth.ErrNotRenewable)
	case e.c.RedirectURI == "":
		return fmt.Errorf("%w: silent authentication needs a redirect_uri", auth.ErrNotRenewable)
	default:
		return nil
	}
}

// Interactive implements auth.InteractiveExchanger: a login with Browser or Device waits for a person.
func (e *Exchanger) Interactive() bool { return e.c.Flow.interactive() }

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
	*server
	op     auth.Kind
	hc     *http.Client // the Client's, over wire
	wire   *wire
	client client    // who we are to the server
	scopes []string  // to ask for
	proof  *proofKey // that tokens are bound to, nil if they are not
	late   bool      // it turned out under way that there has to be one

	newcomer string // the client that was registered under way, "" if none was

	sent []string // secrets that went out, which no message repeats

	resource  *metadata.Resource // what the API says of itself, nil if it was not asked
	challenge Challenge
}

func (e *Exchanger) begin(hc *http.Client, op auth.Kind) *exchange {
	x := &exchange{Exchanger: e, op: op, wire: &wire{base: hc.Transport}}
	c := *hc
	c.Transport = x.wire
	if c.Timeout == 0 {
		c.Timeout = timeout // a login's context may have no deadline, and a socket be silent
	}
	x.hc = &c
	return x
}

// identifier is the resource parameter (RFC 8707): the API as it calls itself, "" if none is meant.
func (x *exchange) identifier(e extra) string {
	switch {
	case x.resource != nil:
		return x.resource.Resource
	case e.Resource != "":
		return e.Resource
	default:
		return x.c.Resource
	}
}
