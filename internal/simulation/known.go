package main

import (
	"fmt"
	"slices"
)

// A fault is one that is known to be in the engine, by its number in docs/PROMISES.md. An entry goes when its fault does.
type fault struct {
	pass    []string // invariants that it breaks
	without []string // ingredients that bring it about, where the worker would not survive it, or too much would be passed over
}

var faults = map[string]fault{
	"F63": {pass: []string{"budget", "busy", "economy"}, without: []string{"set memory only"}}, // with MemoryOnly, a flight that is too soon is begun again at once
	"F66": {pass: []string{"last-event"}},                                                      // Logout tells at its end, after a login that came meanwhile
	"F72": {without: []string{"set one connection"}},
	"F74": {pass: []string{"mistakes"}, without: []string{"set silly header"}},

	// Found by the simulation, and not promised yet.
	"N1": {pass: []string{"refused-once"}},              // with Credentials, a refresh token that was refused is presented again while logins fail
	"N2": {pass: []string{"store-order", "spent-once"}}, // a login that could not be saved at once takes everything in the Store for older
	"N3": {pass: []string{"stays-out"}},                 // and is saved over the tombstone of a later logout
	"N4": {pass: []string{"carried"}},                   // a request that waits is sent with the token of whoever logs in meanwhile
	"N5": {pass: []string{"patience"}},                  // a request waits through one flight after the other, each behind another process
	"N6": {without: []string{"respond deaf", "respond deaf, loses response", // each attempt waits for a sync.Once that an Exchanger that hangs holds
		"crash ", "crash response", "crash before save", "crash after save"}},
}

// know passes over a fault, or an invariant.
func (c *campaign) know(name string) error {
	f, ok := faults[name]
	switch {
	case ok:
		c.pass = append(c.pass, f.pass...)
		c.without = append(c.without, f.without...)
	case name == stalls, name == dies, slices.ContainsFunc(invariants, func(inv invariant) bool { return inv.name == name }):
		c.pass = append(c.pass, name)
	default:
		return fmt.Errorf("-known: there is no fault or invariant %q", name)
	}
	return nil
}
