package main

import (
	"io"

	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/terminal"
)

// screen is what w, one of the program's outputs, can show.
func (a *app) screen(w io.Writer) terminal.Screen { return terminal.Of(rawFile(w), a.env) }
