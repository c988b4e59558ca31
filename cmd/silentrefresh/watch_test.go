package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/authtest"
)

// TestTimeline: the lines are aligned, whatever happens.
func TestTimeline(t *testing.T) {
	at := time.Date(2026, 11, 24, 12, 0, 4, 0, time.Local)
	soon := time.Now().Add(time.Minute)
	refused := &auth.Error{Op: auth.KindRefresh, Path: "/auth/refresh", Status: 401, Code: "invalid_grant", Refused: true, At: at}
	for want, ev := range map[string]silentrefresh.Event{
		"12:00:04  renewed   gen 41  212 ms  next #:#:#":                           {Kind: silentrefresh.EventRenewed, Generation: 41, Took: 212 * time.Millisecond, Next: soon},
		"12:00:04  adopted   gen 43  from another process, no network  next #:#:#": {Kind: silentrefresh.EventAdopted, Generation: 43, Next: soon},
		"12:00:04  retrying  503     try 2 at #:#:#; token good until #:#:#": {Kind: silentrefresh.EventRetrying, Attempt: 1, Next: soon, Expires: soon,
			Err: &auth.Error{Status: 503}},
		"12:00:04  retrying  unsent  try 3 at #:#:#; the token has ended": {Kind: silentrefresh.EventRetrying, Attempt: 2, Next: soon, Expires: at.AddDate(-1, 0, 0),
			Err: &auth.Error{Unsent: true}},
		"12:00:04  retrying  lost    try 2 at #:#:#; no token": {Kind: silentrefresh.EventRetrying, Attempt: 1, Next: soon,
			Err: &auth.Error{MaybeSpent: true}},
		"12:00:04  resumed   gen 1   ada@example.com  no renewal scheduled":                       {Kind: silentrefresh.EventResumed, Generation: 1, Account: "ada@example.com"},
		"12:00:04  unchanged gen 2   the server gave no newer token yet  next #:#:#":              {Kind: silentrefresh.EventUnchanged, Generation: 2, Next: soon},
		"12:00:04  rejected  gen 2   the API refused the token":                                   {Kind: silentrefresh.EventRejected, Generation: 2},
		"12:00:04  over              /auth/refresh returned 401 invalid_grant at #; log in again": {Kind: silentrefresh.EventOver, Err: refused},
		"12:00:04  warning           look at this":                                                {Kind: silentrefresh.EventWarning, Err: errors.New("silentrefresh: look at this")},
		"12:00:04  saved            ":                                                             {Kind: silentrefresh.EventSaved},
	} {
		ev.Time = at
		if got := timeline(ev); !like(strings.TrimRight(got, " "), strings.TrimRight(want, " ")) {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}

// TestWatch sees a session's life, what other processes do included.
func TestWatch(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{AccessTTL: 2 * time.Second})
	r := b.start("watch")
	r.line("resumed   gen 1   ada@example.com  next ")
	r.line("renewed   gen ")
	s.Down(authtest.Unavailable)
	r.line("retrying  503     try 2 at ")
	s.Up()
	r.line("renewed   gen ")
	b.ok("token", "--min-ttl", "1h")
	s.EndSessions()
	r.line("over              /auth/refresh returned 401 invalid_grant at ")
	b.ok("login", "-d", credentials)
	r.line("resumed   gen ")
	if code := r.stop(); code != terminated {
		t.Errorf("ended with %d: %s", code, r.err)
	}
	if n := s.Counters(); n.Reuses != 0 || n.ConcurrentRefreshes != 1 {
		t.Errorf("%+v", n)
	}
}

// TestWatchAdopts what another process has renewed.
func TestWatchAdopts(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{AccessTTL: 6 * time.Second})
	if got := b.ok("watch", "-h"); !strings.Contains(got, "What other processes do is shown when this one looks") {
		t.Errorf("the help does not say when: %s", got)
	}
	r := b.start("watch")
	r.line("renewed   gen 2 ") // the first is early; the next is not due for over four seconds
	s.RevokeAccess()
	b.ok("request", "/me")
	r.line("adopted   gen 3   from another process, no network  next ")
	r.stop()
}

// TestWatchSeesALogout elsewhere when it next needs a token, and the login after it.
func TestWatchSeesALogout(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{AccessTTL: 2 * time.Second})
	r := b.start("watch")
	r.line("resumed")
	b.ok("logout")
	r.line("another process has logged out; log in again")
	b.ok("login", "--base", s.URL(), "-d", credentials)
	r.line("resumed")
	r.stop()
}
