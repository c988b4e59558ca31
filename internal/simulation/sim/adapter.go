package sim

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/endpoint"
)

// This file is all that knows the package under test by its names.

const (
	origin  = "https://api.test"
	foreign = "https://elsewhere.test"
)

// A client is the Client of a process.
type client struct {
	c    *silentrefresh.Client
	http *http.Client
}

// A credentials is what the simulation's own Exchanger logs in with.
type credentials struct {
	account  string
	byEngine bool
}

func newClient(p *process) (*client, error) {
	set := p.w.set
	cfg := silentrefresh.Config{
		BaseURL: origin + set.path[p.slot], Base: &network{p}, Exchanger: p.exchanger(), Endpoint: p.endpoint(),
		Timeout: set.timeout, MaxWait: set.maxWait, RefreshBefore: set.margin, MaxAge: set.maxAge, IdleTimeout: set.idle,
		MemoryOnly: set.memoryOnly && set.store,
		Observe:    p.observe, Logger: slog.New(&logger{p: p}),
	}
	if set.store {
		s, err := p.openStore()
		if err != nil {
			return nil, err
		}
		cfg.Store = s
	}
	if set.relogin {
		cfg.Credentials = p.credentials
	}
	switch {
	case set.lengthHeader:
		cfg.Attach.Header = "Content-Length"
	case set.xToken:
		cfg.Attach.Header = "X-Token"
	}
	if set.judge {
		cfg.Rejected = p.rejected
	}
	c, err := silentrefresh.New(cfg)
	if err != nil {
		return nil, err
	}
	return &client{c: c, http: c.HTTPClient()}, nil
}

// exchanger is the simulation's own Exchanger, or none where the engine's is to speak HTTP.
func (p *process) exchanger() auth.Exchanger {
	switch {
	case p.w.set.http:
		return nil
	case p.w.set.foresight:
		return &foresighted{exchanger{p}}
	}
	return &exchanger{p}
}

// endpoint says how the server is talked to over HTTP.
func (p *process) endpoint() (settings endpoint.Settings) {
	if p.w.set.http && !p.w.set.cookie {
		settings.Refresh.RefreshTokenField, settings.Logout.RefreshTokenField = "refresh_token", "refresh_token"
	}
	return settings
}

func (c *client) login(ctx context.Context, p *process, account string) error {
	return c.c.Login(ctx, p.loginWith(credentials{account: account}))
}

// loginWith is what the Exchanger takes for credentials.
func (p *process) loginWith(k credentials) any {
	if p.w.set.http {
		return map[string]string{"email": k.account, "password": strconv.FormatBool(k.byEngine)}
	}
	return k
}

func (c *client) resume(ctx context.Context, p *process, given issue) error {
	s := auth.Session{RefreshToken: auth.NewSecret(given.credential.id), Account: given.credential.family.account}
	if p.w.set.cookie {
		s.RefreshToken = auth.Secret{}
		s.Cookies = []auth.Cookie{{Name: "refresh_token", Value: auth.NewSecret(given.credential.id)}}
	}
	return c.c.Resume(ctx, s)
}

// token returns the token's id.
func (c *client) token(ctx context.Context) (string, silentrefresh.Token, error) {
	t, err := c.c.Token(ctx)
	return t.Value.Reveal(), t, err
}

// metadata returns the id of the token that gRPC would send to a URI.
func (c *client) metadata(ctx context.Context, uri string) (string, error) {
	m, err := c.c.PerRPC().GetRequestMetadata(ctx, uri)
	return strings.TrimPrefix(m["authorization"]+m["x-token"], "Bearer "), err
}

func (c *client) reject(t silentrefresh.Token)     { c.c.Reject(t) }
func (c *client) renew(ctx context.Context) error  { return c.c.Renew(ctx) }
func (c *client) logout(ctx context.Context) error { return c.c.Logout(ctx) }
func (c *client) close() error                     { return c.c.Close() }

// standing is what Status says.
func (c *client) standing() fact {
	s := c.c.Status()
	return fact{what: standing, text: string(s.State), account: s.Account, version: s.Version, count: s.Generation,
		ok: s.Saved, err: errorText(s.Err)}
}

func (c *client) status() { c.c.Status() }

// observe is the observer.
func (p *process) observe(ev silentrefresh.Event) {
	f := fact{who: p.n, what: observed, text: string(ev.Kind), account: ev.Account, count: ev.Generation, err: errorText(ev.Err)}
	var document struct {
		User struct{ Email string }
	}
	if p.w.set.document && ev.Response.Decode(&document) == nil {
		f.next = document.User.Email // whose document comes with it
	}
	p.w.tell(f)
	p.ambush("event")
	p.userCode("observer")
}

// exchanger is an Exchanger that is not the package's own.
type exchanger struct{ p *process }

// Exchange implements auth.Exchanger.
func (x *exchanger) Exchange(ctx context.Context, _ *http.Client, g auth.Grant) (auth.Session, error) {
	c := call{kind: string(g.Kind), credential: g.Old.RefreshToken.Reveal()}
	if k, ok := g.Credentials.(credentials); ok {
		c.account, c.byEngine = k.account, k.byEngine
	}
	o := x.p.exchange(ctx, c)
	s := o.session(x.p.w.set)
	if o.means == meansNothing && o.err == nil || o.means == meansBlank {
		return s, nil
	}
	if !o.reply.failing {
		s = auth.Session{}
	}
	return s, o.failure(g.Kind)
}

// A foresighted exchanger says whether anything will be able to renew a session.
type foresighted struct{ exchanger }

// CheckRenewable says what the plan says, else that something will.
func (x *foresighted) CheckRenewable(auth.Session) error {
	if x.p.userCode("renewable check") {
		return auth.ErrNotRenewable
	}
	return nil
}

func (o *outcome) session(set settings) auth.Session {
	if o.given.credential == nil {
		return auth.Session{}
	}
	account := o.given.credential.family.account
	s := auth.Session{RefreshToken: auth.NewSecret(o.given.credential.id), Subject: account, Account: account}
	if set.document {
		s.Response = auth.NewResponse([]byte(`{"user":{"email":` + strconv.Quote(account) + `}}`))
	}
	t := o.given.token
	if t == nil || o.reply.failing {
		return s
	}
	s.AccessToken, s.Issued = auth.NewSecret(t.id), o.sent
	if in := o.reply.lifetime(t); in != "" {
		seconds, _ := strconv.Atoi(in)
		s.Expires = o.sent.Add(time.Duration(seconds) * time.Second)
	}
	return s
}

// failure is the outcome as an Exchanger says it.
func (o *outcome) failure(kind auth.Kind) error {
	re := &auth.Error{Op: kind, Status: o.reply.status, Err: o.err}
	switch o.means {
	case meansUnsent:
		re.Unsent = true
		if o.reply.later {
			re.Until = time.Now().Add(retryAfter)
		}
	case meansUnknown:
		re.MaybeSpent = true
	case meansRefused:
		re.Refused = true
	default:
		return errFailed
	}
	return re
}
