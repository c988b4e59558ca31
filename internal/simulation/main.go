// Simulation looks for faults in the engine by itself: it runs clients, an auth server, an API, a network, a Store and
// people through plans that a seed decides, in virtual time, and checks that what has to hold always does.
//
//	go run ./internal/simulation -seeds 10000
//	go run ./internal/simulation -for 2m
//	go run ./internal/simulation -seed 4711 -v
//
// README.md says how it works.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/silentrefresh/silentrefresh/internal/simulation/sim"
)

func main() {
	if sim.Worker() != "" {
		sim.Work(sim.Memory)
		return
	}
	c, err := sim.Parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	failed := false
	if err == nil {
		failed, err = c.Run()
	}
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "simulation:", err)
		os.Exit(2)
	case failed:
		os.Exit(1)
	}
}
