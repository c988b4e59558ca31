package main

import "os"

// Windows cannot stop a process: os.Process.Signal says so.
var sigStop, sigCont = os.Interrupt, os.Interrupt
