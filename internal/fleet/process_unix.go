//go:build unix

package main

import (
	"os"
	"syscall"
	"time"
)

// What stops a process, lets it go on, and has a replica renew its token.
const (
	sigStop  = syscall.SIGSTOP
	sigCont  = syscall.SIGCONT
	sigRenew = syscall.SIGHUP
)

// stop stops this process until it gets sigCont.
func stop() { syscall.Kill(os.Getpid(), sigStop) }

// cpu is how long this process has run on any core.
func cpu() time.Duration {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
