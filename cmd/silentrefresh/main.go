// Silentrefresh is curl that stays logged in: it logs in once, keeps the session where later runs and other
// processes find it, and renews it silently. It is for shell scripts, for programs in other languages, and for
// trying a server out. Run it with --help for the commands.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/process"
	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/terminal"
	"github.com/spf13/cobra"
)

// What the program exits with.
const (
	exitFailed = 1  // something went wrong
	exitUsage  = 2  // the command line, or the settings, are wrong
	exitLogin  = 3  // only a login helps
	exitStatus = 22 // the server returned 400 or above, as curl -f has it
	exitPasses = 75 // it passes by itself, and the same command may succeed later: EX_TEMPFAIL of sysexits.h
)

func main() {
	// A reader that goes away (| head) must not end the program in the middle of a refresh.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	out, err := process.NewOutput(os.Stdout), process.NewOutput(os.Stderr)
	ctx := out.Until(process.UntilSignal(context.Background()))
	code := run(ctx, os.Args[1:], stdio{in: os.Stdin, out: out, err: err, env: os.Getenv})
	os.Exit(settled(out, err, code))
}

// stdio is what the program is connected to.
type stdio struct {
	in  *os.File
	out io.Writer
	err io.Writer
	env func(string) string
}

// run runs the program and returns its exit status. After a signal it does not return: the program dies of that.
func run(ctx context.Context, args []string, std stdio) int {
	std.err = terminal.Messages(terminal.Of(process.Raw(std.err), std.env), std.err)
	a := &app{stdio: std}
	f := &failure{}
	if err := execute(ctx, a.root(), args); err != nil {
		f = asFailure(err)
	}
	if o, ok := std.out.(*process.Output); !ok || o.Failed() == nil { // else that is the cause, and is said
		f.print(std.err)
	}
	if killed, ok := errors.AsType[*process.SignalError](context.Cause(ctx)); ok && !a.runsCommand {
		f.signal = killed.Signal
	}
	if f.signal != nil {
		process.Die(f.signal)
	}
	return f.code
}

// settled is the exit status of the program, which would be code if all that it printed was written. What was not is said on
// stderr, but for a reader that has gone: then the program dies as others do.
func settled(stdout, stderr *process.Output, code int) int {
	if errors.Is(stdout.Failed(), syscall.EPIPE) {
		stdout.DieOfClosedOutput()
	}
	if err := stdout.Close(); err != nil {
		fmt.Fprintf(stderr, "silentrefresh: the output was not written: %s\n", reasonOf(err))
		code = cmp.Or(code, exitFailed)
	}
	if stderr.Close() != nil {
		code = cmp.Or(code, exitFailed) // and there is nowhere to say so
	}
	return code
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
