// Silentrefresh is curl that stays logged in: it logs in once, keeps the session where later runs and other
// processes find it, and renews it silently. It is for shell scripts, for programs in other languages, and for
// trying a server out. Run it with --help for the commands.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// What the program exits with.
const (
	exitFailed = 1  // something went wrong
	exitUsage  = 2  // the command line, or the settings, are wrong
	exitLogin  = 3  // log in first
	exitStatus = 22 // the server returned 400 or above, as curl -f has it
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), stopSignals()...)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	// A reader that goes away (| head) must not end the program in the middle of a refresh.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	std := stdio{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.Getenv}
	os.Exit(run(ctx, os.Args[1:], std))
}

// stopSignals are those that ask the program to end. One that was ignored from the start (nohup) stays so.
func stopSignals() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// stdio is what the program is connected to.
type stdio struct {
	in  *os.File
	out io.Writer
	err io.Writer
	env func(string) string
}

// run runs the program and returns its exit status.
func run(ctx context.Context, args []string, std stdio) int {
	a := &app{stdio: std}
	err := execute(ctx, a.root(), args)
	if err == nil {
		return 0
	}
	f := asFailure(err)
	f.print(std.err)
	return f.code
}

// execute runs the command that args name.
func execute(ctx context.Context, root *cobra.Command, args []string) error {
	c, rest, _ := root.Find(args) // of an error the command itself will say more
	c.InheritedFlags()            // takes them up
	if err := oneDash(c, rest); err != nil {
		return err
	}
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return nil
	}
	if name, ok := unknownCommand(err); ok {
		return noCommand(root, name)
	}
	return err
}
