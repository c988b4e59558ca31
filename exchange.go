package silentrefresh

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/bearer"
	"github.com/silentrefresh/silentrefresh/internal/lifetime"
	"github.com/silentrefresh/silentrefresh/internal/origin"
	"github.com/silentrefresh/silentrefresh/internal/pace"
	"github.com/silentrefresh/silentrefresh/internal/record"
	"github.com/silentrefresh/silentrefresh/internal/wall"
)

// exchange makes one exchange that is a caller's, or a logout. Nobody waits for it longer than Timeout, except for a
// login that may wait for a person. A login that comes after that is revoked, since nobody has it.
func (s *shared) exchange(ctx context.Context, g auth.Grant) (auth.Session, error) {
	if g.Kind != auth.KindLogin || !s.interactive() { // a person takes as long as the caller's ctx allows
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.cfg.Timeout)
		defer cancel()
	}
	session, err := guarded(ctx, "the Exchanger", func() (auth.Session, error) { return s.call(ctx, g) }, func(late auth.Session, err error) {
		if err == nil && g.Kind == auth.KindLogin {
			_ = s.revoke(context.Background(), late)
		}
	})
	if err != nil {
		err = asError(g.Kind, err)
	}
	return session, err
}

// call calls the Exchanger. Together with an error comes what renews the session, which may have been rotated before
// things went wrong.
func (s *shared) call(ctx context.Context, g auth.Grant) (session auth.Session, err error) {
	jar := auth.NewJar(g.Old.Cookies...)
	hc := &http.Client{Transport: jar.Transport(s.auth), Jar: jar, CheckRedirect: origin.SameOriginRedirects}
	sent := time.Now()
	err = shielded("the Exchanger", func() (err error) {
		session, err = s.cfg.Exchanger.Exchange(ctx, hc, g)
		return err
	})
	session.Cookies = jar.All()
	session.Expires = believed(session.Expires, sent)
	if session.Issued.IsZero() || !session.Expires.IsZero() && !session.Expires.After(sent) {
		session.Issued = sent // what has just come is good for a moment, whatever it says
	}
	if err == nil && !session.AccessToken.IsZero() {
		err = s.checkSyntax(session.AccessToken.Reveal())
	}
	if err == nil && g.Kind == auth.KindRefresh && !record.SameAccount(withoutAccount(session), withoutAccount(g.Old)) {
		err = &auth.Error{Op: g.Kind, Refused: true, Err: errors.New("the response is for another account; the token was not taken")}
	}
	if err != nil {
		session.AccessToken = auth.Secret{}
		failure := asError(g.Kind, err)
		failure.At = wall.Now()
		return session, failure
	}
	return session, nil
}

// believed is the end of a token that came at the time now: at most the longest lifetime that is believed later.
func believed(end, now time.Time) time.Time {
	if latest := now.Add(lifetime.Longest); end.After(latest) {
		return latest
	}
	return end
}

// withoutAccount leaves only Subject to compare: what people call an account may change.
func withoutAccount(s auth.Session) auth.Session { return auth.Session{Subject: s.Subject} }

// A refreshCall is the exchange of one record. It may outlive the flight that made it: the next flight waits for it
// instead of spending the credential once more.
type refreshCall struct {
	login   string
	version uint64
	told    atomic.Bool // somebody waits for what comes late
	guardedCall[auth.Session]
}

// of reports whether the call exchanges r. A nil call exchanges nothing.
func (p *refreshCall) of(r *record.Record) bool {
	return p != nil && p.login == r.Login && p.version == r.Version
}

