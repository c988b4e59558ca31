package oauth

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
)

// pasteOnTerminal is Config.Paste where none is given. It asks at the terminal itself, since standard input may be data,
// and stops reading when ctx ends.
func pasteOnTerminal(ctx context.Context) (string, error) {
	in, out := "/dev/tty", "/dev/tty"
	if runtime.GOOS == "windows" {
		in, out = "CONIN$", "CONOUT$"
	}
	w, err := os.OpenFile(out, os.O_WRONLY, 0)
	if err != nil {
		return "", err
	}
	defer w.Close()
	r, err := os.OpenFile(in, os.O_RDONLY, 0)
	if err != nil {
		return "", err
	}
	defer r.Close()
	fmt.Fprint(w, "No browser opened on this machine. Open the page on any other; the address at which it ends cannot be\n"+
		"reached from there. Paste that address here: ")
	lines := make(chan string, 1)
	failed := make(chan error, 1)
	go func() {
		line, err := bufio.NewReader(io.LimitReader(r, 64<<10)).ReadString('\n')
		if err != nil {
			failed <- err
			return
		}
		lines <- line
	}()
	select {
	case line := <-lines:
		return line, nil
	case err := <-failed:
		return "", err
	case <-ctx.Done():
		fmt.Fprintln(w)
		return "", context.Cause(ctx)
	}
}
