// Package terminal shows things to people: in colour where there is a terminal that has it, in lines that fit, and in
// lines that are drawn anew while something goes on. Where output goes to a file or a pipe it adds nothing.
package terminal

import (
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/term"
)

// A Screen is what one writer can show. Its fields do not change. The zero value is a pipe of 80 columns.
type Screen struct {
	Terminal bool // somebody looks at it
	Live     bool // a terminal on which lines can be drawn anew
	Color    bool // one that shows colours, and nobody has asked for none
	Unicode  bool // one that shows more than ASCII

	width func() int // nil: unknown
}

// Of is the Screen behind w, in an environment. What is no terminal's file is a pipe.
func Of(w io.Writer, env func(string) string) Screen {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return Screen{}
	}
	live := capable(env("TERM")) && obeys(f)
	return Screen{
		Terminal: true, Live: live, Color: live && env("NO_COLOR") == "", Unicode: live && inUTF8(env),
		width: func() int { return widthOf(f, env) },
	}
}

// Fixed is a terminal of so many columns that shows everything.
func Fixed(columns int) Screen {
	return Screen{Terminal: true, Live: true, Color: true, Unicode: true, width: func() int { return columns }}
}

// capable reports whether a terminal of that type understands control sequences. Windows does not name a type.
func capable(kind string) bool {
	return kind != "dumb" && (kind != "" || runtime.GOOS == "windows")
}

// inUTF8 reports whether the locale's characters are UTF-8: the first variable that is set decides (POSIX.1-2017,
// section 8.2).
func inUTF8(env func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := env(name); v != "" {
			v = strings.ToLower(v)
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return runtime.GOOS == "windows" || runtime.GOOS == "darwin"
}

// widthOf is how wide a terminal is now; 0: unknown.
func widthOf(f *os.File, env func(string) string) int {
	if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
		return columns
	}
	columns, err := strconv.Atoi(env("COLUMNS"))
	if err != nil {
		return 0
	}
	return columns
}

// Width is how many columns there are now: 80 where that is unknown, and never fewer than 20.
func (s Screen) Width() int {
	columns := 0
	if s.width != nil {
		columns = s.width()
	}
	if columns <= 0 {
		return 80
	}
	return max(columns, 20)
}

// A Style is how text looks: the parameters of a terminal's SGR sequence (ECMA-48, section 8.3.117).
type Style string

// The styles.
const (
	Plain  Style = ""
	Bold   Style = "1"
	Dim    Style = "2"
	Red    Style = "31"
	Green  Style = "32"
	Yellow Style = "33"
	Cyan   Style = "36"
)

// Paint is text in that style, where there are colours.
func (s Screen) Paint(style Style, text string) string {
	if !s.Color || style == Plain || text == "" {
		return text
	}
	return "\x1b[" + string(style) + "m" + text + "\x1b[0m"
}
