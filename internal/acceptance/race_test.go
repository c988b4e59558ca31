//go:build race

package silentrefresh

const raceEnabled = true
