package main

import (
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/listen"
	"github.com/silentrefresh/silentrefresh/internal/origin"
)

// A guard decides who may use the proxy. A page of another origin in a browser of this machine could otherwise use
// the session across sites: it need not read the response to do harm, and a check of the Host header stops only those
// that rebind a name. So every request with a foreign Origin, or that a browser says comes from another site, is
// refused, GET and upgrades included. Beyond loopback browsers say nothing of that (the address is not trustworthy to
// them), and send a password that they know with whatever a page asks for: there the secret has to be in a header, which no
// page of another origin can set.
type guard struct {
	host   string // that the proxy was told to listen on, "" for an address
	open   bool   // it listens beyond loopback, so addresses other than loopback are its own
	secret string
}

func newGuard(addr net.Addr, given, secret string) guard {
	g := guard{secret: secret}
	if host, _, err := net.SplitHostPort(given); err == nil && net.ParseIP(host) == nil {
		g.host = strings.ToLower(host)
	}
	g.open = !listen.Loopback(addr)
	return g
}

// refuses says why a request is not passed on, nil if it is.
func (g guard) refuses(req *http.Request) *refusal {
	site := req.Header.Get("Sec-Fetch-Site")
	switch {
	case !g.ours(req.Host):
		return &refusal{http.StatusForbidden, "foreign_host", "the request is for another host",
			"use the address that the proxy has printed", nil}
	case !sameOrigin(req):
		return &refusal{http.StatusForbidden, "foreign_origin", "web pages of other origins may not use the proxy", "", nil}
	case site != "" && site != "same-origin" && site != "none":
		return &refusal{http.StatusForbidden, "cross_site", "web pages of other sites may not use the proxy", "", nil}
	case site == "" && !g.refers(req):
		return &refusal{http.StatusForbidden, "cross_site", "web pages of other sites may not use the proxy", "", nil}
	case g.open && (g.secret == "" || !g.is(req.Header.Get(secretHeader))):
		return &refusal{http.StatusUnauthorized, "secret_required", "the proxy's secret is missing or wrong",
			"show it in the header " + secretHeader, nil}
	case !g.knows(req):
		return &refusal{http.StatusUnauthorized, "secret_required", "the proxy's secret is missing or wrong",
			"show it in the header " + secretHeader + ", or as the password in the URL",
			http.Header{"Www-Authenticate": {`Basic realm="silentrefresh proxy"`}}}
	}
	return nil
}

// ours reports whether the Host header names the proxy. Names that anybody can point at this machine do not.
func (g guard) ours(hostport string) bool {
	host := strings.ToLower(hostport)
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	if _, err := netip.ParseAddr(host); err == nil && g.open {
		return true
	}
	return origin.Loopback(host) || g.host != "" && host == g.host
}

// sameOrigin reports whether every Origin header is the proxy's own.
func sameOrigin(req *http.Request) bool {
	own := &url.URL{Scheme: "http", Host: req.Host}
	for _, named := range req.Header["Origin"] {
		if u, err := url.Parse(named); err != nil || !origin.Same(u, own) {
			return false
		}
	}
	return true
}

// refers reports whether the page that a request comes from, where it says so, is the proxy's: not all browsers say
// more.
func (g guard) refers(req *http.Request) bool {
	referer := req.Header.Get("Referer")
	if referer == "" {
		return true
	}
	u, err := url.Parse(referer)
	return err == nil && u.Scheme == "http" && strings.EqualFold(u.Host, req.Host)
}

// knows reports whether a request shows the secret, where there is one.
func (g guard) knows(req *http.Request) bool {
	if g.secret == "" {
		return true
	}
	_, password, _ := req.BasicAuth()
	return g.is(req.Header.Get(secretHeader)) || g.is(password)
}

func (g guard) is(shown string) bool {
	return subtle.ConstantTimeCompare([]byte(shown), []byte(g.secret)) == 1
}

// takeOff takes the secret off what is passed on. Another Authorization is the request's own.
func (g guard) takeOff(h http.Header) {
	h.Del(secretHeader)
	_, password, ok := (&http.Request{Header: h}).BasicAuth()
	if ok && g.secret != "" && g.is(password) {
		h.Del("Authorization")
	}
}
