//go:build unix && !linux

package main

import "time"

// machineCPU is not known here: the canary has only its own work to go by.
func machineCPU() time.Duration { return 0 }
