//go:build !windows

package terminal

import "os"

// obeys reports whether the terminal takes control sequences for what they are.
func obeys(*os.File) bool { return true }
