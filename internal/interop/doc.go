// Package interop tests that clients which people use work on top of silentrefresh. It is a module of its own, so that
// they are nobody's dependency.
package interop
