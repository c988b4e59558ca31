package auth

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/silentrefresh/silentrefresh/internal/origin"
	"github.com/silentrefresh/silentrefresh/internal/wall"
	"golang.org/x/net/publicsuffix"
)

// The limits of RFC 6265bis sections 5.5 and 5.6, in bytes and time.
const (
	maxNameAndValue = 4096
	maxAttribute    = 1024
	maxLifetime     = 400 * 24 * time.Hour
)

// A Cookie is one cookie of a Jar, with all that RFC 6265bis section 5.7 keeps of it. It prints without its value.
type Cookie struct {
	Name     string
	Value    Secret
	Quoted   bool   // the value was sent in quotation marks, and is sent back in them
	Domain   string // the host, or the domain whose subdomains get it too; "" until it is known
	HostOnly bool   // Domain is the one host that gets it, not its subdomains
	Path     string
	Secure   bool // for https and this machine only
	HttpOnly bool
	SameSite http.SameSite // kept, never applied: the requests of a session are all its own site's
	Expires  time.Time     // zero: with the session, for as long as the session is kept
	Created  time.Time     // when a cookie of that name, domain and path was set first
}

// At fills in what a caller may leave out: u's host gets the cookie, on every path.
func (c Cookie) At(u *url.URL) Cookie {
	if t, ok := cookieURLOf(u); ok && c.Domain == "" {
		c.Domain, c.HostOnly = t.host, true
	}
	if c.Path == "" {
		c.Path = "/"
	}
	if c.Created.IsZero() {
		c.Created = wall.Now().UTC()
	}
	return c
}

// replaces reports whether a jar has room for only one of the two (RFC 6265bis section 5.7).
func (c *Cookie) replaces(o *Cookie) bool {
	return c.Name == o.Name && c.Domain == o.Domain && c.HostOnly == o.HostOnly && c.Path == o.Path
}

// live reports whether c has not expired.
func (c *Cookie) live(now time.Time) bool { return c.Expires.IsZero() || c.Expires.After(now) }

// Equal reports whether c and o are the same in all that a server has set, the end included: a cookie of the same value
// that ends later is another one. When they were created makes no difference.
func (c Cookie) Equal(o Cookie) bool {
	return c.replaces(&o) && c.Value.Equal(o.Value) && c.Quoted == o.Quoted && c.Expires.Equal(o.Expires) &&
		c.Secure == o.Secure && c.HttpOnly == o.HttpOnly && c.SameSite == o.SameSite
}

// SameCookies reports whether a and b hold equal cookies in the same order.
func SameCookies(a, b []Cookie) bool { return slices.EqualFunc(a, b, Cookie.Equal) }

// valid reports whether a jar may hold c, and a header field carry it.
func (c *Cookie) valid() bool {
	value := c.Value.Reveal()
	size := len(c.Name) + len(value)
	if c.Quoted {
		size += len(`""`)
	}
	switch {
	case size > maxNameAndValue || len(c.Path) > maxAttribute || len(c.Domain) > maxAttribute:
		return false
	case c.SameSite == http.SameSiteNoneMode && !c.Secure:
		return false
	case c.named("__Secure-") && !c.Secure:
		return false
	case c.named("__Host-") && !(c.Secure && c.Path == "/" && (c.HostOnly || c.Domain == "")):
		return false
	}
	odd := func(r rune) bool { return isControl(r) || r == ';' }
	return c.Name != "" && utf8.ValidString(c.Name+c.Path) && trimBlanks(c.Name) == c.Name && !strings.Contains(c.Name, "=") &&
		(c.Quoted || trimBlanks(value) == value) && !strings.ContainsFunc(c.Name+value+c.Path, odd)
}

// named reports whether c's name begins with prefix, in any case: to some servers case means nothing
// (RFC 6265bis section 5.4).
func (c *Cookie) named(prefix string) bool {
	return len(c.Name) >= len(prefix) && strings.EqualFold(c.Name[:len(prefix)], prefix)
}

// canonical returns a cookie that somebody brought in the form in which a jar compares cookies; false if there is
// none. Where no subdomain may get it, it is its host's alone.
func (c Cookie) canonical(now time.Time) (Cookie, bool) {
	if !strings.HasPrefix(c.Path, "/") {
		c.Path = "/"
	}
	c.Expires, c.Created = capped(c.Expires, now), wall.Recordable(c.Created)
	if c.Domain == "" {
		return c, c.valid()
	}
	domain, ok := hostname(strings.TrimPrefix(c.Domain, "."))
	c.Domain, c.HostOnly = domain, c.HostOnly || isPublicSuffix(domain)
	return c, ok && c.valid()
}

// detached returns c on memory of its own, so that it does not hold on to the whole response that it came in.
func (c Cookie) detached() Cookie {
	c.Name, c.Domain, c.Path = strings.Clone(c.Name), strings.Clone(c.Domain), strings.Clone(c.Path)
	c.Value = NewSecret(strings.Clone(c.Value.Reveal()))
	return c
}

// capped limits how far away an expiry is (RFC 6265bis section 5.5). Zero stays zero.
func capped(expires, now time.Time) time.Time {
	if limit := now.Add(maxLifetime); expires.After(limit) {
		expires = limit
	}
	return wall.Recordable(expires)
}

// hostname returns the one spelling of a host that can be compared, without port and trailing dot.
func hostname(host string) (string, bool) {
	host, err := origin.ASCIIHost(host)
	odd := func(r rune) bool { return r <= ' ' || r == 0x7f }
	if err != nil || host == "" || host[0] == '.' || host[len(host)-1] == '.' || strings.ContainsFunc(host, odd) {
		return "", false
	}
	return host, true
}

func isIP(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// isPublicSuffix reports whether no cookie may be for all that is below domain: below com, co.uk and github.io
// anybody can have a name. An IP address is its own public suffix.
func isPublicSuffix(domain string) bool {
	suffix, _ := publicsuffix.PublicSuffix(domain)
	return suffix == domain
}
