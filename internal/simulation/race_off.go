//go:build !race

package main

// slowness is how many times longer everything may take in real time.
const slowness = 1
