//go:build !windows

package process

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// toEnd are the signals that ask the program to end.
var toEnd = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}

// PassedOn are the signals that a command gets from us.
var PassedOn = []os.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2}

// FromKeys reports whether a terminal's keys make s.
func FromKeys(s os.Signal) bool { return s == syscall.SIGINT || s == syscall.SIGQUIT }

// Die ends the program by a signal, and not with a status that looks like it: a shell ends a loop only if a command was
// killed by Ctrl-C.
func Die(s os.Signal) {
	number, ok := s.(syscall.Signal)
	if !ok {
		os.Exit(1)
	}
	signal.Reset(s)
	if syscall.Kill(os.Getpid(), number) == nil {
		time.Sleep(time.Second) // it arrives on another thread
	}
	os.Exit(128 + int(number))
}

// DieOfClosedOutput ends the program as one ends that takes no care of its output: by a write that nobody reads. It returns
// where that is ignored.
func (o *Output) DieOfClosedOutput() {
	signal.Reset(syscall.SIGPIPE)
	o.file.Write([]byte{'\n'})
}

// EndOf is the exit status that a command's end is to a shell, and the signal that killed it and is to kill this program,
// too; nil if none did that people send.
func EndOf(p *os.ProcessState) (code int, killedBy os.Signal) {
	ws, ok := p.Sys().(syscall.WaitStatus)
	if !ok || !ws.Signaled() {
		return p.ExitCode(), nil
	}
	switch ws.Signal() {
	case syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP:
		killedBy = ws.Signal()
	}
	return 128 + int(ws.Signal()), killedBy
}
