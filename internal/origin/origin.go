// Package origin compares origins (RFC 6454): what a token may be sent to, and what a credential may follow.
package origin

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/idna"
)

// Origin is what the token may be sent to: scheme, host and port (RFC 6454 section 4), in the one spelling that
// can be compared: lower case, ASCII, no default port, no trailing dot.
type Origin struct{ Scheme, Host string }

func (o Origin) String() string { return o.Scheme + "://" + o.Host }

// List are the ones that get the token.
type List []Origin

// Has reports whether u belongs to one of them. A URL that is spelled as the origin was costs two comparisons.
func (s List) Has(u *url.URL) bool {
	for i := range s {
		if s[i].Host == u.Host && s[i].Scheme == u.Scheme {
			return true
		}
	}
	return s.hasOtherSpelling(u)
}

func (s List) hasOtherSpelling(u *url.URL) bool {
	o, err := Of(u)
	if err != nil {
		return false
	}
	for i := range s {
		if s[i] == o {
			return true
		}
	}
	return false
}

// Of returns u's origin. Only http and https have one here.
func Of(u *url.URL) (Origin, error) {
	scheme := strings.ToLower(u.Scheme)
	if scheme != "http" && scheme != "https" {
		return Origin{}, fmt.Errorf("scheme %q cannot carry a token; use https", u.Scheme)
	}
	host, err := ASCIIHost(u.Hostname())
	if err != nil {
		return Origin{}, err
	}
	port := u.Port()
	if port == "80" && scheme == "http" || port == "443" && scheme == "https" {
		port = ""
	}
	if port != "" {
		return Origin{scheme, net.JoinHostPort(host, port)}, nil
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return Origin{scheme, host}, nil
}

// Same reports whether a and b have an origin, and the same one, in whatever spelling.
func Same(a, b *url.URL) bool {
	of, err := Of(a)
	if err != nil {
		return false
	}
	other, err := Of(b)
	return err == nil && of == other
}

// ASCIIHost is host in the spelling that is compared.
func ASCIIHost(host string) (string, error) {
	if host == "" {
		return "", errors.New("the host is missing")
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.String(), nil
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	ascii, err := idna.Lookup.ToASCII(host)
	if err != nil {
		if isASCII(host) { // an underscore, say: strange, but it resolves
			return host, nil
		}
		return "", errors.New("the host is not a valid name")
	}
	return ascii, nil
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}

// Parse reads an entry of Config.Origins.
func Parse(s string) (Origin, error) {
	u, err := url.Parse(s)
	if err != nil {
		return Origin{}, errors.New("not a URL; write scheme and host, for instance https://api.example.com")
	}
	if u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return Origin{}, errors.New("an origin has only scheme, host and port")
	}
	return Of(u)
}

// Loopback reports whether host never leaves the machine. Names below localhost do (RFC 6761 section 6.3), but only where
// the resolver knows: net asks the network's DNS for them.
func Loopback(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// PlainHTTP says why a token is not sent to o.
func PlainHTTP(o Origin) error {
	return fmt.Errorf("token not sent to %s: plain http would expose it; use https, or list %q in Origins", o, o)
}

// SameOriginRedirects is the CheckRedirect of auth calls: a credential goes nowhere else (RFC 9700 section 4.12),
// and a POST never becomes a GET, which would lose its body.
func SameOriginRedirects(req *http.Request, via []*http.Request) error {
	first := via[0]
	from, _ := Of(first.URL)
	to, err := Of(req.URL)
	switch {
	case err != nil || from != to:
		return fmt.Errorf("the auth server redirects to another origin, %s, which does not get the credential; "+
			"if that is right, give its URL in the settings", to)
	case req.Method != first.Method:
		return fmt.Errorf("the auth server redirects to %s and would turn %s into %s; give that URL in the settings",
			req.URL.Path, first.Method, req.Method)
	case len(via) >= 5:
		return errors.New("the auth server redirects too often")
	}
	return nil
}
