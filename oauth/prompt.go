package oauth

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"

	"rsc.io/qr"

	"github.com/silentrefresh/silentrefresh/internal/display"
)

// A Prompt says what a person has to do for a login to go on. What the server wrote has no control characters, which a
// terminal would obey.
type Prompt struct {
	// URL is the page to open.
	URL string
	// CompleteURL is the same page with Code filled in, "" if the server has none.
	CompleteURL string
	// Code is to be entered there (the user_code of RFC 8628 section 3.2), "" if there is nothing to enter.
	Code string
	// Expires is until when Code is waited for: its own end, or that of Config.Patience or of the caller's
	// context, if that is sooner. Zero if there is no Code.
	Expires time.Time
}

// printPrompt is Config.Prompt where none is given.
func printPrompt(p Prompt) {
	info, err := os.Stderr.Stat()
	p.Print(os.Stderr, err == nil && info.Mode()&os.ModeCharDevice != 0)
}

// Print tells a person on w what to do. On a terminal a Code comes with a QR code of its page.
func (p Prompt) Print(w io.Writer, terminal bool) {
	if p.Code == "" {
		fmt.Fprintf(w, "To log in, use the browser that opens now, or open this page:\n\n  %s\n\n", address(p.URL))
		return
	}
	fmt.Fprintf(w, "To log in, open %s on any device and enter the code\n\n  %s\n\n", address(p.URL), display.Name(p.Code))
	if p.CompleteURL != "" {
		fmt.Fprintf(w, "or open %s\n", address(p.CompleteURL))
	}
	if terminal {
		io.WriteString(w, quickResponse(address(p.CompleteURL), address(p.URL)))
	}
	if !p.Expires.IsZero() {
		fmt.Fprintf(w, "You have %v for that.\n", time.Until(p.Expires).Round(time.Second))
	}
}

// address is a URL without what does not belong in one, and a terminal might obey.
func address(u string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, u)
}

// quickResponse is a QR code of the first of the addresses that there is, in half blocks; "" if it is too long for a
// terminal.
func quickResponse(addresses ...string) string {
	for _, a := range addresses {
		if a == "" {
			continue
		}
		code, err := qr.Encode(a, qr.L)
		if err != nil || code.Size > 72 {
			return ""
		}
		return drawn(code)
	}
	return ""
}

// drawn draws two rows in each line, light on dark as most terminals are, with the quiet zone that readers need.
func drawn(code *qr.Code) string {
	const quiet = 2
	var b strings.Builder
	b.WriteByte('\n')
	for y := -quiet; y < code.Size+quiet; y += 2 {
		b.WriteString("  ")
		for x := -quiet; x < code.Size+quiet; x++ {
			switch upper, lower := code.Black(x, y), code.Black(x, y+1); {
			case upper && lower:
				b.WriteString(" ")
			case upper:
				b.WriteString("▄")
			case lower:
				b.WriteString("▀")
			default:
				b.WriteString("█")
			}
		}
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	return b.String()
}
