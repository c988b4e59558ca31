package main

import (
	"context"
	"fmt"
	"runtime/debug"
)

// release is the program's version.
func release() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

// version prints the program's version.
func version(_ context.Context, a *app) error {
	fmt.Fprintln(a.out, "silentrefresh", release())
	return nil
}
