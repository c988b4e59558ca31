//go:build !windows

package main

import (
	"os"
	"syscall"
)

// passedOn are the signals that a command gets from us.
var passedOn = []os.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2}

// fromKeys reports whether a terminal's keys make s.
func fromKeys(s os.Signal) bool { return s == syscall.SIGINT || s == syscall.SIGQUIT }

// exitStatusOf is a command's exit status; after a signal 128 more than its number, as shells have it.
func exitStatusOf(p *os.ProcessState) int {
	if ws, ok := p.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return p.ExitCode()
}
