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

// TestEventLines: the lines are aligned, whatever happens.
func TestEventLines(t *testing.T) {
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
		"12:00:04  rejected  gen 2   the API rejected the token":                                  {Kind: silentrefresh.EventRejected, Generation: 2},
		"12:00:04  over              /auth/refresh returned 401 invalid_grant at #; log in again": {Kind: silentrefresh.EventOver, Err: refused},
		"12:00:04  warning           look at this":                                                {Kind: silentrefresh.EventWarning, Err: errors.New("silentrefresh: look at this")},
		"12:00:04  saved            ":                                                             {Kind: silentrefresh.EventSaved},
	} {
		ev.Time = at
		if got := eventLine(ev); !like(strings.TrimRight(got, " "), strings.TrimRight(want, " ")) {
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

// TestF104_WatchFollowsTheRecord: what other processes do is seen and said at once, though nothing is due for long, and
// without a request of its own.
func TestF104_WatchFollowsTheRecord(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{AccessTTL: time.Hour})
	r := b.start("watch")
	r.line("resumed   gen 1 ")
	s.RevokeAccess()
	b.ok("request", "/me")
	r.line("adopted   gen 2   from another process, no network  next ")
	b.ok("login", "-d", credentials)
	r.line("adopted   gen 3   from another process, no network  next ")
	b.ok("logout")
	r.line("over              another process has logged out; log in again")
	b.ok("login", "--base", s.URL(), "-d", credentials)
	r.line("resumed   gen 4   ada@example.com  next ")
	if code := r.stop(); code != terminated {
		t.Errorf("ended with %d: %s", code, r.err)
	}
	if n := s.Counters(); n.RefreshCalls != 1 || n.Refreshes != 1 {
		t.Errorf("watch has asked the server itself: %+v", n)
	}
}

// TestF104_WatchSeesTheEndElsewhere: what another process was told of the session's end is said here, too.
func TestF104_WatchSeesTheEndElsewhere(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{AccessTTL: time.Hour})
	r := b.start("watch")
	r.line("resumed   gen 1 ")
	s.EndSessions()
	if ended := b.run("request", "/me"); ended.code != exitLogin {
		t.Errorf("the other process ended with %+v", ended)
	}
	r.line("/auth/refresh returned 401 invalid_grant; the token is used until it ends")
	r.stop()
	if n := s.Counters(); n.RefreshCalls != 1 {
		t.Errorf("watch has asked the server itself: %+v", n)
	}
}

// TestF104_WhatIsForeign: a record that this process has made, or cannot read, is no other process's doing.
func TestF104_WhatIsForeign(t *testing.T) {
	now := time.Now()
	ours := silentrefresh.Status{State: silentrefresh.StateLoggedIn, Saved: true, Version: 4, Account: "ada", Issued: now}
	with := func(change func(*silentrefresh.Status)) silentrefresh.Status {
		theirs := ours
		change(&theirs)
		return theirs
	}
	for what, c := range map[string]struct {
		theirs  silentrefresh.Status
		another bool // login
		want    bool
	}{
		"the same":            {ours, false, false},
		"our own login":       {with(func(st *silentrefresh.Status) { st.Issued = now.Round(0) }), true, false},
		"renewed":             {with(func(st *silentrefresh.Status) { st.Version = 5 }), false, true},
		"an older one":        {with(func(st *silentrefresh.Status) { st.Version = 3 }), false, false},
		"another login":       {with(func(st *silentrefresh.Status) { st.Version, st.Issued = 1, now.Add(time.Minute) }), true, true},
		"a token handed out":  {with(func(st *silentrefresh.Status) { st.Issued = now.Add(time.Minute) }), false, false},
		"renewed, no token":   {with(func(st *silentrefresh.Status) { st.Version, st.State = 5, silentrefresh.StateOffline }), false, false},
		"logged out":          {silentrefresh.Status{State: silentrefresh.StateNone, Err: silentrefresh.ErrNoSession}, false, true},
		"over":                {silentrefresh.Status{State: silentrefresh.StateOver, Version: 4, Err: silentrefresh.ErrSessionOver}, false, true},
		"what cannot be read": {silentrefresh.Status{State: silentrefresh.StateNone, Err: errors.New("damaged")}, false, false},
	} {
		if got := foreign(c.theirs, ours, c.another); got != c.want {
			t.Errorf("%s: %v", what, got)
		}
	}
	unsaved := ours
	if unsaved.Saved = false; foreign(with(func(st *silentrefresh.Status) { st.Version = 5 }), unsaved, true) {
		t.Error("what could not be written yet is another process's")
	}
}

// TestF104_WatchesDoNotChaseEachOther: where each process has a token of its own, none renews because another has.
func TestF104_WatchesDoNotChaseEachOther(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{AccessTTL: time.Hour})
	b := newBox(t)
	b.ok("login", "--config", b.config(s, map[string]any{"memory_only": true}), "-d", credentials)
	before := s.Counters().RefreshCalls
	all := []*running{b.start("watch"), b.start("watch"), b.start("proxy", "--listen", "127.0.0.1:0")}
	all[0].line("renewed   gen ")
	all[1].line("renewed   gen ")
	time.Sleep(4 * lookInterval) // for whoever chases
	for _, r := range all {
		r.stop()
	}
	if n := s.Counters().RefreshCalls - before; n > len(all) {
		t.Errorf("%d refreshes for %d tokens", n, len(all))
	}
}
