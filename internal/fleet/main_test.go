package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/silentrefresh/silentrefresh/internal/pgserver"
)

// TestMain lets the test's own program be the replicas, and whatever else a scene starts.
func TestMain(m *testing.M) {
	redis.SetLogger(silence{})
	playPart()
	os.Exit(m.Run())
}

// smallOptions are for a machine that does something else as well.
var smallOptions = options{replicas: 8, steady: 8 * time.Second, ttl: 8 * time.Second, away: 3 * time.Second, slack: time.Second}

// play plays scenes on each engine that is there. With CI=true each has to be there.
func play(t *testing.T, scenes ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("programs of many processes are not for -short")
	}
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			var out strings.Builder
			err := run(t.Context(), &out, smallOptions, k.name, scenes)
			switch missing := errors.Is(err, errNoRedis) || errors.Is(err, pgserver.ErrMissing); {
			case missing && os.Getenv("CI") != "true":
				t.Skip(err)
			case err != nil:
				t.Errorf("%v\n%s", err, out.String())
			}
		})
	}
}

func TestF34_OneRefreshAGeneration(t *testing.T)              { play(t, "steady") }
func TestF36_KilledLeaderIsReplaced(t *testing.T)             { play(t, "killed") }
func TestF35_StoppedLeaderOverwritesNothing(t *testing.T)     { play(t, "stopped") }
func TestF37_TokensServeOnWhileTheEngineIsAway(t *testing.T)  { play(t, "restart", "away") }
func TestF37_TokensServeOnWhileAWriterIsStopped(t *testing.T) { play(t, "writing") }
func TestLostWriteIsPutBack(t *testing.T)                     { play(t, "lost") }
func TestF60_OneLoginForAll(t *testing.T)                     { play(t, "ended") }

func TestUnknownNamesAreErrors(t *testing.T) {
	for _, names := range [][]string{{"", "steady", "unknown"}, {"unknown", "steady"}} {
		err := run(t.Context(), &strings.Builder{}, smallOptions, names[0], names[1:])
		if err == nil || !strings.Contains(err.Error(), "unknown") {
			t.Errorf("run gave %v", err)
		}
	}
}

func TestFiguresStandSideBySide(t *testing.T) {
	var f figures
	var out strings.Builder
	f.note("a", "redis", "1")
	f.note("b", "redis", "2")
	f.note("a", "postgres", "3")
	f.note("b", "sqlite", "4")
	f.print(&out, kinds)
	const want = "figures  Redis  PostgreSQL  SQLite\na        1      3           -\nb        2      -           4\n"
	if out.String() != want {
		t.Errorf("printed\n%s", out.String())
	}
}

func TestBrokenPromiseIsAnError(t *testing.T) {
	var out strings.Builder
	s := &stage{out: &out}
	s.check(true, "this is kept")
	if s.broken || !strings.Contains(out.String(), "kept") {
		t.Errorf("broken %v: %s", s.broken, out.String())
	}
	s.check(false, "this is not")
	s.check(true, "this is kept")
	if !s.broken || !strings.Contains(out.String(), "BROKEN") {
		t.Errorf("broken %v: %s", s.broken, out.String())
	}
}

func TestAwaitGivesUp(t *testing.T) {
	s := &stage{ctx: t.Context(), news: make(chan struct{})}
	never := func(report) bool { return false }
	if _, err := s.await("what never comes", time.Millisecond, 1, never); err == nil || !strings.Contains(err.Error(), "0 of 1") {
		t.Errorf("await gave %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.ctx = ctx
	if _, err := s.await("what never comes", time.Minute, 1, never); err == nil {
		t.Error("await ignores its context")
	}
}
