package main

import (
	"net"
	"net/http/httptest"
	"testing"
)

// f61 is what a browser or a program may send, and whether it is passed on.
var f61 = []struct {
	name   string
	header []string
	ok     bool
}{
	{"a program", nil, true},
	{"a program by name", []string{"Host", "localhost:8090"}, true},
	{"IPv6", []string{"Host", "[::1]:8090"}, true},
	{"an address that was typed", []string{"Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate"}, true},
	{"a page of the proxy's", []string{"Host", "127.0.0.1:8090", "Origin", "http://127.0.0.1:8090", "Sec-Fetch-Site", "same-origin"}, true},
	{"another page's fetch", []string{"Origin", "https://evil.example.com", "Sec-Fetch-Site", "cross-site"}, false},
	{"another page's fetch, old browser", []string{"Origin", "https://evil.example.com"}, false},
	{"another page's image", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}, false},
	{"another page's link", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, false},
	{"a page on another port", []string{"Host", "127.0.0.1:8090", "Origin", "http://127.0.0.1:3000", "Sec-Fetch-Site", "same-site"}, false},
	{"an image on a page on another port", []string{"Sec-Fetch-Site", "same-site"}, false},
	{"a page of another scheme", []string{"Host", "127.0.0.1:8090", "Origin", "https://127.0.0.1:8090"}, false},
	{"a sandboxed frame", []string{"Origin", "null"}, false},
	{"two origins", []string{"Host", "127.0.0.1:8090", "Origin", "http://127.0.0.1:8090", "Origin", "https://evil.example.com"}, false},
	{"an empty origin", []string{"Origin", ""}, false},
	{"a name that was rebound", []string{"Host", "evil.example.com:8090"}, false},
	{"its page", []string{"Host", "evil.example.com:8090", "Origin", "http://evil.example.com:8090", "Sec-Fetch-Site", "same-origin"}, false},
	{"a name below localhost's look", []string{"Host", "localhost.example.com"}, false},
	{"an address of another machine", []string{"Host", "192.0.2.1:8090"}, false},
	{"no host", []string{"Host", ""}, false},
}

// TestF61_ForeignPagesAreRefused: every method, GET and upgrades included.
func TestF61_ForeignPagesAreRefused(t *testing.T) {
	g := newGuard(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8090}, "127.0.0.1:8090", "")
	for _, c := range f61 {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "upgrade"} {
			req := httptest.NewRequest("GET", "http://127.0.0.1:8090/", nil)
			req.Method = method
			if method == "upgrade" {
				req.Method = "GET"
				req.Header.Set("Connection", "Upgrade")
				req.Header.Set("Upgrade", "websocket")
			}
			for i := 0; i < len(c.header); i += 2 {
				if c.header[i] == "Host" {
					req.Host = c.header[i+1]
				} else {
					req.Header.Add(c.header[i], c.header[i+1])
				}
			}
			if refusal := g.refuses(req); (refusal == nil) != c.ok {
				t.Errorf("%s of %s: %+v", method, c.name, refusal)
			}
		}
	}
}

// TestGuardBeyondLoopback: told to listen elsewhere, the proxy responds to its addresses and to the name it was given.
func TestGuardBeyondLoopback(t *testing.T) {
	g := newGuard(&net.TCPAddr{IP: net.IPv4zero, Port: 80}, "Proxy.internal:80", "")
	for host, ok := range map[string]bool{
		"192.0.2.1": true, "proxy.internal:80": true, "localhost": true, "evil.example.com": false, "internal": false,
	} {
		if g.ours(host) != ok {
			t.Errorf("%s: %v", host, !ok)
		}
	}
	if newGuard(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, ":8090", "").ours("") {
		t.Error("no host at all is taken for ours")
	}
}
