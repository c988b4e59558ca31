package timeline

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/terminal"
)

var update = flag.Bool("update", false, "keep what is drawn in testdata")

func TestMain(m *testing.M) {
	flag.Parse()
	time.Local = time.UTC
	os.Exit(m.Run())
}

// A script is a life in a bubble: what happens, and pictures of it.
type script struct {
	life   Life
	status silentrefresh.Status
	screen terminal.Screen
	drawn  strings.Builder
}

// token gives a new token of that life, which is due at four fifths.
func (s *script) token(kind silentrefresh.EventKind, life time.Duration) {
	now := time.Now()
	s.status = silentrefresh.Status{
		State: silentrefresh.StateLoggedIn, Account: "ada@example.com", Issued: now, Expires: now.Add(life), NextRefresh: now.Add(life * 4 / 5),
	}
	s.happens(silentrefresh.Event{Kind: kind})
}

func (s *script) happens(ev silentrefresh.Event) {
	ev.Time = time.Now()
	if ev.Kind == silentrefresh.EventOver {
		s.status = silentrefresh.Status{State: silentrefresh.StateOver, Issued: s.status.Issued}
	}
	s.life.See(s.status)
	s.life.Note(ev, string(ev.Kind))
}

func (s *script) fails(status, attempt int, wait time.Duration) {
	s.status.NextRefresh = time.Now().Add(wait)
	s.happens(silentrefresh.Event{Kind: silentrefresh.EventRetrying, Attempt: attempt, Next: s.status.NextRefresh,
		Err: &auth.Error{Op: auth.KindRefresh, Status: status, Unsent: status == 0}})
}

// draw keeps a picture.
func (s *script) draw(of string) {
	s.life.See(s.status)
	fmt.Fprintf(&s.drawn, "# %s\n%s\n\n", of, strings.Join(s.life.Draw(time.Now(), s.screen), "\n"))
}

// golden compares what was drawn with what is kept.
func (s *script) golden(t *testing.T, name string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(s.drawn.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.drawn.String(); got != string(want) {
		t.Errorf("drawn is\n%s\nwant\n%s", got, want)
	}
}

// plain is a terminal without colours.
func plain(columns int) terminal.Screen {
	s := terminal.Fixed(columns)
	s.Color = false
	return s
}

// play lets a session live: renewals, an outage, a revocation, another process, the end.
func play(s *script) {
	s.draw("nothing is known")
	s.token(silentrefresh.EventResumed, time.Minute)
	s.draw("just begun")
	time.Sleep(48 * time.Second)
	s.token(silentrefresh.EventRenewed, time.Minute)
	time.Sleep(20 * time.Second)
	s.draw("renewed once")
	time.Sleep(28 * time.Second)
	for attempt := range 4 {
		s.fails(503, attempt+1, 5*time.Second)
		time.Sleep(5 * time.Second)
	}
	s.status.State = silentrefresh.StateOffline
	s.draw("an outage that outlasts the token")
	s.token(silentrefresh.EventRenewed, time.Minute)
	time.Sleep(10 * time.Second)
	s.happens(silentrefresh.Event{Kind: silentrefresh.EventRejected})
	time.Sleep(8 * time.Second)
	s.token(silentrefresh.EventAdopted, time.Minute)
	time.Sleep(5 * time.Second)
	s.draw("rejected, and renewed by another process")
	time.Sleep(20 * time.Second)
	s.happens(silentrefresh.Event{Kind: silentrefresh.EventOver})
	time.Sleep(5 * time.Second)
	s.draw("over")
}

func TestDraw(t *testing.T) {
	for name, screen := range map[string]terminal.Screen{
		"80": plain(80), "40": plain(40), "color": terminal.Fixed(80), "wide": plain(500),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{screen: screen}
				play(s)
				s.golden(t, name)
				for line := range strings.Lines(s.drawn.String()) {
					if n := terminal.Columns(strings.TrimSuffix(line, "\n")); n >= screen.Width() && !strings.HasPrefix(line, "#") && name != "40" {
						t.Errorf("%d columns: %s", n, line)
					}
				}
			})
		})
	}
	t.Run("ascii", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &script{screen: plain(80)}
			s.screen.Unicode = false
			play(s)
			s.golden(t, "ascii")
		})
	})
}