// refreshCall exchanges r, or waits for the exchange of r that is still under way.
func (c *Client) refreshCall(ctx context.Context, r *record.Record, epoch uint64) (auth.Session, error) {
	p := c.pending.Load()
	if !p.of(r) {
		c.notesExchange()
		p = c.startRefresh(ctx, r)
		c.pending.Store(p)
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	if !p.wait(ctx) {
		if p.told.CompareAndSwap(false, true) {
			go c.takeLate(p, epoch)
		}
		return auth.Session{Cookies: r.Session.Cookies}, &auth.Error{Op: auth.KindRefresh, MaybeSpent: true, At: wall.Now(),
			Err: fmt.Errorf("the Exchanger: %w, after %s (Config.Timeout)", errAbandoned, c.cfg.Timeout)}
	}
	c.pending.CompareAndSwap(p, nil)
	return p.value, p.err
}

// takeLate waits for a call that nobody waits for any more. What it brings is taken if it is still wanted, and revoked if
// there was a Logout meanwhile.
func (c *Client) takeLate(p *refreshCall, epoch uint64) {
	<-p.done
	switch st := c.state.Load(); {
	case c.pending.Load() != p:
	case st.epoch == epoch:
		c.hurry(p.login)
		_ = c.renew(context.Background(), st.generation, TriggerTimer) // also where the session is idle, and its timer stands still
	case p.err == nil && c.loggedOutSince(epoch):
		_ = c.revoke(context.Background(), p.value)
	}
}

func (s *shared) startRefresh(ctx context.Context, r *record.Record) *refreshCall {
	p := &refreshCall{login: r.Login, version: r.Version}
	p.what, p.done = "the Exchanger", make(chan struct{})
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	go func() {
		defer cancel()
		p.run(func() (auth.Session, error) {
			return s.call(ctx, auth.Grant{Kind: auth.KindRefresh, Old: r.Session})
		})
	}()
	return p
}

// asError is a copy of the *auth.Error in err, or one around err that says nothing more. URLs, which may carry secrets
// in their query, stay out.
func asError(op auth.Kind, err error) *auth.Error {
	if e, ok := errors.AsType[*auth.Error](err); ok {
		out := *e
		out.Op = cmp.Or(out.Op, op)
		return &out
	}
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err
	}
	e := &auth.Error{Op: op, Err: err}
	var dial *net.OpError
	switch {
	case errors.As(err, &dial) && dial.Op == "dial":
		e.Unsent = true
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, errAbandoned):
		e.MaybeSpent = true
	}
	return e
}

// interactive reports whether a login may wait for a person.
func (s *shared) interactive() (yes bool) {
	x, ok := s.cfg.Exchanger.(auth.InteractiveExchanger)
	if !ok {
		return false
	}
	_ = shielded("the Exchanger", func() error { yes = x.Interactive(); return nil })
	return yes
}

// checkToken reports why a token that did not come from an exchange is not taken.
func (s *shared) checkToken(token string) error {
	if err := s.checkSyntax(token); err != nil {
		return err
	}
	x, ok := s.cfg.Exchanger.(auth.TokenChecker)
	if !ok {
		return nil
	}
	return shielded("the check of the token", func() error { return x.CheckToken(auth.NewSecret(token)) })
}

// subjectOf is what identifies the account of a token that did not come from an exchange, "" if that is unknown.
func (s *shared) subjectOf(token string) (subject string) {
	x, ok := s.cfg.Exchanger.(auth.SubjectReader)
	if !ok {
		return bearer.Parse(token).Subject()
	}
	_ = shielded("the Exchanger", func() error { subject = x.ReadSubject(auth.NewSecret(token)); return nil })
	return subject
}

// checkSyntax reports why no header can carry the token. A cookie carries more than a header of its own does.
func (s *shared) checkSyntax(token string) error {
	if s.tokenCookie != "" {
		return nil
	}
	return bearer.Check(token)
}

// deadEnd says why nothing will renew a session, nil if something will. What cannot be found out is taken for that.
func (s *shared) deadEnd(held auth.Session) error {
	x, ok := s.cfg.Exchanger.(auth.RenewalChecker)
	if !ok {
		return nil
	}
	if held.Expires.IsZero() && s.cfg.MaxAge > 0 {
		held.Expires = held.Issued.Add(s.cfg.MaxAge) // somebody knows
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.Timeout)
	defer cancel()
	why, err := guarded(ctx, "CheckRenewable", func() (error, error) { return x.CheckRenewable(held), nil }, nil)
	if err != nil {
		return nil
	}
	return why
}

