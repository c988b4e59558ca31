package main

import (
	"os"
	"time"
)

// Windows cannot stop a process: os.Process.Signal says so.
var sigStop, sigCont = os.Interrupt, os.Interrupt

// cpu is not measured there.
func cpu() time.Duration { return 0 }
