package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

var buildOnce = sync.OnceValues(func() (string, error) { return build(toolDir) })

var toolDir string

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(play(role))
	}
	var err error
	if toolDir, err = os.MkdirTemp("", "ordeal"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	os.RemoveAll(toolDir)
	os.Exit(status)
}

// holds runs a show in its short form.
func holds(t *testing.T, name string) {
	t.Helper()
	if testing.Short() {
		t.Skip("it starts many processes")
	}
	tool, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(shows, func(s show) bool { return s.name == name })
	switch st := shows[i].perform(tool, t.TempDir(), true); {
	case st.failures > 0:
		t.Errorf("%d things were not as promised", st.failures)
	case st.skipped:
		t.Skip("it cannot be run here")
	}
}

func TestF34_OneRefreshForAHundredProcesses(t *testing.T) { holds(t, "stampede") }

func TestF36_F40_KilledProcesses(t *testing.T) { holds(t, "kill") }

func TestF37_F38_StoppedHolder(t *testing.T) { holds(t, "stop") }

func TestF39_F41_DamagedFilesAndDisks(t *testing.T) { holds(t, "disk") }

func TestF41_DiskFillsBeforeTheSave(t *testing.T) { holds(t, "full") }

func TestF60_OneLoginForAllProcesses(t *testing.T) { holds(t, "credentials") }

// TestFailuresAreCounted: a show that is not as promised fails, early or late.
func TestFailuresAreCounted(t *testing.T) {
	late := show{name: "late", run: func(st *stage) { st.want("two", 1+1, 3); st.want("three", 3, 3) }}
	early := show{name: "early", run: func(st *stage) { st.fatal("here"); st.fail("not reached") }}
	skipped := show{name: "skipped", run: func(st *stage) { st.skip("here"); st.fail("not reached") }}
	for want, s := range map[string]show{"1 false": late, "1 false ": early, "0 true": skipped} {
		st := s.perform("", t.TempDir(), true)
		if got := fmt.Sprint(st.failures, st.skipped); got != strings.TrimSpace(want) {
			t.Errorf("%s: %s, want %s", s.name, got, want)
		}
	}
}

func TestUnknownShow(t *testing.T) {
	if ok, err := perform(t.TempDir(), true, []string{"dance"}); ok || err == nil || !strings.Contains(err.Error(), "dance") {
		t.Errorf("%v, %v", ok, err)
	}
}
