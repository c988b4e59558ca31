package main

import (
	"testing"

	"github.com/silentrefresh/silentrefresh/authtest"
)

// TestLoginURLOnTheTerminal: somebody is shown what was found, agrees, and types; or does not agree.
func TestLoginURLOnTheTerminal(t *testing.T) {
	for consent, logins := range map[string]int{"y": 1, "": 0, "no": 0} {
		t.Run("consent "+consent, func(t *testing.T) {
			s := authtest.NewServer(t, authtest.Config{})
			b := newBox(t)
			console, tty := newConsole(t)
			cmd := b.command("login", s.URL())
			cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			console.types("  y/N: ", consent+"\n")
			if logins > 0 {
				console.types("  email: ", authtest.DefaultEmail+"\n")
				console.types("  password: ", authtest.DefaultPassword+"\n")
			}
			err := cmd.Wait()
			if n := s.Counters().LoginCalls; (err == nil) != (logins > 0) || n != logins {
				t.Errorf("%v, %d logins\n%s", err, n, console.text())
			}
		})
	}
}