// credentials asks for what logs in again without a person.
func (s *shared) credentials(ctx context.Context) (any, error) {
	credentials, err := guarded(ctx, "Credentials", func() (any, error) { return s.cfg.Credentials(ctx) }, nil)
	if err == nil {
		return credentials, nil
	}
	if refused, ok := errors.AsType[*auth.Error](err); ok && refused.Refused {
		return nil, &auth.Error{Op: auth.KindLogin, Refused: true, Err: refused.Err, Hint: refused.Hint}
	}
	if !transient(err) {
		err = errors.New(err.Error()) // the end of another Client's session is not the end of this one
	}
	return nil, &auth.Error{Op: auth.KindLogin, Unsent: true, Err: fmt.Errorf("Credentials: %w", err)}
}

// mayLogIn reports whether Credentials may begin a new session after st.
func (s *shared) mayLogIn(st *state) bool {
	return s.cfg.Credentials != nil && !st.closed() && !st.final
}

// definite reports whether a failure ends the session. One that may come from something in between has to repeat for
// ten minutes.
func (s *session) definite(failure *auth.Error) bool {
	if errors.Is(failure, auth.ErrNotRenewable) {
		failure.Refused = true
	}
	if failure.Doubtful {
		failure.Refused = failure.Refused || s.confirmed(failure)
	}
	return failure.Refused
}

// revoke tells the auth server that a session has ended.
func (s *shared) revoke(ctx context.Context, held auth.Session) error {
	_, err := s.exchange(ctx, auth.Grant{Kind: auth.KindLogout, Old: held})
	if err == nil {
		return nil
	}
	failure := asError(auth.KindLogout, err)
	if failure.Hint == "" {
		failure.Hint = "the session is gone here, but the auth server may not know"
	}
	return failure
}

func (s *shared) revokeAll(ctx context.Context, records []*record.Record) error {
	var errs []error
	for _, r := range records {
		errs = append(errs, s.revoke(ctx, s.alive(ctx, r.Session)))
	}
	return errors.Join(errs...)
}

// alive is a session that can be revoked: one whose token has ended is refreshed once, where the logout presents it.
func (s *shared) alive(ctx context.Context, held auth.Session) auth.Session {
	x, ok := s.cfg.Exchanger.(auth.LogoutTokenUser)
	if !ok || held.Expires.IsZero() || time.Now().Before(held.Expires) {
		return held
	}
	needed := false
	_ = shielded("the Exchanger", func() error { needed = x.LogoutNeedsAccessToken(); return nil })
	if !needed {
		return held
	}
	next, err := s.exchange(ctx, auth.Grant{Kind: auth.KindRefresh, Old: held})
	if err != nil {
		return held // the logout says what it could not do
	}
	return next.CarryForward(held)
}

// brought completes a session that the caller brings.
func (s *shared) brought(held auth.Session) (auth.Session, error) {
	if held.AccessToken.IsZero() && held.RefreshToken.IsZero() && len(held.Cookies) == 0 && held.Extra.IsZero() {
		return held, errors.New("silentrefresh: the session to resume is empty; bring a refresh token, a cookie or an access token")
	}
	if token := held.AccessToken.Reveal(); token != "" {
		if err := s.checkToken(token); err != nil {
			return held, fmt.Errorf("silentrefresh: the access token to resume with was not taken: %w", err)
		}
		held.Subject = cmp.Or(held.Subject, s.subjectOf(token))
	}
	cookies := make([]auth.Cookie, len(held.Cookies))
	for i, cookie := range held.Cookies {
		cookies[i] = cookie.At(s.baseURL)
	}
	held.Cookies = auth.NewJar(cookies...).All()
	now := time.Now()
	if held.Expires.IsZero() {
		held.Expires = bearer.Expiry(held.AccessToken.Reveal(), now)
	}
	held.Expires = believed(held.Expires, now)
	switch ended := !held.Expires.IsZero() && !held.Expires.After(now); {
	case held.Issued.IsZero() && ended:
		held.Issued = held.Expires.Add(-pace.ShortestLife) // it is not good for a moment more
	case held.Issued.IsZero():
		held.Issued = now
	}
	return s.timeouts.LoggedIn(held), nil
}
