//go:build race

package sim

// slowness is how many times longer everything may take in real time.
const slowness = 10
