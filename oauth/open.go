package oauth

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// openSystemBrowser opens page as the desktop would.
func openSystemBrowser(page string) error {
	err := errors.New("oauth: there is no browser to open")
	for _, command := range browserCommands(runtime.GOOS, os.Getenv) {
		if err = run(command, page); err == nil {
			return nil
		}
	}
	return err
}

// run runs a command that opens a page. One that is still running after a while is the browser itself.
func run(command []string, page string) error {
	args, placed := make([]string, 0, len(command)), false
	for _, arg := range command[1:] {
		if strings.Contains(arg, "%s") {
			arg, placed = strings.ReplaceAll(arg, "%s", page), true
		}
		args = append(args, arg)
	}
	if !placed {
		args = append(args, page)
	}
	cmd := exec.Command(command[0], args...)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("oauth: open the browser: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(3 * time.Second):
		return nil
	}
}

// browserCommands are commands that open a page, the first to try first. $BROWSER is a list with colons between, of which
// each may have a %s where the page goes.
func browserCommands(system string, getenv func(string) string) (commands [][]string) {
	for _, entry := range strings.Split(getenv("BROWSER"), listSeparator(system)) {
		if fields := strings.Fields(entry); len(fields) > 0 {
			commands = append(commands, fields)
		}
	}
	windows := []string{"rundll32.exe", "url.dll,FileProtocolHandler"} // never cmd, which would read the & of a URL
	switch {
	case system == "windows":
		return append(commands, windows)
	case system == "darwin":
		return append(commands, []string{"open"})
	case getenv("WSL_DISTRO_NAME") != "" || getenv("WSL_INTEROP") != "":
		return append(commands, []string{"wslview"}, windows)
	case getenv("DISPLAY") == "" && getenv("WAYLAND_DISPLAY") == "":
		return commands
	default:
		return append(commands, []string{"xdg-open"})
	}
}

func listSeparator(system string) string {
	if system == "windows" {
		return ";"
	}
	return ":"
}
