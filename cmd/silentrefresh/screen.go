package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/process"
	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/terminal"
	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/timeline"
)

// screen is what w, one of the program's outputs, can show.
func (a *app) screen(w io.Writer) terminal.Screen { return terminal.Of(process.Raw(w), a.env) }

// fact prints what there is to say under a label. On a terminal, what is too long goes on below itself.
func (a *app) fact(label, text string) {
	const column = 11
	s := a.screen(a.out)
	if s.Terminal {
		text = terminal.Wrap(strings.Repeat(" ", column)+text, s.Width()-1, strings.Repeat(" ", column))[column:]
	}
	fmt.Fprintf(a.out, "%s%s\n", s.Paint(terminal.Dim, fmt.Sprintf("  %-*s", column-2, label)), text)
}

// colored is text, or a state in it, in the colour of that state.
func (a *app) colored(state silentrefresh.State, text string) string {
	return a.screen(a.out).Paint(timeline.StyleOfState(state), text)
}
