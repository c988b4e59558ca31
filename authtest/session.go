package authtest

import (
	"crypto/rand"
	"strconv"
	"time"
)

// A family is one login and all the tokens that came of it.
type family struct {
	number    int
	over      bool
	id        string
	account   string
	began     time.Time
	ends      time.Time
	refreshes int
	refresh   string   // the refresh token that is not spent
	chain     []string // all refresh tokens that are remembered, the oldest first
	access    string   // the latest access token
}

type refreshToken struct {
	family  *family
	next    string    // what it was exchanged for, "" while it is not spent
	spent   time.Time // when
	expires time.Time
}

type accessToken struct {
	family  *family
	issued  time.Time
	expires time.Time
	revoked bool
}

// A grant is what a login or a refresh gives. Its fields may be empty.
type grant struct {
	family          *family
	access, refresh string
}

// A refusal is why a credential is not accepted, in words that name no secret.
type refusal string

func (r refusal) Error() string { return string(r) }

const (
	noCredential   refusal = "no refresh token was sent"
	noAccessToken  refusal = "no access token was sent"
	unknownToken   refusal = "the token is unknown"
	expiredToken   refusal = "the token is expired"
	revokedToken   refusal = "the token is revoked"
	reusedToken    refusal = "the refresh token was used before: the session is ended"
	sessionIsOver  refusal = "the session is over"
	needsAccess    refusal = "the session's latest access token has to come along"
	unwantedAccess refusal = "an access token came along"
)

// All methods below need s.mu.

// begin starts a session.
func (s *Server) begin(c *Config, account string) *family {
	s.lastFamily++
	now := s.now()
	f := &family{
		number: s.lastFamily, id: "session-" + strconv.Itoa(s.lastFamily), account: account,
		began: now, ends: now.Add(c.RefreshTTL),
	}
	s.families[f.number] = f
	s.counters.Logins++
	if c.RefreshIn != InAccess {
		s.newRefreshToken(c, f)
	}
	return f
}

func (s *Server) newRefreshToken(c *Config, f *family) {
	now := s.now()
	f.refresh = "rt-" + rand.Text() + rand.Text()
	f.chain = append(f.chain, f.refresh)
	f.ends = now.Add(c.RefreshTTL)
	s.refresh[f.refresh] = &refreshToken{family: f, expires: f.ends}
	for len(f.chain) > 1 && s.refresh[f.chain[0]].expires.Before(now) {
		delete(s.refresh, f.chain[0])
		f.chain = f.chain[1:]
	}
}

// mint gives f a new access token. same gives it the present one anew.
func (s *Server) mint(c *Config, f *family, sub string, same bool) string {
	now := s.now()
	if !same || f.access == "" {
		f.access = s.newAccessToken(c, sub, f.id, now)
	}
	expires := now.Add(c.AccessTTL)
	s.access[f.access] = &accessToken{family: f, issued: now, expires: expires}
	if c.RefreshIn == InAccess {
		f.ends = expires
	}
	s.forgetAccess(now)
	return f.access
}

// forgetAccess drops what expired long ago, now and then.
func (s *Server) forgetAccess(now time.Time) {
	if len(s.access) < s.sweepAt {
		return
	}
	for token, a := range s.access {
		if a.expires.Before(now) && a.family.access != token {
			delete(s.access, token)
		}
	}
	s.sweepAt = 2*len(s.access) + 1000
}

// exchange exchanges a refresh token for the next one, and is where reuse is found out.
func (s *Server) exchange(c *Config, token string) (*family, error) {
	if token == "" {
		return nil, noCredential
	}
	r := s.refresh[token]
	if r == nil {
		return nil, unknownToken
	}
	now := s.now()
	switch {
	case r.family.over:
		return nil, sessionIsOver
	case r.next != "" && r.next == r.family.refresh && now.Sub(r.spent) < c.Grace:
		s.counters.GraceUses++
		return r.family, nil
	case r.next != "":
		s.counters.Reuses++
		s.end(r.family)
		return nil, reusedToken
	case !now.Before(r.expires):
		return nil, expiredToken
	}
	if c.Reusable {
		return r.family, nil
	}
	s.newRefreshToken(c, r.family)
	r.next, r.spent = r.family.refresh, now
	return r.family, nil
}

// check finds out whether an access token is valid.
func (s *Server) check(token string) (*accessToken, error) {
	a := s.access[token]
	switch {
	case token == "":
		return nil, noAccessToken
	case a == nil:
		return nil, unknownToken
	case a.family.over:
		return a, sessionIsOver
	case a.revoked:
		return a, revokedToken
	case !s.now().Before(a.expires):
		return a, expiredToken
	default:
		return a, nil
	}
}

// end ends a session: its refresh tokens and its access tokens are refused from now on.
func (s *Server) end(f *family) {
	f.over = true
	delete(s.families, f.number)
}
