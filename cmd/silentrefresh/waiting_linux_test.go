package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
)

// TestLiveLine: who waits through an outage sees what for, on the terminal alone, and nothing of it is left.
func TestLiveLine(t *testing.T) {
	for name, args := range map[string][]string{"request": {"request", "/me"}, "token": {"token"}} {
		t.Run(name, func(t *testing.T) {
			b, s := loggedIn(t, authtest.Config{AccessTTL: 2 * time.Second})
			b.xterm()
			s.ExpireAll()
			time.Sleep(2 * time.Second) // token looks at the time alone
			s.Down(authtest.Unavailable)
			c, tty := newConsole(t)
			cmd := b.command(args...)
			var out bytes.Buffer
			cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, &out, tty
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			c.sees("refresh returned 503, try 2, next in ")
			s.Up()
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
			if out.Len() == 0 || strings.Contains(out.String(), "try") || strings.Contains(out.String(), "\x1b") {
				t.Errorf("standard output gets %q", out.String())
			}
			c.settles(func(stands string) bool { return stands == "" })
		})
	}
}

// TestDeviceLoginOnATerminal shows a QR code and how long the code is good, and nothing of the latter is left.
func TestDeviceLoginOnATerminal(t *testing.T) {
	s := provider(t)
	b := newBox(t)
	b.xterm()
	file := b.file("config.json", `{"base_url": "`+s.URL+`", "oauth": {"issuer": "`+s.URL+`", "client_id": "tool", "flow": "device"}}`)
	c, tty := newConsole(t)
	cmd := b.command("login", "--config", file)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c.sees("waiting for the code to be entered, ")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	stands := c.settles(func(stands string) bool { // its last bytes may come after its end
		return strings.Contains(stands, "Next: ") && !strings.Contains(stands, "waiting for")
	})
	if strings.Count(stands, "ABCD-EFGH") != 1 || !strings.Contains(stands, "█▀▀▀▀▀█") && !strings.Contains(stands, "█ ▄▄▄▄▄ █") {
		t.Errorf("the terminal shows\n%s", stands)
	}
}
