package oauth

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"time"
)

// A Prompt says what a person has to do for a login to go on.
type Prompt struct {
	// URL is the page to open.
	URL string
	// CompleteURL is the same page with Code filled in, "" if the provider has none.
	CompleteURL string
	// Code is to be entered there (the user_code of RFC 8628 section 3.2), "" if there is nothing to enter.
	Code string
	// Expires is until when Code is waited for: its own end, or that of Config.Patience or of the caller's
	// context, if that is sooner. Zero if there is no Code.
	Expires time.Time
}

// printPrompt tells a person on standard error.
func printPrompt(p Prompt) {
	if p.Code == "" {
		fmt.Fprintf(os.Stderr, "To log in, open this page on this machine:\n\n  %s\n\n", p.URL)
		return
	}
	fmt.Fprintf(os.Stderr, "To log in, open %s on any device and enter the code\n\n  %s\n\n", p.URL, p.Code)
	if p.CompleteURL != "" {
		fmt.Fprintf(os.Stderr, "or open %s\n", p.CompleteURL)
	}
	if !p.Expires.IsZero() {
		fmt.Fprintf(os.Stderr, "You have %v for that.\n", time.Until(p.Expires).Round(time.Second))
	}
}

// openSystemBrowser opens page as the desktop would.
func openSystemBrowser(page string) error {
	name, args, err := browserCommand(runtime.GOOS, os.Getenv)
	if err != nil {
		return err
	}
	cmd := exec.Command(name, append(args, page)...)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("oauth: open the browser: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(3 * time.Second):
		return nil // it is the browser itself
	}
}

// browserCommand is the command that opens a page.
func browserCommand(system string, getenv func(string) string) (string, []string, error) {
	switch {
	case system == "windows":
		return "rundll32", []string{"url.dll,FileProtocolHandler"}, nil
	case system == "darwin":
		return "open", nil, nil
	case getenv("DISPLAY") == "" && getenv("WAYLAND_DISPLAY") == "":
		return "", nil, errors.New("oauth: there is no display to open a browser on")
	default:
		return "xdg-open", nil, nil
	}
}
