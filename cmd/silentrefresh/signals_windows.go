package main

import "os"

// toEnd are the signals that ask the program to end.
var toEnd = []os.Signal{os.Interrupt}

// passedOn are the signals that a command gets from us.
var passedOn = []os.Signal{os.Interrupt}

// fromKeys reports whether the console's keys make s: its programs all get it.
func fromKeys(os.Signal) bool { return true }

// dieOf ends the program with the status that shells give to an interrupted one.
func dieOf(os.Signal) { os.Exit(130) }

// dieOfClosedOutput returns: there is no such signal.
func dieOfClosedOutput(*os.File) {}

// endOf is the failure that a command's end is: its exit status.
func endOf(p *os.ProcessState) *failure { return exitCode(p.ExitCode()) }
