package auth

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/cookiedate"
	"github.com/silentrefresh/silentrefresh/internal/origin"
	"github.com/silentrefresh/silentrefresh/internal/wall"
)

// A cookieURL is all of a URL that matters to cookies.
type cookieURL struct {
	host   string
	path   string
	secure bool
}

// cookieURLOf reports false for a URL that has no cookies.
func cookieURLOf(u *url.URL) (cookieURL, bool) {
	if u.Scheme != "http" && u.Scheme != "https" {
		return cookieURL{}, false
	}
	host, ok := hostname(u.Hostname())
	path := u.EscapedPath() // as it is sent: that is what the server's Path means
	if !strings.HasPrefix(path, "/") {
		path = "/"
	}
	return cookieURL{host: host, path: path, secure: u.Scheme == "https" || origin.Loopback(host)}, ok
}

// gets reports whether a request for u carries c (RFC 6265bis section 5.8.3).
func (u cookieURL) gets(c *Cookie) bool {
	return (c.Domain == u.host || !c.HostOnly && subdomain(u.host, c.Domain)) &&
		pathMatch(u.path, c.Path) && (u.secure || !c.Secure)
}

// read makes a Cookie of what the response to u set; false if it is refused (RFC 6265bis section 5.7).
func (u cookieURL) read(hc *http.Cookie, now time.Time) (Cookie, bool) {
	if hc == nil {
		return Cookie{}, false
	}
	c := Cookie{
		Name: hc.Name, Value: NewSecret(hc.Value), Quoted: hc.Quoted,
		Path: u.defaultPath(), Expires: cookieExpiry(hc, now),
		Secure: hc.Secure, HttpOnly: hc.HttpOnly, SameSite: hc.SameSite,
	}
	path := strings.Trim(hc.Path, " \t")
	if strings.HasPrefix(path, "/") && len(path) <= maxAttribute {
		c.Path = path
	}
	var ok bool
	c.Domain, c.HostOnly, ok = u.domain(strings.Trim(hc.Domain, " \t"))
	switch {
	case !ok, !c.valid():
		return Cookie{}, false
	case c.Secure && !u.secure:
		return Cookie{}, false
	case c.named("__Host-") && path != "/": // it has to be spelled out
		return Cookie{}, false
	}
	return c.detached(), true
}

// domain returns Cookie.Domain and Cookie.HostOnly for a Domain attribute; false if u may not set cookies for it.
func (u cookieURL) domain(attribute string) (domain string, hostOnly, ok bool) {
	if len(attribute) > maxAttribute {
		attribute = ""
	}
	domain = strings.ToLower(strings.TrimPrefix(attribute, "."))
	switch {
	case domain == "":
		return u.host, true, true
	case domain == u.host:
		return domain, isPublicSuffix(domain), true
	default:
		return domain, false, subdomain(u.host, domain) && !isPublicSuffix(domain)
	}
}

// defaultPath is the directory of u's path (RFC 6265bis section 5.1.4).
func (u cookieURL) defaultPath() string {
	return u.path[:max(1, strings.LastIndexByte(u.path, '/'))]
}

// cookieExpiry returns when hc ends: zero with the session, in the past if it is a deletion. Max-Age wins over Expires.
func cookieExpiry(hc *http.Cookie, now time.Time) time.Time {
	expires := hc.Expires
	if expires.IsZero() {
		expires = cookiedate.Parse(hc.RawExpires)
	}
	switch {
	case hc.MaxAge < 0:
		expires = wall.FirstRecordable
	case hc.MaxAge > 0:
		expires = now.Add(min(time.Duration(hc.MaxAge), maxLifetime/time.Second) * time.Second)
	}
	return capped(expires, now)
}

// subdomain reports whether host is a name below domain (RFC 6265bis section 5.1.3): an IP address is below nothing.
func subdomain(host, domain string) bool {
	i := len(host) - len(domain) - 1
	return i > 0 && host[i] == '.' && host[i+1:] == domain && !isIP(host)
}

// pathMatch reports whether path is in the folder (RFC 6265bis section 5.1.4).
func pathMatch(path, folder string) bool {
	rest, ok := strings.CutPrefix(path, folder)
	return ok && (rest == "" || rest[0] == '/' || strings.HasSuffix(folder, "/"))
}
