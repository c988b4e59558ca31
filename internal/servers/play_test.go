package servers_test

import (
	"errors"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
)

// life is how long the servers' access tokens live. Most count whole seconds. Half of it is how long a busy machine may
// stand still without a session being lost that only what is valid renews.
const life = 6 * time.Second

// A play is one recipe at one server.
type play struct {
	recipe string // its name in docs/SERVERS.md
	server *server
	user   string // an account of its own
	me     string // the path of a protected page
	// rotates says that a refresh token which was traded ten lives ago is refused.
	rotates bool
	// margin is RefreshBefore, where only what is valid renews itself: the tokens of these plays live for a few whole
	// seconds, and so up to one less than they seem to.
	margin time.Duration
	// guests says that an expired token is no token to the server, which responds as it does to everybody.
	guests bool
	// idle plays with no requests at all, where each of them would keep the session alive.
	idle bool
	// keeps says that a logout ends nothing at the server: what was stolen before lives on there.
	keeps bool
}

func (p play) account() account { return account{name: p.user, password: "analytical engine"} }

// run plays the whole life of a session.
func (p play) run(t *testing.T, base string) {
	a := p.account()
	s := newStage(t, p, base)

	err := s.Login(t.Context(), s.recipe.credentials(account{name: p.user, password: "guessed"}))
	if re, ok := errors.AsType[*auth.Error](err); !ok || !re.Refused {
		t.Fatalf("a login with a wrong password: %v, want an *auth.Error that is refused", err)
	}
	s.login(a)
	first := s.session()
	s.staysLoggedIn(p.idle)
	if !p.guests {
		s.replaysStale()
	}
	if s.recipe.renews() {
		p.reuses(t, s, first)
		s.login(a)
	}
	p.logsOut(t, s)
	s.login(a)
	revoke(t, base, a)
	wantOver(t, s.Renew(t.Context()), "a refresh after the server revoked the session")
	<-time.After(time.Until(s.Status().Expires)) // until then, the server may take the token
	_, err = s.HTTPClient().Get(base + p.me)
	wantOver(t, err, "a request after that")
}

// reuses presents a credential that was traded long ago.
func (p play) reuses(t *testing.T, s *stage, spent auth.Session) {
	err := newStage(t, p, s.base).Resume(t.Context(), spent)
	if p.rotates {
		wantOver(t, err, "the first refresh token, presented again")
	} else if err != nil {
		t.Errorf("the first refresh token, presented again: %v, want success: this server does not rotate", err)
	}
	if err := s.Renew(t.Context()); err != nil {
		t.Errorf("the session, after one of its tokens was presented twice: %v, want success", err)
	}
}

// logsOut has the server refuse what a thief has of the session.
func (p play) logsOut(t *testing.T, s *stage) {
	if s.recipe.renews() { // so that none comes by itself between the next two lines
		if err := s.Renew(t.Context()); err != nil {
			t.Errorf("a renewal before the logout: %v", err)
		}
	}
	stolen := s.session()
	if err := s.Logout(t.Context()); err != nil {
		t.Fatalf("logout: %v", err)
	}
	if s.recipe.renews() {
		p.resumes(t, s, stolen)
	}
	if _, err := s.HTTPClient().Get(s.base + p.me); !errors.Is(err, silentrefresh.ErrNoSession) {
		t.Errorf("a request after the logout: %v, want ErrNoSession", err)
	}
}

func (p play) resumes(t *testing.T, s *stage, stolen auth.Session) {
	err := newStage(t, p, s.base).Resume(t.Context(), stolen)
	if p.keeps && err != nil {
		t.Errorf("a refresh after the logout: %v, want success: to this server a logout means nothing", err)
	}
	if !p.keeps {
		wantOver(t, err, "a refresh after the logout")
	}
}

func wantOver(t *testing.T, err error, what string) {
	t.Helper()
	if !errors.Is(err, silentrefresh.ErrSessionOver) {
		t.Errorf("%s: %v, want ErrSessionOver", what, err)
	}
}
