package main

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// TestMain lets the test's own program be the replicas.
func TestMain(m *testing.M) {
	redis.SetLogger(silence{})
	if os.Getenv(replicaEnv) != "" {
		os.Exit(replicaMain())
	}
	os.Exit(m.Run())
}

// smallOptions are for a machine that does something else as well.
var smallOptions = options{replicas: 8, steady: 8 * time.Second, ttl: 8 * time.Second, away: 3 * time.Second, slack: time.Second}

func play(t *testing.T, scenes ...string) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("there is no redis-server in PATH; on Debian: apt-get install redis-server")
	}
	var out strings.Builder
	if err := run(t.Context(), &out, smallOptions, scenes); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestF34_OneRefreshAGeneration(t *testing.T)          { play(t, "steady") }
func TestF36_KilledLeaderIsReplaced(t *testing.T)         { play(t, "killed") }
func TestF35_StoppedLeaderOverwritesNothing(t *testing.T) { play(t, "stopped") }
func TestF37_TokensServeOnWhileRedisIsAway(t *testing.T)  { play(t, "restart", "away") }
func TestLostWriteIsPutBack(t *testing.T)                 { play(t, "lost") }
func TestF60_OneLoginForAll(t *testing.T)                 { play(t, "ended") }

func TestUnknownSceneIsAnError(t *testing.T) {
	if err := run(t.Context(), &strings.Builder{}, smallOptions, []string{"steady", "unknown"}); err == nil || !strings.Contains(err.Error(), "unknown") {
		t.Errorf("run gave %v", err)
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
