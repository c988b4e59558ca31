package silentrefresh

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/bearer"
	"github.com/silentrefresh/silentrefresh/internal/pace"
)

// takeFrom takes out of an API response what belongs to the session: a newer token handed out in a header, and the
// cookies of a session whose token is one.
func (c *Client) takeFrom(resp *http.Response, st *state) {
	if name := c.cfg.HandOutHeader; name != "" && resp.StatusCode/100 == 2 {
		if token := resp.Header.Get(name); token != "" {
			c.handOut(st, bearer.WithoutScheme(token, c.cfg.Attach.SchemeName()))
		}
	}
	if st.jar != nil && len(resp.Header["Set-Cookie"]) > 0 {
		c.takeCookies(st, resp)
	}
}

// handOut publishes a token that an API response brought, unless anything has changed since the request was sent: an
// response that comes late must not replace what is newer.
func (c *Client) handOut(st *state, token string) {
	old := st.session()
	now := time.Now()
	expires := bearer.Expiry(token, now)
	claims := bearer.Parse(token)
	if expires.IsZero() && claims == nil && !old.Expires.IsZero() {
		expires = now.Add(old.Expires.Sub(old.Issued)) // opaque: as long as the one before
	}
	if err := c.tokenFault(token); err != nil {
		c.warn(fmt.Errorf("an API response handed out a token that was not taken: %w", err))
		return
	}
	switch {
	case old.AccessToken.Equal(auth.NewSecret(token)):
		// it does not live longer for being repeated
	case old.Subject != "" && claims.Subject() != "" && claims.Subject() != old.Subject:
		c.warn(errors.New("an API response handed out a token for another account; it was not taken"))
	case !old.Expires.IsZero() && !expires.After(old.Expires):
		// not newer
	case c.change(st, func(s *auth.Session) bool {
		s.AccessToken, s.Issued, s.Expires = auth.NewSecret(token), now, expires
		return true
	}):
		c.tell(Event{Kind: EventHandedOut})
	}
}

// takeCookies takes the cookies of an API response into the session's jar. A new value of the cookie that is the
// access token counts as a token that was handed out.
func (c *Client) takeCookies(st *state, resp *http.Response) {
	taken := c.change(st, func(s *auth.Session) bool {
		jar := auth.NewJar(s.Cookies...)
		jar.SetCookies(resp.Request.URL, resp.Cookies())
		s.Cookies = jar.All()
		cookie, ok := jar.Find(resp.Request.URL, c.tokenCookie)
		if !ok || cookie.Value.IsZero() || cookie.Value.Equal(s.AccessToken) || c.tokenFault(cookie.Value.Reveal()) != nil {
			return false
		}
		s.AccessToken, s.Issued, s.Expires = cookie.Value, time.Now(), cookie.Expires
		if end := bearer.Expiry(cookie.Value.Reveal(), s.Issued); !end.IsZero() {
			s.Expires = end
		}
		return true
	})
	if taken {
		c.tell(Event{Kind: EventHandedOut})
	}
}

// change lets edit change the session, if st is still the present generation and epoch. edit says whether there is
// a new token; change reports whether that was published. The Store is told later: no request waits for that.
func (c *Client) change(st *state, edit func(*auth.Session) bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.state.Load()
	if now.err != nil || now.generation != st.generation || now.epoch != st.epoch {
		return false
	}
	s := now.record.Session
	renewed := edit(&s)
	if !renewed && sameCookies(s.Cookies, now.record.Session.Cookies) {
		return false
	}
	r := now.record.With(s)
	r.Version = now.record.Version // no exchange: what another process exchanges meanwhile comes after it
	r.Spending = now.record.Spending
	r.Handed = c.book.unsaved == nil || now.record.Handed
	next := c.stateOf(now, r, time.Now())
	if renewed {
		c.book.wide = 0 // requests are what hands out tokens, and they do not come all at once
		c.schedule(next)
	} else {
		next.generation, next.rejected, next.renewAt = now.generation, now.rejected, now.renewAt
	}
	c.swap(next)
	if c.cfg.Store != nil {
		c.book.unsaved, c.book.unsaveds = r, 0
		if c.book.saveDue.IsZero() { // one save for what comes within a moment
			c.book.saveDue = time.Now().Add(pace.Floor)
		}
		c.arm()
	}
	return renewed
}

// attachCookies sets the session's cookies as a browser would. Those of the same names that the caller's own jar
// has put there go, so that no server sees two.
func (c *Client) attachCookies(out *http.Request, st *state) {
	ours := st.jar.Cookies(out.URL)
	if token := c.tokenCookie; token != "" && !c.cfg.Attach.Cookies {
		ours = slices.DeleteFunc(ours, func(k *http.Cookie) bool { return k.Name != token && !c.cookies.SendsCookie(k.Name) })
	}
	var kept []string
	for _, line := range out.Header["Cookie"] {
		for pair := range strings.SplitSeq(line, ";") {
			name, _, _ := strings.Cut(strings.TrimSpace(pair), "=")
			if name != "" && !slices.ContainsFunc(st.session().Cookies, func(k auth.Cookie) bool { return k.Name == name }) {
				kept = append(kept, strings.TrimSpace(pair))
			}
		}
	}
	delete(out.Header, "Cookie")
	if len(kept) > 0 {
		out.Header["Cookie"] = []string{strings.Join(kept, "; ")}
	}
	for _, k := range ours {
		out.AddCookie(k)
	}
	if c.tokenCookie != "" && !safeMethod(out.Method) {
		if name, value := c.cookies.CSRFHeader(st.jar, out.URL, st.session()); value != "" && out.Header.Get(name) == "" {
			out.Header.Set(name, value)
		}
	}
}

// safeMethod reports whether a method changes nothing (RFC 9110 section 9.2.1), so that no CSRF token is asked for.
func safeMethod(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}
