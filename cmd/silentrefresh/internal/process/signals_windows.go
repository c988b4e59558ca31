package process

import "os"

// toEnd are the signals that ask the program to end.
var toEnd = []os.Signal{os.Interrupt}

// PassedOn are the signals that a command gets from us.
var PassedOn = []os.Signal{os.Interrupt}

// FromKeys reports whether the console's keys make s: its programs all get it.
func FromKeys(os.Signal) bool { return true }

// Die ends the program with the status that shells give to an interrupted one.
func Die(os.Signal) { os.Exit(130) }

// DieOfClosedOutput returns: there is no such signal.
func (*Output) DieOfClosedOutput() {}

// EndOf is a command's exit status. No signal kills here.
func EndOf(p *os.ProcessState) (code int, killedBy os.Signal) { return p.ExitCode(), nil }
