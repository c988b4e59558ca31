// Package socket opens the ports that browsers come back to.
package socket

import "net"

// Listen opens one. Package oauthtest puts another function in its place, which is in memory in a testing/synctest bubble.
var Listen = new(net.ListenConfig).Listen
