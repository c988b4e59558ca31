// Package servers plays the recipes of docs/SERVERS.md against the servers that they are for: each is started on
// loopback with tokens that live for seconds, and a client with the recipe's settings, read from the page itself, logs
// in, stays logged in over ten expiries, and logs out.
//
// The servers are in folders of their own, each with a lock file of what it is made of; see README.md for how they are
// installed. What is not installed is skipped.
package servers
