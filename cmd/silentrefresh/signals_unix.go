//go:build !windows

package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// toEnd are the signals that ask the program to end.
var toEnd = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}

// passedOn are the signals that a command gets from us.
var passedOn = []os.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2}

// fromKeys reports whether a terminal's keys make s.
func fromKeys(s os.Signal) bool { return s == syscall.SIGINT || s == syscall.SIGQUIT }

// dieOf ends the program by a signal, and not with a status that looks like it: a shell ends a loop only if a command was
// killed by Ctrl-C.
func dieOf(s os.Signal) {
	number, ok := s.(syscall.Signal)
	if !ok {
		os.Exit(exitFailed)
	}
	signal.Reset(s)
	if syscall.Kill(os.Getpid(), number) == nil {
		time.Sleep(time.Second) // it arrives on another thread
	}
	os.Exit(128 + int(number))
}

// dieOfClosedOutput ends the program as one ends that takes no care of its output: by a write that nobody reads. It
// returns where that is ignored.
func dieOfClosedOutput(f *os.File) {
	signal.Reset(syscall.SIGPIPE)
	f.Write([]byte{'\n'})
}

// endOf is the failure that a command's end is: the signal that killed it, or its exit status.
func endOf(p *os.ProcessState) *failure {
	ws, ok := p.Sys().(syscall.WaitStatus)
	if !ok || !ws.Signaled() {
		return exitCode(p.ExitCode())
	}
	f := exitCode(128 + int(ws.Signal())) // as shells have it
	switch ws.Signal() {
	case syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP:
		f.signal = ws.Signal()
	}
	return f
}
