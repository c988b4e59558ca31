package silentrefresh

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/bearer"
	"github.com/silentrefresh/silentrefresh/internal/origin"
	"github.com/silentrefresh/silentrefresh/internal/record"
	"github.com/silentrefresh/silentrefresh/internal/wall"
)

// exchange runs one exchange with the cookies in jar, which then holds the session's next ones.
func (c *Client) exchange(ctx context.Context, g auth.Grant, jar *auth.Jar) (auth.Session, error) {
	if g.Kind != auth.KindLogin || !c.interactive() { // a person takes as long as the caller's ctx allows
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.cfg.Timeout)
		defer cancel()
	}
	hc := &http.Client{Transport: c.auth, Jar: jar, CheckRedirect: origin.SameOriginRedirects}
	sent := time.Now()
	s, err := c.cfg.Exchanger.Exchange(ctx, hc, g)
	s.Cookies = jar.All()
	if s.Issued.IsZero() || !s.Expires.IsZero() && !s.Expires.After(sent) {
		s.Issued = sent // what has just come is good for a moment, whatever it says
	}
	if err == nil && !s.AccessToken.IsZero() {
		err = bearer.Check(s.AccessToken.Reveal())
	}
	if err == nil && g.Kind == auth.KindRefresh && !record.SameAccount(withoutAccount(s), withoutAccount(g.Old)) {
		err = errors.New("the response is for another account; the token was not taken")
	}
	if err != nil {
		s.AccessToken = auth.Secret{}
		re := asRefreshError(g.Kind, err)
		re.At = wall.Now()
		return s, re
	}
	return s, nil
}

// withoutAccount leaves only Subject to compare: what people call an account may change.
func withoutAccount(s auth.Session) auth.Session { return auth.Session{Subject: s.Subject} }

// asRefreshError is a copy of the *RefreshError in err, or one around err that says nothing more. URLs, which may
// carry secrets in their query, stay out.
func asRefreshError(op auth.Kind, err error) *auth.Error {
	if re, ok := errors.AsType[*auth.Error](err); ok {
		out := *re
		out.Op = cmp.Or(out.Op, op)
		return &out
	}
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err
	}
	re := &auth.Error{Op: op, Err: err}
	var dial *net.OpError
	switch {
	case errors.As(err, &dial) && dial.Op == "dial":
		re.Unsent = true
	case errors.Is(err, context.DeadlineExceeded):
		re.MaybeSpent = true
	}
	return re
}

// tokenFault reports why a token that did not come from an exchange is not taken.
func (c *Client) tokenFault(token string) error {
	if err := bearer.Check(token); err != nil {
		return err
	}
	if x, ok := c.cfg.Exchanger.(auth.TokenChecker); ok {
		return x.CheckToken(auth.NewSecret(token))
	}
	return nil
}

// interactive reports whether a login may wait for a person.
func (c *Client) interactive() bool {
	x, ok := c.cfg.Exchanger.(auth.InteractiveExchanger)
	return ok && x.Interactive()
}

// errBusy ends a flight that nobody waits for, because as many exchanges run as may.
var errBusy = errors.New("silentrefresh: as many exchanges are running as MaxExchanges allows")

// slot waits until one more exchange may run; where nobody waits for it, it does not wait either.
func (c *Client) slot(ctx context.Context) (release func(), err error) {
	if c.slots == nil {
		return func() {}, nil
	}
	release = func() { <-c.slots }
	select {
	case c.slots <- struct{}{}:
		return release, nil
	default:
	}
	if !auth.Foreground(ctx) {
		return nil, errBusy
	}
	select {
	case c.slots <- struct{}{}:
		return release, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// definite reports whether re ends the session. A 403 that may come from something in between has to repeat.
func (c *Client) definite(re *auth.Error) bool {
	if errors.Is(re, auth.ErrNotRenewable) {
		re.Refused = true
	}
	if re.Doubtful {
		c.mu.Lock()
		re.Refused = re.Refused || c.book.doubt
		c.mu.Unlock()
	}
	return re.Refused
}

// remember keeps r, which differs from the present record only in what renews it.
func (c *Client) remember(r *record.Record, epoch uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.state.Load()
	if old.epoch != epoch || old.err != nil || old.record == nil || old.record.Login != r.Login {
		return
	}
	had := old.record.Session
	kept := *r
	kept.Session.AccessToken, kept.Session.Issued, kept.Session.Expires = had.AccessToken, had.Issued, had.Expires
	st := *old
	st.record = &kept
	c.state.Store(&st)
}

// revoke tells the auth server that s has ended.
func (c *Client) revoke(ctx context.Context, s auth.Session) error {
	err := guard(func() error {
		_, err := c.exchange(ctx, auth.Grant{Kind: auth.KindLogout, Old: s}, auth.NewJar(s.Cookies...))
		return err
	})
	if err == nil {
		return nil
	}
	re := asRefreshError(auth.KindLogout, err)
	if re.Hint == "" {
		re.Hint = "the session is gone here, but the auth server may not know"
	}
	return re
}

func (c *Client) revokeAll(ctx context.Context, records []*record.Record) error {
	var errs []error
	for _, r := range records {
		errs = append(errs, c.revoke(ctx, r.Session))
	}
	return errors.Join(errs...)
}

// brought completes a session that the caller brings.
func (c *Client) brought(s auth.Session) (auth.Session, error) {
	if s.AccessToken.IsZero() && s.RefreshToken.IsZero() && len(s.Cookies) == 0 && s.Extra.IsZero() {
		return s, errors.New("silentrefresh: the session to resume is empty; bring a refresh token, a cookie or an access token")
	}
	if token := s.AccessToken.Reveal(); token != "" {
		if err := c.tokenFault(token); err != nil {
			return s, fmt.Errorf("silentrefresh: the access token to resume with was not taken: %w", err)
		}
		s.Subject = cmp.Or(s.Subject, bearer.Parse(token).Subject())
	}
	cookies := make([]auth.Cookie, len(s.Cookies))
	for i, cookie := range s.Cookies {
		cookies[i] = cookie.At(c.baseURL)
	}
	s.Cookies = auth.NewJar(cookies...).All()
	now := time.Now()
	if s.Issued.IsZero() {
		s.Issued = now
	}
	if s.Expires.IsZero() {
		s.Expires = bearer.Expiry(s.AccessToken.Reveal(), now)
	}
	return s, nil
}

// renewable says why nothing will renew s, nil if something will.
func (c *Client) renewable(s auth.Session) error {
	if x, ok := c.cfg.Exchanger.(auth.RenewalChecker); ok {
		return x.CheckRenewable(s)
	}
	return nil
}

// tellRenewable warns right after a login of what would otherwise be noticed at the first expiry.
func (c *Client) tellRenewable() {
	if err := c.state.Load().renewable; err != nil && c.cfg.Credentials == nil {
		c.tell(Event{Kind: EventNotRenewable, Err: err})
	}
}

// mayLogIn reports whether Credentials may begin a new session after st.
func (c *Client) mayLogIn(st *state) bool {
	return c.cfg.Credentials != nil && !st.closed() && !st.final
}

// sameCredential reports whether a and b are renewed by the same thing.
func sameCredential(a, b auth.Session) bool {
	return a.RefreshToken.Equal(b.RefreshToken) && sameCookies(a.Cookies, b.Cookies)
}

func sameCookies(a, b []auth.Cookie) bool {
	return slices.EqualFunc(a, b, func(a, b auth.Cookie) bool {
		return a.Name == b.Name && a.Domain == b.Domain && a.Path == b.Path && a.Value.Equal(b.Value)
	})
}
