package main

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/terminal/terminaltest"
)

// xterm is the environment of a terminal that shows everything.
func (b *box) xterm(more ...string) {
	b.env["TERM"], b.env["LC_ALL"], b.env["NO_COLOR"] = "xterm", "C.UTF-8", ""
	for _, line := range more {
		name, value, _ := strings.Cut(line, "=")
		b.env[name] = value
	}
}

// sees waits until what was written to the terminal, as it came, has those words.
func (c *console) sees(words string) {
	c.t.Helper()
	for range 2000 {
		if strings.Contains(c.text(), words) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	c.t.Fatalf("no %q but %q", words, c.text())
}

// settles waits until what stands on the terminal is as it should be, and returns it.
func (c *console) settles(wanted func(stands string) bool) (stands string) {
	c.t.Helper()
	for range 500 {
		var e terminaltest.Emulator
		e.Write([]byte(c.text()))
		if stands = e.String(); wanted(stands) {
			return stands
		}
		time.Sleep(10 * time.Millisecond)
	}
	c.t.Fatalf("on the terminal stands\n%s", stands)
	return stands
}

// TestF104_WatchDrawsTheLife on a terminal, with what other processes do; in the end the picture stays.
func TestF104_WatchDrawsTheLife(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{AccessTTL: time.Minute})
	b.xterm()
	c, tty := newConsole(t)
	cmd := b.command("watch")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c.sees("◇")
	s.RevokeAccess()
	b.ok("request", "/me")
	c.sees("◆")
	cmd.Process.Signal(os.Interrupt)
	cmd.Wait()
	if got := shellStatus(cmd.ProcessState); got != 128+int(syscall.SIGINT) {
		t.Errorf("exit status %d", got)
	}
	stands := c.settles(func(stands string) bool {
		return !slices.ContainsFunc([]string{
			"  resumed   gen 1", "  adopted   gen 2", "logged in as ada@example.com, token good for ", "┃──", " now ", "◆ another process",
		}, func(want string) bool { return strings.Count(stands, want) != 1 })
	})
	for line := range strings.Lines(stands) {
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

// TestColours: none where nobody wants them, and no control sequences on a terminal that has none.
func TestColours(t *testing.T) {
	for env, forbidden := range map[string]string{"NO_COLOR=1": "\x1b[3", "TERM=dumb": "\x1b", "TERM=": "\x1b"} {
		t.Run(env, func(t *testing.T) {
			b, _ := loggedIn(t, authtest.Config{})
			b.xterm(env)
			c, tty := newConsole(t)
			cmd := b.command("watch")
			cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			c.sees("resumed")
			cmd.Process.Signal(os.Interrupt)
			cmd.Wait()
			if got := c.text(); strings.Contains(got, forbidden) {
				t.Errorf("the terminal gets %q", got)
			}
		})
	}
}
