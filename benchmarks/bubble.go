package main

import (
	"fmt"
	"testing"
	"testing/synctest"
)

// inBubble runs f in virtual time: what it waits for takes no time, and nothing in it may use a real network.
func inBubble[R any](t *testing.T, f func() (R, error)) (R, error) {
	var r R
	err := fmt.Errorf("the bubble failed")
	synctest.Test(t, func(*testing.T) { r, err = f() })
	return r, err
}
