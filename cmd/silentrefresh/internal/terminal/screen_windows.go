package terminal

import (
	"os"

	"golang.org/x/sys/windows"
)

// obeys reports whether the console takes control sequences for what they are, and asks it to.
func obeys(f *os.File) bool {
	console := windows.Handle(f.Fd())
	var mode uint32
	if windows.GetConsoleMode(console, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
