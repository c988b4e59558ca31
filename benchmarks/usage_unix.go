//go:build unix

package main

import (
	"syscall"
	"time"
)

func usage() cpu {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return cpu{}
	}
	return cpu{own: time.Duration(r.Utime.Nano() + r.Stime.Nano()), all: machineCPU()}
}
