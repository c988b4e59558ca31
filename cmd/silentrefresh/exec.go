package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/signal"

	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/process"
	"golang.org/x/term"
)

const execHelp = `The proxy listens on a free port of this machine; see "silentrefresh proxy --help". It asks for a secret, so that no
other user of this machine can use the session: one that is made for this run, or the one that is given. The URL that
the command gets carries it as its password; other users may see that in the list of processes, where a program is
given the URL as an argument. Not every program takes a password out of a URL: Python's urllib does not, nor does
JavaScript's fetch. To these, $SILENTREFRESH_ORIGIN is the URL without it, and $SILENTREFRESH_SECRET what to send in the
header Silentrefresh-Secret. Signals are passed on, and the exit status is the command's.

  silentrefresh exec -- sh -c 'curl -s $SILENTREFRESH_URL/me'
`

// What the program exits with where the command cannot be run, as shells have it.
const (
	exitNotExecutable = 126
	exitNotFound      = 127
)

// executes runs a command with a proxy of its own.
func executes(ctx context.Context, a *app) (err error) {
	p := a.newPanel()
	c, v, err := a.session(p.observing(a.notice))
	if err != nil {
		return err
	}
	defer a.closing(c, &err)
	p.client.Store(c)
	if st := c.Status(); over(st) {
		return a.failed(a.args[0]+" was not started", st.Err)
	}
	a.options.secret = cmp.Or(a.options.secret, rand.Text())
	a.options.listen = "127.0.0.1:0"
	l, err := net.Listen("tcp", a.options.listen)
	if err != nil {
		return a.failed("the proxy cannot listen", err)
	}
	serving := a.serve(l, c, p)
	defer serving.end()
	ctx, ended := context.WithCancel(context.WithoutCancel(ctx)) // a signal is the command's
	defer ended()
	go (&follower{app: a, client: c, store: v}).follow(ctx)
	return a.child(l.Addr())
}

// address is the URL of the proxy at addr, with the secret.
func (a *app) address(addr net.Addr) string {
	u := url.URL{Scheme: "http", Host: addr.String(), User: url.UserPassword("silentrefresh", a.options.secret)}
	return u.String()
}

// child runs the command to its end, with a proxy at addr.
func (a *app) child(addr net.Addr) error {
	cmd := exec.Command(a.args[0], a.args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = a.in, process.Raw(a.out), process.Raw(a.err)
	cmd.Env = append(os.Environ(), "SILENTREFRESH_URL="+a.address(addr), "SILENTREFRESH_ORIGIN=http://"+addr.String(),
		variable(secretFlag)+"="+a.options.secret)
	a.runsCommand = true
	signals := make(chan os.Signal, 16)
	if passed := process.Heeded(process.PassedOn...); len(passed) > 0 {
		signal.Notify(signals, passed...)
	}
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		f := &failure{what: fmt.Sprintf("%s was not started: %s", a.args[0], reasonOf(plainExec(err))), code: exitNotFound}
		if errors.Is(err, fs.ErrPermission) {
			f.code = exitNotExecutable
		}
		return f
	}
	terminal := term.IsTerminal(int(a.in.Fd()))
	go func() { // ends with the program
		for s := range signals {
			if !terminal || !process.FromKeys(s) { // else the command, on the same terminal, gets it anyway
				cmd.Process.Signal(s)
			}
		}
	}()
	err := cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		f := &failure{}
		f.code, f.signal = process.EndOf(exit.ProcessState)
		return f
	} else if err != nil {
		return a.failed(a.args[0]+" did not end well", err)
	}
	return nil
}
