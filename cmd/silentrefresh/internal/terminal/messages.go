package terminal

import (
	"io"
	"strings"
)

// Messages is w for what the program tells people: on a terminal in lines that fit, with what leads them set off, and
// without what a terminal would obey. It knows a message by "silentrefresh: " and the indented lines below it; a command
// to type is left in one line, so that it can be copied. What is no terminal is returned as it is.
func Messages(s Screen, w io.Writer) io.Writer {
	if !s.Terminal {
		return w
	}
	return &messages{s, w}
}

type messages struct {
	screen Screen
	w      io.Writer
}

// Unwrap returns the writer below.
func (m *messages) Unwrap() io.Writer { return m.w }

// Write implements io.Writer.
func (m *messages) Write(b []byte) (int, error) {
	var text strings.Builder
	for line := range strings.Lines(string(b)) {
		whole, ended := strings.CutSuffix(line, "\n")
		text.WriteString(m.formatted(whole))
		if ended {
			text.WriteByte('\n')
		}
	}
	if _, err := io.WriteString(m.w, text.String()); err != nil {
		return 0, err
	}
	return len(b), nil
}

// below is how far the lines below a message's first are indented.
const below = "       "

// leads are what lines of messages begin with.
var leads = []struct {
	text, indent string
	style        Style
}{
	{"silentrefresh: ", "  ", Bold},
	{"  why: ", below, Dim},
	{"  do:  ", below, Cyan},
	{below, below, Plain},
}

func (m *messages) formatted(line string) string {
	for _, lead := range leads {
		text, ok := strings.CutPrefix(line, lead.text)
		if !ok {
			continue
		}
		text = Printable(text)
		if !strings.HasPrefix(text, "silentrefresh ") && !strings.HasPrefix(text, "--") {
			text = strings.TrimPrefix(Wrap(lead.text+text, m.screen.Width()-1, lead.indent), lead.text)
		}
		return m.screen.Paint(lead.style, lead.text) + text
	}
	return line
}
