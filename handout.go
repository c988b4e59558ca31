package silentrefresh

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/bearer"
	"github.com/silentrefresh/silentrefresh/internal/wall"
)

// takeFrom takes out of an API response what belongs to the session: a newer token handed out in a header, the
// cookies of a session whose token is one, and that a session that ends when it is idle has been used.
func (t *transport) takeFrom(resp *http.Response, st *state) {
	c := t.client
	if c.timeouts.Idle > 0 {
		c.used.Store(wall.Of(time.Now()))
	}
	if name := c.cfg.HandOutHeader; name != "" && resp.StatusCode/100 == 2 {
		if token := resp.Header.Get(name); token != "" {
			t.handOut(st, bearer.WithoutScheme(token, c.cfg.Attach.SchemeName()))
		}
	}
	if st.jar != nil && len(resp.Header["Set-Cookie"]) > 0 {
		t.takeCookies(st, resp)
	}
}

// handOut publishes a token that an API response brought, unless anything has changed since the request was sent: a
// response that comes late must not replace what is newer.
func (t *transport) handOut(st *state, token string) {
	c, old := t.client, st.session()
	now := time.Now()
	expires := bearer.Expiry(token, now)
	if expires.IsZero() && bearer.Parse(token) == nil && !old.Expires.IsZero() {
		expires = now.Add(old.Expires.Sub(old.Issued)) // opaque: as long as the one before
	}
	if err := c.checkToken(token); err != nil {
		c.warn(fmt.Errorf("an API response handed out a token that was not taken: %w", err))
		return
	}
	subject := c.subjectOf(token)
	switch {
	case old.AccessToken.Equal(auth.NewSecret(token)):
		// it does not live longer for being repeated
	case old.Subject != "" && subject != "" && subject != old.Subject:
		c.warn(errors.New("an API response handed out a token for another account; it was not taken"))
	case !old.Expires.IsZero() && !expires.After(old.Expires):
		// not newer
	default:
		c.change(st, func(s *auth.Session) bool {
			s.AccessToken, s.Issued, s.Expires = auth.NewSecret(token), now, expires
			return true
		})
	}
}

// change lets edit change the session, if st is still the present generation and epoch. edit says whether there is
// a new token. It may be called more than once.
func (c *Client) change(st *state, edit func(*auth.Session) (renewed bool)) {
	for {
		present := c.state.Load()
		if present.err != nil || present.generation != st.generation || present.epoch != st.epoch {
			return
		}
		s := present.record.Session
		renewed := edit(&s)
		if !renewed && !movedOn(present.record.Session, s, time.Now()) {
			return
		}
		r := present.record.With(s)
		r.Version = present.record.Version // no exchange: what another process exchanges meanwhile comes after it
		r.Spending, r.Replaces = present.record.Spending, present.record.Replaces
		if c.replace(present, c.stateOf(r, time.Now()), renewed) {
			return
		}
	}
}