// TestDrawOddities: nothing that can be in a status makes a picture impossible.
func TestDrawOddities(t *testing.T) {
	now := time.Now()
	for _, st := range []silentrefresh.Status{
		{}, {State: silentrefresh.StateLoggedIn}, {State: silentrefresh.StateLoggedIn, Issued: now},
		{State: silentrefresh.StateLoggedIn, Issued: now, Expires: now.Add(-time.Hour)},
		{State: silentrefresh.StateLoggedIn, Issued: now, Expires: now}, {State: "new", Issued: now, Expires: now.AddDate(1000, 0, 0)},
		{State: silentrefresh.StateLoggedIn, Account: "a\x1b[2Jb", Issued: now.Add(time.Hour), Expires: now.Add(2 * time.Hour)},
	} {
		var l Life
		l.See(st)
		for _, columns := range []int{0, 1, 20, 80, 10000} {
			for _, line := range l.Draw(now, plain(columns)) {
				if strings.ContainsAny(line, "\x1b\n") || terminal.Columns(line) > 200 {
					t.Errorf("%+v: %q", st, line)
				}
			}
		}
	}
}

// TestLifeIsBounded: a watch that runs for a year keeps what it can show.
func TestLifeIsBounded(t *testing.T) {
	var l Life
	begin := time.Now()
	for i := range 10_000 {
		at := begin.Add(time.Duration(i) * time.Minute)
		l.See(silentrefresh.Status{State: silentrefresh.StateLoggedIn, Issued: at, Expires: at.Add(2 * time.Minute)})
		l.Note(silentrefresh.Event{Kind: silentrefresh.EventRenewed, Time: at}, "")
	}
	if p := l.Picture(1 << 30); len(p.Marks) != mostMarks || len(p.Tokens) != mostTokens || p.Marks[mostMarks-1].Time.Before(begin.Add(9_999*time.Minute)) {
		t.Errorf("%d marks and %d tokens are kept", len(p.Marks), len(p.Tokens))
	}
	if p := l.Picture(3); len(p.Marks) != 3 {
		t.Errorf("%d marks, want 3", len(p.Marks))
	}
}

// TestWaiting: a person who waits is told what for, once that takes longer than a second.
func TestWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWaiting("the response to GET /me")
		says := func(want string) {
			t.Helper()
			if got := w.Line(time.Now()); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
		says("")
		time.Sleep(3 * time.Second)
		says("waiting for the response to GET /me, 3 s")
		for status, want := range map[*auth.Error]string{
			{Op: auth.KindRefresh, Status: 503}: "refresh returned 503", {Op: auth.KindLogin, Status: 500}: "login returned 500",
			{Unsent: true}: "refresh was not sent", {Op: auth.KindRefresh, MaybeSpent: true}: "refresh got no response",
		} {
			w.Observe(silentrefresh.Event{Kind: silentrefresh.EventRetrying, Attempt: 1, Next: time.Now().Add(2 * time.Second), Err: status})
			says(want + ", try 2, next in 2 s")
		}
		w.Observe(silentrefresh.Event{Kind: silentrefresh.EventWarning})
		w.Observe(silentrefresh.Event{Kind: silentrefresh.EventRetrying, Attempt: 2, Next: time.Now().Add(1500 * time.Millisecond), Err: errors.New("odd")})
		says("refresh failed, try 3, next in 2 s")
		time.Sleep(1500 * time.Millisecond)
		says("refresh failed, try 3, now")
		w.Observe(silentrefresh.Event{Kind: silentrefresh.EventRenewed})
		says("waiting for the response to GET /me, 4 s")
		w.Restart()
		says("")
		time.Sleep(2 * time.Second)
		w.End()
		says("")
	})
}
