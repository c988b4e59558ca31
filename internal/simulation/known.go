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
	"F63": {pass: []string{"budget", "busy", "economy", "mistakes"}, without: []string{"set silly max age", "set silly timeout", "set silly margin"}},
	"F64": {pass: []string{stalls}},
	"F65": {pass: []string{"lock", "panic", dies}, without: []string{"set renewable check", "api nothing", "store load panics",
		"store update panics", "store update panics after", "store save panics", "store save panics after",
		"user rejection check panics", "user credentials panics"}},
	"F66": {pass: []string{"last-event"}},
	"F67": {pass: []string{"token"}},
	"F68": {without: []string{"respond deaf", "respond deaf, loses response"}},
	"F69": {pass: []string{"ended-token"}},
	"F70": {pass: []string{"needless-401", "rejected-token"}},
	"F71": {pass: []string{"document"}},
	"F72": {without: []string{"set one connection"}},
	"F73": {without: []string{"set realm"}},
	"F74": {pass: []string{"trace", "own-credential"}, without: []string{"set silly header", "token elsewhere"}},

	// Found by the simulation, and not promised yet.
	"N1": {pass: []string{"refused-once"}},              // with Credentials, a refresh token that was refused is presented again while logins fail
	"N2": {pass: []string{"store-order", "spent-once"}}, // a login that could not be saved at once takes everything in the Store for older
	"N3": {pass: []string{"stays-out"}},                 // and is saved over the tombstone of a later logout
	"N4": {pass: []string{"carried"}},                   // a request that waits is sent with the token of whoever logs in meanwhile
	"N5": {pass: []string{"patience"}},                  // a request waits through one flight after the other, each behind another process
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
