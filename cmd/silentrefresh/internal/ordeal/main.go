// Ordeal shows, with real processes on a strict server, that sessions outlive what happens to processes and disks:
// stampedes, SIGKILL, SIGSTOP, full disks, damaged files. The server's refresh tokens can be used once, and to use
// one twice ends the session.
//
//	go run ./cmd/silentrefresh/internal/ordeal             everything, about 10 minutes
//	go run ./cmd/silentrefresh/internal/ordeal -short      less of it, in under 90 s
//	go run ./cmd/silentrefresh/internal/ordeal kill loop   only these
//
// It prints figures, and exits with 1 if anything was not as promised.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// A show is one thing that is shown.
type show struct {
	name  string
	about string
	run   func(*stage)
}

var shows = []show{
	{"warm", "what a session costs a program that is started for one request", warm},
	{"stampede", "100 requests at once on a session whose token has been revoked", stampede},
	{"stampede-memory", "the same, where no access token is ever written down", stampedeInMemory},
	{"loop", "20 processes in a loop, with tokens of one second", loop},
	{"kill", "SIGKILL at random instants of logins, refreshes and logouts; the server has 10 s of grace", kill},
	{"kill-strict", "SIGKILL at random instants of refreshes; the server has no grace", killStrict},
	{"stop", "a process that was stopped while it refreshes", stop},
	{"disk", "full, read-only, removed; records truncated, of another key, of another version", disk},
	{"full", "a disk that fills between the server's response and the save", full},
	{"credentials", "20 processes that can log in by themselves, when the session is over", credentials},
}

func main() {
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(play(role))
	}
	short := flag.Bool("short", false, "less of everything, in under 90 s")
	flag.Usage = usage
	flag.Parse()
	dir, err := os.MkdirTemp("", "ordeal")
	if err != nil {
		fmt.Fprintln(os.Stderr, "ordeal:", err)
		os.Exit(1)
	}
	ok, err := perform(dir, *short, flag.Args())
	os.RemoveAll(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, "ordeal:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

func usage() {
	fmt.Fprintf(flag.CommandLine.Output(), "ordeal [-short] [NAME...]\n\n")
	for _, s := range shows {
		fmt.Fprintf(flag.CommandLine.Output(), "  %-16s %s\n", s.name, s.about)
	}
	fmt.Fprintln(flag.CommandLine.Output())
	flag.PrintDefaults()
}

// perform runs the shows of these names, all of them if there are none, and reports whether all went well.
func perform(dir string, short bool, names []string) (ok bool, err error) {
	for _, name := range names {
		if !slices.ContainsFunc(shows, func(s show) bool { return s.name == name }) {
			return false, fmt.Errorf("there is no show %q: ordeal -h lists them", name)
		}
	}
	tool, err := build(dir)
	if err != nil {
		return false, err
	}
	ok = true
	began := time.Now()
	for _, s := range shows {
		if len(names) == 0 || slices.Contains(names, s.name) {
			ok = s.perform(tool, dir, short).failures == 0 && ok
		}
	}
	fmt.Printf("\nin all %s\n", time.Since(began).Round(100*time.Millisecond))
	return ok, nil
}

// perform runs s with tool, in a folder of its own below dir.
func (s show) perform(tool, dir string, short bool) *stage {
	fmt.Printf("\n%s: %s\n", s.name, s.about)
	began := time.Now()
	st := &stage{name: s.name, tool: tool, dir: filepath.Join(dir, s.name), short: short}
	st.act(s.run)
	verdict := "ok"
	switch {
	case st.failures > 0:
		verdict = fmt.Sprintf("FAILED (%d)", st.failures)
	case st.skipped:
		verdict = "skipped"
	}
	fmt.Printf("  %s after %s\n", verdict, time.Since(began).Round(100*time.Millisecond))
	return st
}

// build builds the tool in dir, from the workspace that this program belongs to.
func build(dir string) (tool string, err error) {
	tool = filepath.Join(dir, "silentrefresh")
	cmd := exec.Command("go", "build", "-o", tool, "github.com/silentrefresh/silentrefresh/cmd/silentrefresh")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("build the tool, from within its workspace: %w", err)
	}
	return tool, nil
}
