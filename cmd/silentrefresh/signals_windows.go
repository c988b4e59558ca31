package main

import "os"

// passedOn are the signals that a command gets from us.
var passedOn = []os.Signal{os.Interrupt}

// fromKeys reports whether the console's keys make s: its programs all get it.
func fromKeys(os.Signal) bool { return true }

// exitStatusOf is a command's exit status.
func exitStatusOf(p *os.ProcessState) int { return p.ExitCode() }
